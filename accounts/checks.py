"""Deployment checks of our own: what Django's do not know about this portal."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def middleware_guards_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS and settings.MIDDLEWARE[0] != "portal.middleware.HostMiddleware":
        return [Error("ALLOWED_HOSTS accepts every host, so HostMiddleware must come first.", id="portal.E001")]
    return []


@register(Tags.security, deploy=True)
def cache_is_shared(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "locmem" in settings.CACHES["default"]["BACKEND"]:
        return [
            Error(
                "CACHE_URL is not set: with more than one process every rate limit is that many times weaker.",
                id="portal.E002",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def mails_leave(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return [Error("EMAIL_URL does not send: codes would never arrive.", id="portal.E003")]
    return []


@register(Tags.security, deploy=True)
def panel_hosts_are_real(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if any(host.startswith(("127.", "localhost")) for host in settings.COUPONTOOLS_PANEL_HOSTS):
        return [Error("COUPONTOOLS_PANEL_HOSTS names a loopback host.", id="portal.E004")]
    return []


@register(Tags.security, deploy=True)
def several_processes_need_a_server(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_SQLITE:
        return [Error("DATABASE_URL is SQLite, which serves one machine only: use PostgreSQL.", id="portal.E005")]
    return []
