"""Packages: the list that all staff read, and the pages with which managers change it."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import packages as doors
from accounts.errors import NotAllowed
from portal import access
from portal.access import Package, PersonRequest
from portal.forms.packages import PackageForm


@require_safe
@access.staff_required(*access.ANY_STAFF)
def packages(request: PersonRequest) -> HttpResponse:
    """What customers can choose from, what staff give by hand, and what is archived."""
    found = access.packages_for_staff(request)
    context = {
        "offered": [package for package in found if package.archived_at is None],
        "archived": [package for package in found if package.archived_at is not None],
        "refused": [package for package in found if package.refused_at and package.archived_at is None],
        "may_change": request.user.staff_role in access.MANAGERS,
    }
    return render(request, "console/packages.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.MANAGERS)
def new(request: PersonRequest) -> HttpResponse:
    form = PackageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        package = doors.create(agency=request.agency, acting_user=request.user, **form.facts)
        messages.success(request, _("“%(name)s” is there.") % {"name": package.name})
        return redirect("console:packages")
    return render(request, "console/package.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.MANAGERS)
def package(request: PersonRequest, package: UUID) -> HttpResponse:
    """One package: its form, how it looks on the sign-up page, and the way into the archive."""
    found = access.package_or_404(request, package)
    form = PackageForm(request.POST if request.method == "POST" else None, package=found)
    if request.method == "POST" and form.is_valid():
        saved = doors.change(found, acting_user=request.user, **form.facts)
        messages.success(request, _saved(saved, was=found))
        return redirect("console:packages")
    return render(request, "console/package.html", {"form": form, "package": found})


def _saved(package: Package, *, was: Package) -> str:
    sentence = _("“%(name)s” is saved.") % {"name": package.name}
    if package.vendor_package_id != was.vendor_package_id:
        sentence += " " + _("New accounts get %(id)s from now on; those who have the package keep what they got.") % {
            "id": package.vendor_package_id
        }
    return sentence


@require_POST
@access.staff_required(*access.MANAGERS)
def archive(request: PersonRequest, package: UUID) -> HttpResponse:
    found = access.package_or_404(request, package)
    try:
        doors.archive(found, acting_user=request.user)
    except NotAllowed:
        messages.info(request, _("“%(name)s” is archived already.") % {"name": found.name})
    else:
        messages.success(
            request,
            _("“%(name)s” is archived. Nobody can choose it any more; who has it keeps it.") % {"name": found.name},
        )
    return redirect("console:packages")


@require_POST
@access.staff_required(*access.MANAGERS)
def restore(request: PersonRequest, package: UUID) -> HttpResponse:
    found = access.package_or_404(request, package)
    try:
        doors.restore(found, acting_user=request.user)
    except NotAllowed:
        messages.info(request, _("“%(name)s” is not archived.") % {"name": found.name})
    else:
        messages.success(request, _("“%(name)s” is back, at the end of the list.") % {"name": found.name})
    return redirect("console:packages")


@require_POST
@access.staff_required(*access.MANAGERS)
def move(request: PersonRequest, package: UUID) -> HttpResponse:
    """One place up or down; the button says which."""
    found = access.package_or_404(request, package)
    direction = request.POST.get("direction", "")
    if direction not in ("up", "down"):
        raise BadRequest("Neither up nor down.")
    try:
        doors.move(found, up=direction == "up", acting_user=request.user)
    except NotAllowed:
        messages.info(request, _("“%(name)s” is archived and has no place in the list.") % {"name": found.name})
    return redirect("console:packages")
