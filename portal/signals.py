"""Receivers that keep sessions where they belong, and Celery from starting unfit."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from allauth.mfa.signals import authenticator_added, authenticator_removed
from celery.signals import beat_init, worker_init
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import checks, customers, people
from portal.access import User


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
def end_other_sessions(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A changed second factor ends every other session; the one that changed it goes on."""
    people.end_sessions(user)
    user.refresh_from_db(fields=["session_generation"])
    if request.user.is_authenticated and request.user.pk == user.pk:
        update_session_auth_hash(request, user)


@worker_init.connect
@beat_init.connect
def refuse_to_start_unfit(**kwargs: Any) -> None:
    """Django's own commands run their checks by themselves."""
    checks.refuse_to_start_unfit()
