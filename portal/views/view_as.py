"""Where a view of the console opens and ends, on the agency's host."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import views_as
from portal import access, viewing


@never_cache
@require_safe
def open_view(request: HttpRequest, token: str) -> HttpResponse:
    """Opens a view: once, within a minute. A HEAD of some link checker does not use it up."""
    agency = access.agency_of(request)
    if agency is None or request.method != "GET":
        raise Http404
    view = views_as.open_view(agency, token=token)
    if view is None:
        raise Http404
    viewing.begin(request, view)
    return redirect("console:overview")


@never_cache
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Ends the view of this session."""
    if request.view_as is None:
        raise Http404
    view = request.view_as
    views_as.end(view)
    request.session.flush()
    back = access.agency_url(None, f"/operator/agencies/{view.agency_id}/")
    return render(request, "view_as/over.html", {"back": back, "user": None})
