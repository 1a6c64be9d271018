"""The people of one customer, as staff see them: who belongs to it, who is invited, and inviting somebody."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import limits, people
from accounts.errors import NotAllowed
from portal import access, access_console, access_people
from portal.access import Customer, PersonRequest
from portal.forms.team import InviteMemberForm
from portal.views.console.staff import resend_and_go, withdraw_and_go
from portal.visitors import too_many


@require_safe
@access.staff_required(*access.ANY_STAFF)
def members(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Everybody who belongs to the customer, and the open invitations."""
    found = access_console.customer_for_staff_or_404(request, customer)
    belonging = access_people.members_of(found)
    form = InviteMemberForm(roles=people.roles_to_invite_as(belonging, by=request.user))
    return _list(request, found, belonging, form)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.SUPPORTERS)
def invite(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Invites somebody to the customer: also as its owner, where the one it had is gone."""
    found = access_console.customer_for_staff_or_404(request, customer)
    belonging = access_people.members_of(found)
    form = InviteMemberForm(request.POST or None, roles=people.roles_to_invite_as(belonging, by=request.user))
    if request.method != "POST" or not form.is_valid():
        return _list(request, found, belonging, form)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        limits.count("invite", request.user.pk, settings.LIMIT_INVITE)
        people.invite_member(customer=found, email=email, role=role, acting_user=request.user)
    except limits.TooMany as problem:
        return too_many(request, problem)
    except people.WorksHere:
        form.add_error(
            "email", _("This person works for you, and opens the customer's panel from here, with a reason.")
        )
        return _list(request, found, belonging, form)
    except NotAllowed:
        form.add_error("email", _("This person belongs here already, or has an open invitation."))
        return _list(request, found, belonging, form)
    messages.success(request, _("Invitation sent to %(email)s.") % {"email": email})
    return redirect("console:customer-people", customer=customer)


@require_POST
@access.staff_required(*access.SUPPORTERS)
def resend(request: PersonRequest, customer: UUID, invitation: UUID) -> HttpResponse:
    found = access_console.customer_for_staff_or_404(request, customer)
    row = access_people.member_invitation_or_404(found, invitation)
    return resend_and_go(request, row, "console:customer-people", customer)


@require_POST
@access.staff_required(*access.SUPPORTERS)
def withdraw(request: PersonRequest, customer: UUID, invitation: UUID) -> HttpResponse:
    found = access_console.customer_for_staff_or_404(request, customer)
    row = access_people.member_invitation_or_404(found, invitation)
    return withdraw_and_go(request, row, "console:customer-people", customer)


def _list(
    request: PersonRequest, customer: Customer, belonging: list[access.Membership], form: InviteMemberForm
) -> HttpResponse:
    context = {
        "customer": customer,
        "members": belonging,
        "invitations": access_people.member_invitations(customer),
        "form": form,
        "may_invite": request.user.staff_role in access.SUPPORTERS and not customer.closed_at,
        "may_manage": request.user.staff_role in access.MANAGERS,
        "may_care": request.user.staff_role in access.SUPPORTERS,
    }
    return render(request, "console/customer_people.html", context)
