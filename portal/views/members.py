"""A customer's people: everybody who belongs to it reads, its owners change."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import limits, people
from accounts import members as doors
from accounts.errors import NotAllowed
from portal import access, access_people
from portal.access import PersonRequest, Place
from portal.forms.team import ChangeForm, InviteMemberForm
from portal.views.console.staff import resend_and_go, withdraw_and_go
from portal.visitors import too_many
from portal.wording_people import MEMBER_ROLES

DOINGS: dict[str, tuple[Callable[..., None], Callable[[], str]]] = {
    "role": (doors.change_role, lambda: _("%(name)s has a new role, and signs in again.")),
    "suspend": (doors.suspend, lambda: _("%(name)s is suspended and can no longer come in here.")),
    "bring_back": (doors.bring_back, lambda: _("%(name)s can come in again.")),
    "end_sessions": (doors.end_sessions, lambda: _("%(name)s is signed out everywhere.")),
    "remove": (doors.remove, lambda: _("%(name)s no longer belongs here.")),
}


@require_safe
@access.person_required
def members(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Everybody who belongs to the customer; for owners the open invitations and the form to invite."""
    return _list(request, access.place_or_404(request, customer), InviteMemberForm())


@require_http_methods(["GET", "HEAD", "POST"])
@access.person_required
def invite(request: PersonRequest, customer: UUID) -> HttpResponse:
    place = _owned(request, customer)
    form = InviteMemberForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _list(request, place, form)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        limits.count("invite", request.user.pk, settings.LIMIT_INVITE)
        people.invite_member(customer=place.customer, email=email, role=role, acting_user=request.user)
    except limits.TooMany as problem:
        return too_many(request, problem)
    except NotAllowed:
        form.add_error("email", _("This person belongs here already, or has an open invitation."))
        return _list(request, place, form)
    messages.success(request, _("Invitation sent to %(email)s.") % {"email": email})
    return redirect("customer:people", customer=customer)


@require_http_methods(["GET", "HEAD", "POST"])
@access.person_required
def member(request: PersonRequest, customer: UUID, person: UUID) -> HttpResponse:
    """One member: role, suspending, removing, handing over."""
    place = _owned(request, customer)
    membership = access_people.member_or_404(place.customer, person)
    is_self = membership.person_id == request.user.pk
    first = {"do": "role", "role": membership.role}
    form = ChangeForm(request.POST or None, doings=DOINGS, roles=MEMBER_ROLES, of_staff=False, initial=first)
    if request.method == "POST" and is_self:
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        return _do(request, place, membership, form.cleaned_data["do"], form.cleaned_data["role"])
    context = {
        "place": place,
        "membership": membership,
        "form": form,
        "is_self": is_self,
    }
    return render(request, "customer/member.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.recent_sign_in_required
def hand_over(request: PersonRequest, customer: UUID, person: UUID) -> HttpResponse:
    """Makes a member the owner. The acting owner stays as an editor, and signs in again."""
    place = _owned(request, customer)
    membership = access_people.member_or_404(place.customer, person)
    if membership.person_id == request.user.pk:
        raise PermissionDenied
    if request.method != "POST":
        return render(request, "customer/hand_over.html", {"place": place, "membership": membership})
    try:
        doors.hand_over(membership, acting_user=request.user)
    except NotAllowed:
        messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
        return redirect("customer:member", customer=customer, person=person)
    messages.success(request, _("%(name)s is the owner now. Please sign in again.") % _name(membership))
    return redirect("customer:people", customer=customer)


@require_POST
@access.person_required
def resend(request: PersonRequest, customer: UUID, invitation: UUID) -> HttpResponse:
    place = _owned(request, customer)
    found = access_people.member_invitation_or_404(place.customer, invitation)
    return resend_and_go(request, found, "customer:people", customer)


@require_POST
@access.person_required
def withdraw(request: PersonRequest, customer: UUID, invitation: UUID) -> HttpResponse:
    place = _owned(request, customer)
    found = access_people.member_invitation_or_404(place.customer, invitation)
    return withdraw_and_go(request, found, "customer:people", customer)


def _owned(request: PersonRequest, customer: UUID) -> Place:
    """The customer, for its owners; other members read that they may not."""
    place = access.place_or_404(request, customer)
    if place.membership.role != "owner":
        raise PermissionDenied
    return place


def _do(request: PersonRequest, place: Place, membership: access.Membership, doing: str, role: str) -> HttpResponse:
    door, sentence = DOINGS[doing]
    try:
        door(membership, acting_user=request.user, **({"role": role} if doing == "role" else {}))
    except NotAllowed:
        messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
    else:
        messages.success(request, sentence() % _name(membership))
    return redirect("customer:people", customer=place.customer.public_id)


def _name(membership: access.Membership) -> dict[str, str]:
    return {"name": membership.person.get_full_name() or membership.person.email}


def _list(request: PersonRequest, place: Place, form: InviteMemberForm) -> HttpResponse:
    is_owner = place.membership.role == "owner"
    context = {
        "place": place,
        "members": access_people.members_of(place.customer),
        "invitations": access_people.member_invitations(place.customer) if is_owner else [],
        "form": form,
        "is_owner": is_owner,
    }
    return render(request, "customer/people.html", context)
