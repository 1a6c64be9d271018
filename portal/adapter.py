"""Where allauth asks the project: people belong to one agency, mails go through the job table."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import identity, tasks
from accounts.crypto import seal, unseal
from accounts.mails import put_mail
from portal import access
from portal.access import User
from portal.scope import current_scope

JUST_CAME = timedelta(minutes=10)
NEW_ADDRESS_MAIL = "account/email/email_confirmation"


class AccountAdapter(DefaultAccountAdapter):
    """See docs/decisions/0003-identity.md for why each of these is here."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _(
            "The e-mail address and password do not go together. If you have just signed up and did not type the code "
            "from our mail, choose “Forgot it?”: the code in that mail confirms your address, too."
        ),
        "incorrect_code": _("This code is not the right one. Please look again, or ask for a new one."),
        "too_many_login_attempts": _("Too many tries. Please wait a few minutes, or choose a new password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return access.agency_of(request) is not None

    def new_user(self, request: HttpRequest) -> User:
        user: User = super().new_user(request)
        user.agency = access.agency_of(request)
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """A passkey names its person itself: one of another agency is refused like an unknown key."""
        if user.scope != current_scope.get():
            request.session.flush()
            self.add_message(request, messages.ERROR, message=str(self.error_messages["incorrect_code"]))
            return redirect("account_login")
        return super().pre_login(request, user, **kwargs)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Marks the address as verified; its signal lets the wishes that waited for it go on: both or neither."""
        try:
            with transaction.atomic():
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            self.add_message(
                request,
                messages.ERROR,
                "account/messages/email_confirmation_failed.txt",
                {"email": email_address.email},
            )
            return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not for staff who set up the second factor that they owe, right after they signed in or were invited."""
        user = self.request.user
        just_came = user.last_login and timezone.now() - user.last_login < JUST_CAME
        if app == "allauth.mfa" and just_came and user.must_have_mfa:
            return Authenticator.objects.filter(user=user, created_at__lt=user.last_login).exists()
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the outermost of our proxies saw; IPv4 in the dress of IPv6 counts as IPv4.

        Raises PermissionDenied for one that makes no sense: nobody is counted as "unknown".
        """
        try:
            address = ipaddress.ip_address(super().get_client_ip(request).strip())
        except (ValueError, ImproperlyConfigured):
            raise PermissionDenied("No client address.") from None
        return str(getattr(address, "ipv4_mapped", None) or address)

    def is_safe_url(self, url: str) -> bool:
        return url_has_allowed_host_and_scheme(url, {self.request.get_host()}, require_https=self.request.is_secure())

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Writes a mail job: every flow takes the same time, and nothing is lost if the mail server is away."""
        agency = access.agency_of(self.request)
        facts = {
            name: urlsplit(value).path if name.endswith("_url") else _stored(value)
            for name, value in context.items()
            if name in MAIL_FACTS
        }
        if template_prefix == NEW_ADDRESS_MAIL and self.request.user.is_authenticated:
            # Until the code is typed, nothing else says whose address it is to be.
            facts["asked_by"] = str(self.request.user.pk)
        with transaction.atomic():
            job = put_mail(
                f"{template_prefix}",
                agency=agency,
                to=email,
                secret=str(context.get("code", "")),
                language=get_language(),
                **facts,
            )
            identity.note_mail(job, self.request.user)
        tasks.wake()


def _stored(value: Any) -> str:
    """A fact for a mail job; a moment so that the mail can write it in its reader's language."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


# What allauth's mail templates use besides the code; links are kept as paths and get the canonical host.
MAIL_FACTS = frozenset(
    {"signup_url", "password_reset_url", "timestamp", "ip", "user_agent", "from_email", "to_email", "deleted_email"}
)


class SignInBackend(AuthenticationBackend):
    """allauth's, but a session's person comes with what every page needs of them, in one statement.

    Whose address is not proven yet is refused like a wrong password: somebody who signs up with an address, and then
    signs in from elsewhere, must not learn whether it was known here before.
    """

    def _authenticate_by_username(self, username: str, password: str) -> User | None:
        person = access.person_who_signs_in(username)
        is_right = self._check_password(person, password) is not None
        return person if is_right and person.is_proven else None

    def get_user(self, user_id: object) -> User | None:
        person = access.person_of_session(user_id)
        return person if person is not None and self.user_can_authenticate(person) else None


class MFAAdapter(DefaultMFAAdapter):
    """Seals TOTP and recovery seeds; allauth keeps them in clear by itself."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Writes down that somebody ended a session of theirs."""

    def end_sessions(self, sessions: list[UserSession]) -> None:
        super().end_sessions(sessions)
        for session in sessions:
            identity.note(identity.Deed.SESSION_ENDED, session.user)
