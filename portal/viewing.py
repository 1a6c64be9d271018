"""A session in which an operator looks at the console as one of its staff: read-only, short, and said on every page."""

from collections.abc import Callable

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare

from accounts import views_as
from portal import access

GetResponse = Callable[[HttpRequest], HttpResponse]
VIEW, OPERATOR = "view_as", "view_as_operator"
BACKEND = "portal.adapter.SignInBackend"
READS = ("GET", "HEAD")
CONSOLE, DOOR, ALWAYS_OPEN = "/console/", "/view-as/", ("/static/", "/brand/")
# Reads that leave a trace in the person's name, or take data out of the house.
NOT_WHILE_VIEWING = ("/export",)


def begin(request: HttpRequest, view: views_as.ViewAs) -> None:
    """Makes the session of this browser the view. Nobody signs in: no signal, no `last_login`, no listed session."""
    session = request.session
    session.flush()
    session[SESSION_KEY] = str(view.person.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = view.person.get_session_auth_hash()
    session["scope"] = view.person.scope
    session[VIEW] = str(view.public_id)
    session[OPERATOR] = view.operator.get_session_auth_hash()
    session.set_expiry(view.expires_at)


class ViewAsMiddleware:
    """Lets such a session read the console and nothing else, as long as the view runs."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.view_as = None
        if request.path.startswith(ALWAYS_OPEN) or VIEW not in request.session:
            return self.get_response(request)
        agency = access.agency_of(request)
        view = views_as.running(agency, request.session[VIEW]) if agency else None
        if view is None or not self._are_who_they_were(request, view):
            request.session.flush()
            return render(request, "view_as/over.html", {"user": None}, status=403)
        request.view_as = view
        is_end = request.path.startswith(DOOR)
        reads_console = request.method in READS and request.path.startswith(CONSOLE)
        if is_end or (reads_console and not any(part in request.path for part in NOT_WHILE_VIEWING)):
            return self.get_response(request)
        return render(request, "view_as/read_only.html", status=403)

    @staticmethod
    def _are_who_they_were(request: HttpRequest, view: views_as.ViewAs) -> bool:
        """What ends the sessions of the one who is viewed ends the view; and what ends those of the one who looks."""
        is_person = request.user.is_authenticated and request.user.pk == view.person_id
        stamp = view.operator.get_session_auth_hash()
        return is_person and constant_time_compare(request.session.get(OPERATOR, ""), stamp)
