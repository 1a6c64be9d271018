"""Staff: who works here, invitations, roles, and what only an owner does. All staff read, managers change."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import agencies, limits, people
from accounts import staff as doors
from accounts.errors import NotAllowed
from portal import access, access_people, wording_people
from portal.access import PersonRequest, User
from portal.forms.team import ChangeForm, InviteStaffForm, ReasonForm, TeammateForm
from portal.visitors import too_many

Change = Callable[..., None]


@require_safe
@access.staff_required(*access.ANY_STAFF)
def staff(request: PersonRequest) -> HttpResponse:
    """Everybody who works here, open invitations, who may do what, and for managers the form to invite."""
    return _list(request, InviteStaffForm(roles=doors.roles_for(request.user)))


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.MANAGERS)
def invite(request: PersonRequest) -> HttpResponse:
    form = InviteStaffForm(request.POST or None, roles=doors.roles_for(request.user))
    if request.method != "POST" or not form.is_valid():
        return _list(request, form)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        limits.count("invite", request.user.pk, settings.LIMIT_INVITE)
        people.invite_staff(agency=request.agency, email=email, staff_role=role, acting_user=request.user)
    except limits.TooMany as problem:
        return too_many(request, problem)
    except NotAllowed:
        form.add_error("email", _("This person works here already, or has an open invitation below."))
        return _list(request, form)
    messages.success(request, _("Invitation sent to %(email)s.") % {"email": email})
    return redirect("console:staff")


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.MANAGERS)
def person(request: PersonRequest, person: UUID) -> HttpResponse:
    """One staff member: role, sessions, suspending, removing."""
    who = access_people.staff_or_404(request, person)
    may_change = doors.may_change(request.user, who)
    roles = doors.roles_for(request.user)
    form = ChangeForm(
        request.POST or None, doings=DOINGS, roles=roles, of_staff=True, initial={"do": "role", "role": who.staff_role}
    )
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if form.is_valid():
            return _do(request, who, form.cleaned_data["do"], form.cleaned_data["role"])
    context = {"person": who, "form": form, "may_change": may_change, "is_self": who.pk == request.user.pk}
    return render(request, "console/staff_person.html", context)


def _do(request: PersonRequest, who: User, doing: str, role: str) -> HttpResponse:
    door, sentence = DOINGS[doing]
    try:
        door(who, acting_user=request.user, **({"role": role} if doing == "role" else {}))
    except NotAllowed:
        messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
    else:
        messages.success(request, str(sentence()) % {"name": who.get_full_name() or who.email})
    if doing == "remove":
        return redirect("console:staff")
    return redirect("console:staff-person", person=who.pk)


DOINGS: dict[str, tuple[Change, Callable[[], str]]] = {
    "role": (doors.change_role, lambda: _("%(name)s has a new role, and signs in again.")),
    "end_sessions": (doors.end_sessions, lambda: _("%(name)s is signed out everywhere.")),
    "suspend": (doors.suspend, lambda: _("%(name)s is suspended and can no longer sign in.")),
    "bring_back": (doors.bring_back, lambda: _("%(name)s can sign in again.")),
    "remove": (doors.remove, lambda: _("%(name)s no longer works here.")),
}


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def second_factor(request: PersonRequest, person: UUID) -> HttpResponse:
    """Takes a lost second factor away, with a reason."""
    who = _changeable(request, person)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            doors.reset_second_factor(who, reason=form.cleaned_data["reason"], acting_user=request.user)
        except NotAllowed:
            messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
        else:
            messages.success(request, _("The second step of %(name)s is reset. We mailed them.") % _name(who))
        return redirect("console:staff-person", person=who.pk)
    return render(request, "console/staff_second_factor.html", {"person": who, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def hand_over(request: PersonRequest, person: UUID) -> HttpResponse:
    """Makes somebody else the owner. The acting owner stays as an admin, and signs in again."""
    who = _changeable(request, person)
    if request.method != "POST":
        return render(request, "console/staff_hand_over.html", {"person": who})
    try:
        doors.hand_over(who, acting_user=request.user)
    except NotAllowed:
        messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
        return redirect("console:staff-person", person=who.pk)
    return redirect("console:staff")


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
def teammate(request: PersonRequest, person: UUID) -> HttpResponse:
    """Who somebody is in the agency's own panel."""
    who = access_people.staff_or_404(request, person)
    form = TeammateForm(request.POST if request.method == "POST" else None, initial={"teammate_id": who.teammate_id})
    if request.method == "POST" and form.is_valid():
        try:
            doors.store_teammate(who, teammate_id=form.cleaned_data["teammate_id"], acting_user=request.user)
        except doors.TeammateTaken:
            form.add_error("teammate_id", _("Somebody else here has this number."))
        except NotAllowed:
            messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
            return redirect("console:staff")
        else:
            messages.success(request, _("The teammate number of %(name)s is saved.") % _name(who))
            return redirect("console:staff-person", person=who.pk)
    return render(request, "console/staff_teammate.html", {"person": who, "form": form})


@require_POST
@access.staff_required(*access.MANAGERS)
def resend(request: PersonRequest, invitation: UUID) -> HttpResponse:
    found = access_people.staff_invitation_or_404(request, invitation)
    return resend_and_go(request, found, "console:staff")


@require_POST
@access.staff_required(*access.MANAGERS)
def withdraw(request: PersonRequest, invitation: UUID) -> HttpResponse:
    found = access_people.staff_invitation_or_404(request, invitation)
    return withdraw_and_go(request, found, "console:staff")


@require_POST
@access.staff_required(*access.MANAGERS)
def switch_members_second_step(request: PersonRequest) -> HttpResponse:
    """Whether the customers' people, too, need a second step at sign-in."""
    is_on = request.POST.get("is_on") == "yes"
    agencies.require_members_second_step(request.agency, is_on=is_on, acting_user=request.user)
    messages.success(
        request,
        _("Your customers' people set up a second step at their next visit.")
        if is_on
        else _("Your customers' people need no second step any more."),
    )
    return redirect("console:staff")


def resend_and_go(request: PersonRequest, invitation: people.Invitation, *way: object) -> HttpResponse:
    """Sends an invitation again, says so, and goes back to the list; for staff and for members."""
    try:
        limits.count("invite", request.user.pk, settings.LIMIT_INVITE)
        people.resend_invitation(invitation, acting_user=request.user)
    except limits.TooMany as problem:
        return too_many(request, problem)
    except NotAllowed:
        messages.error(request, _("This invitation was used or withdrawn meanwhile."))
    else:
        messages.success(
            request, _("Sent again to %(email)s. The first link no longer works.") % {"email": invitation.email}
        )
    return redirect(*way)


def withdraw_and_go(request: PersonRequest, invitation: people.Invitation, *way: object) -> HttpResponse:
    """Withdraws an invitation, says so, and goes back to the list; for staff and for members."""
    try:
        people.withdraw_invitation(invitation, acting_user=request.user)
    except NotAllowed:
        messages.error(request, _("This invitation was used or withdrawn meanwhile."))
    else:
        messages.success(request, _("The invitation of %(email)s is withdrawn.") % {"email": invitation.email})
    return redirect(*way)


def _changeable(request: PersonRequest, person: UUID) -> User:
    who = access_people.staff_or_404(request, person)
    if not doors.may_change(request.user, who):
        raise PermissionDenied
    return who


def _name(who: User) -> dict[str, str]:
    return {"name": who.get_full_name() or who.email}


def _list(request: PersonRequest, form: InviteStaffForm) -> HttpResponse:
    team = access_people.staff_of(request.agency)
    is_manager = request.user.staff_role in access.MANAGERS
    context = {
        "team": [(who, is_manager and doors.may_change(request.user, who)) for who in team],
        "invitations": access_people.staff_invitations(request.agency),
        "form": form,
        "is_manager": is_manager,
        "members_need_mfa": request.agency.members_need_mfa,
        "is_owner": request.user.staff_role in access.OWNERS,
        "rights": [
            (sentence, [role in roles for role in wording_people.STAFF_ROLES])
            for sentence, roles in wording_people.RIGHTS
        ],
        "staff_roles": [word for word, _line in wording_people.STAFF_ROLES.values()],
    }
    return render(request, "console/staff.html", context)
