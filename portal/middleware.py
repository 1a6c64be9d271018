"""The headers every answer carries, host to agency, session to host, and staff to their second factor."""

import secrets
from collections.abc import Callable
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from portal import access, languages
from portal.scope import current_scope

PLATFORM_URLS = "portal.platform_urls"
GetResponse = Callable[[HttpRequest], HttpResponse]


class HeadersMiddleware:
    """The outermost: what every answer carries, whoever gives it, also the ones below that answer early."""

    ALWAYS = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        # Pages have a wider one of their own; what is no page of ours may load and send nothing.
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.ALWAYS.items():
            response.setdefault(name, value)
        if not response.has_header("Cache-Control") and not response.streaming:
            response["Cache-Control"] = "no-store"
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            response["Strict-Transport-Security"] = self._https_only(request)
        return response

    @staticmethod
    def _https_only(request: HttpRequest) -> str:
        """An agency may serve from the top of its domain: what else it has below that is its own affair."""
        only_here = f"max-age={settings.SECURE_HSTS_SECONDS}"
        is_platform = getattr(request, "urlconf", None) == PLATFORM_URLS
        return f"{only_here}; includeSubDomains; preload" if is_platform else only_here


class HostMiddleware:
    """The first to read a request: decides by the host whose page this is, or answers 400 before anything else.

    But for two answers that say nothing of anybody: that the process lives, and that there is no database.

    Sets `request.agency` (None on the platform host), `request.reference` and the URL configuration.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        host = self._host_name(request)
        if request.path == "/readyz" and not self._has_database():
            return JsonResponse({"status": "database unavailable"}, status=503)
        request.agency = None
        request.reference = secrets.token_hex(4).upper()
        if host == settings.PLATFORM_HOST:
            request.urlconf = PLATFORM_URLS
        else:
            served = access.host_for(host)
            if served is None:
                return self._unknown(request)
            if not served.is_canonical and request.method in ("GET", "HEAD"):
                return HttpResponsePermanentRedirect(access.agency_url(served.agency, request.get_full_path()))
            request.agency = served.agency
        if request.path == "/readyz":
            return JsonResponse({"status": "ok"})
        with structlog.contextvars.bound_contextvars(request=request.reference, host=host):
            return self.get_response(request)

    @staticmethod
    def _host_name(request: HttpRequest) -> str:
        """The name without its port; nobody's, the empty one, if the port is not the one we answer on."""
        name, colon, port = request.META.get("HTTP_HOST", "").partition(":")
        right_ports = {"", "443"} if settings.IS_PRODUCTION else {"", str(settings.PORT)}
        if (colon and not port) or port not in right_ports:
            return ""
        return name

    @staticmethod
    def _unknown(request: HttpRequest) -> HttpResponse:
        language = languages.wanted(request.headers.get("Accept-Language", "")) or settings.LANGUAGE_CODE
        with translation.override(language):  # this is answered before the middleware that decides it
            text = _("There is nothing at this address.")
        return HttpResponse(f"{text}\n", status=400, content_type="text/plain; charset=utf-8")

    @staticmethod
    def _has_database() -> bool:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return False
        return True


class SessionScopeMiddleware:
    """A session lives on the host it was born on: on any other it is destroyed.

    The stamp covers more than signed-in people: pending codes and second factors name a person by primary key.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        agency = access.agency_of(request)
        scope = agency.pk.hex if agency else "platform"
        token, session = current_scope.set(scope), request.session
        try:
            if not session.is_empty() and session.get("scope") != scope:
                session.flush()
            response = self.get_response(request)
            if session.modified and not session.is_empty():
                session.setdefault("scope", scope)
            return response
        finally:
            current_scope.reset(token)


class SameOriginMiddleware:
    """A second lock beside the CSRF token, at every address: what changes something comes from a page of this host.

    Absent passes (old browsers); present it must be same-origin. What only reads passes: a page may be bookmarked, or
    linked in a mail.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        only_reads = request.method in ("GET", "HEAD", "OPTIONS")
        if not only_reads and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise PermissionDenied
        return self.get_response(request)


class SecondFactorMiddleware:
    """Without a second factor, operators and staff reach its set-up only; members too, if the agency wants it."""

    ALWAYS_OPEN = ("/account/2fa/", "/account/logout/", "/account/reauthenticate/", "/static/", "/brand/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(self.ALWAYS_OPEN) or not self._is_owed(request):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            text = _("Set up your second factor first.")
            return HttpResponse(f"{text}\n", status=403, content_type="text/plain; charset=utf-8")
        activate = reverse("mfa_activate_totp")
        response = HttpResponse(status=303)
        response["Location"] = f"{activate}?{urlencode({'next': request.path})}"
        return response

    @staticmethod
    def _is_owed(request: HttpRequest) -> bool:
        if request.view_as is not None:
            return False  # the operator proved theirs where the view was asked for
        # A request without a session cookie has no person: no statement is spent on finding that out.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return False
        agency = access.agency_of(request)
        wanted = request.user.must_have_mfa or (agency is not None and agency.members_need_mfa)
        return wanted and not request.user.has_second_factor
