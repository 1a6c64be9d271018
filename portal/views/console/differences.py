"""Where the vendor's list and the portal differ, as the hourly comparison found it. Nothing is deleted from here."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import reconcile
from accounts.errors import NotAllowed
from portal import access, access_console, wording_differences
from portal.access import PersonRequest

SHOWS = ("set_aside", "absent")


@require_safe
@access.staff_required(*access.ANY_STAFF)
def differences(request: PersonRequest) -> HttpResponse:
    """One page of them, each with what it means and what to do next."""
    which = request.GET.get("show", "")
    which = which if which in SHOWS else ""
    page = access_console.findings_for_staff(request, which=which, after=request.GET.get("after", ""))
    if not page.rows and not page.is_first:
        return redirect("console:differences")
    context = {
        "page": page,
        "findings": [wording_differences.line(finding) for finding in page.rows],
        "which": which,
        "account": request.agency.vendor_account,
        "result": wording_differences.result(request.agency.vendor_account),
        "may_care": request.user.staff_role in access.SUPPORTERS,
    }
    return render(request, "console/differences.html", context)


@require_POST
@access.staff_required(*access.SUPPORTERS)
def set_aside(request: PersonRequest, finding: UUID) -> HttpResponse:
    """Somebody has looked into it."""
    found = access_console.finding_or_404(request, finding)
    try:
        reconcile.dismiss(found, acting_user=request.user)
    except NotAllowed:
        messages.info(request, _("This difference is over, or somebody set it aside meanwhile."))
    else:
        messages.success(request, _("%s is set aside. It comes back if it changes.") % found.vendor_id)
    return redirect("console:attention" if request.POST.get("from") == "attention" else "console:differences")
