"""Receivers that keep sessions where they belong."""

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import people
from portal.access import User


@receiver(user_logged_in)
def stamp_session(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The *person's* scope, whatever the host: a login path that forgot to check is undone at the next request."""
    request.session["scope"] = user.scope


@receiver(authenticator_added)
@receiver(authenticator_removed)
def end_other_sessions(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A changed second factor ends every other session; the one that changed it goes on."""
    people.end_sessions(user)
    user.refresh_from_db(fields=["session_generation"])
    if request.user.is_authenticated and request.user.pk == user.pk:
        update_session_auth_hash(request, user)
