"""Staff's ways into the vendor's panel: a customer's, the agency's own, their own as a teammate."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import panel, staff_panel
from accounts.errors import DoorError
from portal import access, access_console, wording_problems
from portal.access import PersonRequest, VendorAccount
from portal.forms.console import StaffLaunchForm


def _away(url: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": url, "Referrer-Policy": "no-referrer"})


def _allowing_panel(response: HttpResponse, account: VendorAccount) -> HttpResponse:
    response._csp_update = {"form-action": list(panel.panel_origins(account))}
    return response


def _problem(request: PersonRequest, error: DoorError, *, back: str) -> HttpResponse:
    problem = wording_problems.staff_problem(error, seconds=settings.LAUNCH_DEADLINE_SECONDS)
    context = {"problem": problem, "back": back, "may_manage": request.user.staff_role in access.MANAGERS}
    return render(request, "console/panel_problem.html", context, status=problem.status)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.SUPPORTERS)
@access.recent_sign_in_required
def customers_panel(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Into a customer's panel, with a reason that the customer can read."""
    found = access_console.customer_for_staff_or_404(request, customer)
    if found.subaccount.state != "active":
        return redirect("console:customer", customer=customer)
    form = StaffLaunchForm(request.POST or None)
    account = found.subaccount.vendor_account
    if request.method == "POST" and form.is_valid():
        try:
            url = staff_panel.open_customers_panel(found.subaccount, acting_user=request.user, **form.cleaned_data)
        except DoorError as error:
            return _problem(request, error, back=reverse("console:customer", args=[customer]))
        return _away(url)
    return _allowing_panel(render(request, "console/customer_launch.html", {"form": form, "customer": found}), account)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.ANY_STAFF)
@access.recent_sign_in_required
def own_panel(request: PersonRequest) -> HttpResponse:
    """Into the agency's own panel: as the account, for owners, or as the teammate whose id an owner stored."""
    account = access_console.vendor_account_of(request.agency)
    ways = {
        "account": (request.user.staff_role == "owner", staff_panel.open_agencys_panel),
        "teammate": (bool(request.user.teammate_id), staff_panel.open_teammates_panel),
    }
    if request.method == "POST":
        is_open, door = ways.get(request.POST.get("as", ""), (False, None))
        if not is_open or door is None:
            return render(request, "console/panel.html", _own_context(request, ways, refused=True), status=403)
        try:
            url = door(account, acting_user=request.user)
        except DoorError as error:
            return _problem(request, error, back=reverse("console:panel"))
        return _away(url)
    return _allowing_panel(render(request, "console/panel.html", _own_context(request, ways)), account)


def _own_context(request: PersonRequest, ways: dict[str, tuple[bool, object]], *, refused: bool = False) -> dict:
    return {
        "may_account": ways["account"][0],
        "may_teammate": ways["teammate"][0],
        "refused": _("This way in is not yours. An owner stores teammate numbers on the staff page.")
        if refused
        else "",
    }
