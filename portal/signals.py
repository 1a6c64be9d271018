"""Receivers that keep sessions where they belong, write down what people do with their sign-in, and keep Celery from
starting unfit."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import (
    email_added,
    email_changed,
    email_confirmed,
    email_removed,
    password_changed,
    password_reset,
    password_set,
)
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from celery.signals import beat_init, worker_init
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import checks, customers, identity, people
from accounts.identity import Deed
from portal import access
from portal.access import User

RECOVERY_CODES = Authenticator.Type.RECOVERY_CODES


@receiver(user_logged_in)
def stamp_session(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The *person's* scope, whatever the host: a login path that forgot to check is undone at the next request."""
    request.session["scope"] = user.scope


@receiver(email_confirmed)
def let_wishes_go_on(request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    """A code from a mail was entered, whatever for (sign-up, new password): the mailbox is proven."""
    customers.prove_mailbox(acting_user=email_address.user, email=email_address.email)


@receiver(user_logged_in)
def let_forgotten_wishes_go_on(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The net below: a process that ended between the proof and the wish is made good at the next sign-in."""
    if EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        customers.prove_mailbox(acting_user=user, email=user.email)


@receiver(user_logged_in)
def note_first_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The first step towards the first coupon, for the numbers of the agency."""
    customers.note_sign_in(user)


@receiver(authenticator_added)
@receiver(authenticator_removed)
@receiver(authenticator_reset)
def end_other_sessions(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A changed second factor ends every other session; the one that changed it goes on."""
    people.end_sessions(user)
    access.keep_session(request, user)


# -- what is written down ------------------------------------------------------------------------------------------


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    identity.note(Deed.SIGNED_IN, user)


@receiver(user_logged_out)
def note_sign_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        identity.note(Deed.SIGNED_OUT, user)


@receiver(user_login_failed)
def note_wrong_password(request: HttpRequest | None, **kwargs: Any) -> None:
    """Without what was typed: an address, or a password in its place."""
    if request is None:
        return
    person = getattr(request, "user", None)
    is_known = person is not None and person.is_authenticated  # proves it again
    identity.note_refused(access.agency_of(request), person if is_known else None)


@receiver(authentication_failed)
def note_wrong_code(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    identity.note(Deed.SECOND_STEP_FAILED, user, type=authenticator.type)


@receiver(password_changed)
@receiver(password_set)
def note_password(user: User, **kwargs: Any) -> None:
    identity.note(Deed.PASSWORD_CHANGED, user)


@receiver(password_reset)
def note_password_reset(user: User, **kwargs: Any) -> None:
    identity.note(Deed.PASSWORD_RESET, user)


@receiver(email_confirmed)
def note_proven_address(email_address: EmailAddress, **kwargs: Any) -> None:
    identity.note(Deed.ADDRESS_PROVEN, email_address.user, about=email_address)


@receiver(email_added)
def note_added_address(user: User, email_address: EmailAddress, **kwargs: Any) -> None:
    identity.note(Deed.ADDRESS_ADDED, user, about=email_address)


@receiver(email_changed)
def note_changed_address(user: User, to_email_address: EmailAddress, **kwargs: Any) -> None:
    identity.note(Deed.ADDRESS_CHANGED, user, about=to_email_address)


@receiver(email_removed)
def note_removed_address(user: User, **kwargs: Any) -> None:
    identity.note(Deed.ADDRESS_REMOVED, user)


@receiver(authenticator_added)
@receiver(authenticator_reset)
def note_added_factor(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    is_codes = authenticator.type == RECOVERY_CODES
    deed = Deed.RECOVERY_CODES_MADE if is_codes else Deed.SECOND_STEP_ADDED
    identity.note(deed, user, about=authenticator, type=authenticator.type)


@receiver(authenticator_removed)
def note_removed_factor(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    identity.note(Deed.SECOND_STEP_REMOVED, user, type=authenticator.type)


@receiver(authenticator_used)
def note_used_code(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == RECOVERY_CODES:
        identity.note(Deed.RECOVERY_CODE_USED, user, about=authenticator)


@receiver(post_save, sender=Authenticator)
def note_changed_factor(
    sender: type[Model], instance: Authenticator, created: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    """The two changes that allauth has no signal for: a passkey gets another name, recovery codes are shown."""
    if created:
        return
    if instance.type == Authenticator.Type.WEBAUTHN and update_fields is None:
        identity.note(Deed.SECOND_STEP_RENAMED, instance.user, about=instance, type=instance.type)
    elif instance.type == RECOVERY_CODES and update_fields == {"data"}:
        identity.note(Deed.RECOVERY_CODES_SEEN, instance.user, about=instance)


@worker_init.connect
@beat_init.connect
def refuse_to_start_unfit(**kwargs: Any) -> None:
    """Django's own commands run their checks by themselves."""
    checks.refuse_to_start_unfit()
