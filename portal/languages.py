"""Which language a page is in: what the person chose, else the agency's; for people we do not know, the browser's."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from portal import access

GetResponse = Callable[[HttpRequest], HttpResponse]
CODES = frozenset(code for code, _name in settings.LANGUAGES)
WITHOUT_WORDS = ("/static/", "/brand/")


def wanted(accept_language: str) -> str:
    """The first of our languages that a browser asks for: nl-BE counts as nl. Empty if it asks for none of them."""
    for tag, _weight in parse_accept_lang_header(accept_language.lower()[:500]):
        code = tag.partition("-")[0]
        if code in CODES:
            return code
    return ""


class LanguageMiddleware:
    """Speaks one language for one request. Neither the address nor the session says which."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(WITHOUT_WORDS):
            return self.get_response(request)
        # A request without a session cookie has no person: no statement is spent on finding that out.
        is_known = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        own = request.user.language if is_known else wanted(request.headers.get("Accept-Language", ""))
        agency = access.agency_of(request)
        language = own or (agency.language if agency else settings.LANGUAGE_CODE)
        with translation.override(language if language in CODES else settings.LANGUAGE_CODE):
            response = self.get_response(request)
            response.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response
