"""Sign-ins and resets that are half-way: what ends a person's sessions ends these, too."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from portal import access

GetResponse = Callable[[HttpRequest], HttpResponse]
# Where allauth keeps whom it waits for: a second factor, a code after sign-up, a code for a new password.
WAITING = ("account_login", "account_password_reset_verification", "account_email_verification_code")
STAMP = "waits_for"
NOBODY = UUID(int=0)


class PendingMiddleware:
    """Stamps what waits with each person's password, generation and address; with another stamp all of it is over.

    Somebody who is not known here is looked up all the same, by us and by allauth: the same statements for everybody.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        if STAMP in session and _waits(session):
            stamp = _stamp(session)
            if not constant_time_compare(stamp, session[STAMP]):
                session.flush()
        response = self.get_response(request)
        if session.modified and _waits(session):
            _name_nobody(session)
            session[STAMP] = _stamp(session)
        return response


def _name_nobody(session: SessionBase) -> None:
    """Where allauth waits for nobody it would look nobody up, on every page that asks who is about to sign in."""
    login = session.get("account_login")
    if isinstance(login, dict) and not login.get("user_pk"):
        login["user_pk"] = NOBODY.hex


def read_nobody() -> None:
    """The read of a person that allauth spares itself where it waits for nobody."""
    access.person_who_is_waited_for(NOBODY)


def _waits(session: SessionBase) -> bool:
    return any(key in session for key in WAITING)


def _stamp(session: SessionBase) -> str:
    """A word for each that waits: one of them may be somebody else's."""
    return " ".join(_word(session[key]) for key in WAITING if key in session)


def _word(state: Any) -> str:
    named = (state.get("user_pk") or state.get("user_id")) if isinstance(state, dict) else None
    who = UUID(named) if named else NOBODY
    person = access.person_who_is_waited_for(who)
    # A code that is on its way to an address is good for as long as that is theirs.
    now = f"{person.get_session_auth_hash()} {person.email}" if person else ""
    return f"{who.hex}:{salted_hmac(STAMP, now).hexdigest()}"
