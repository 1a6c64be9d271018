"""What this portal must not start with. `./run serve`, `./run work`, Celery and Django's commands refuse, naming it.

`portal/settings.py` names what production lacks; here is what was given and must not be. The checks that ask
the database (`Tags.database`) run where a process starts to serve or to work.
"""

import base64
import ipaddress
import re
import sys
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import DatabaseError, connection

from accounts.forks import let_go_of_databases
from accounts.models import Host

HEADERS_AND_HOSTS = ["portal.middleware.HeadersMiddleware", "portal.middleware.HostMiddleware"]
SHARED_CACHES = ("RedisCache", "PyMemcacheCache", "PyLibMCCache")
LOOPBACK_NAMES = ("localhost", "::1")
SHORTEST_SECRET_KEY = 50
FEWEST_BYTES_OF_A_KEY = 8  # different ones, of 32: random ones have about 30
POSITIVE = re.compile(
    r"RETENTION_\w+_DAYS|VENDOR_\w+_SECONDS|(LAUNCH_DEADLINE|SWEEP|BREAKER_PROBE)_SECONDS|(WEB|WORKER)_\w+S"
)
BROKERS = ("amqp://", "amqps://", "redis://", "rediss://")
NEEDED_OF_THE_SERVER = ("synchronous_commit", "fsync", "full_page_writes")


def refuse_to_start_unfit() -> None:
    """Ends the process, naming what is wrong, where one of all checks finds an error. Asks the database, too."""
    try:
        check_fitness()
    except SystemCheckError as problem:
        sys.exit(str(problem))


def check_fitness() -> None:
    """Raises SystemCheckError, naming what is wrong, where one of all checks finds an error. Asks the database, too."""
    try:
        BaseCommand().check(databases=["default"])
    finally:
        let_go_of_databases()


def is_loopback(host: str) -> bool:
    """Whether a `host` or `host:port` means this machine."""
    name = host.strip("[]") if host.strip("[]") in LOOPBACK_NAMES else host.partition(":")[0]
    is_one_of_127 = is_address(name) and ipaddress.ip_address(name.strip("[]")).is_loopback
    return name in LOOPBACK_NAMES or is_one_of_127 or name.endswith(".localhost")


def is_address(host: str) -> bool:
    """Whether a host is a bare IP address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


# -- any installation --------------------------------------------------------------------------------------------


@register(Tags.security)
def middleware_guards_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS and settings.MIDDLEWARE[:2] != HEADERS_AND_HOSTS:
        text = "ALLOWED_HOSTS accepts every host, so HostMiddleware must come before all but HeadersMiddleware."
        return [Error(text, id="portal.E001")]
    return []


@register(Tags.security)
def cache_is_shared(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if str(settings.CACHES["default"]["BACKEND"]).endswith(SHARED_CACHES):
        return []
    if settings.IS_PRODUCTION or settings.WEB_WORKERS > 1:
        text = "CACHE_URL names no cache that processes share (Redis): every rate limit would be that much weaker."
        return [Error(text, id="portal.E002")]
    return []


@register(Tags.security)
def limits_are_rates(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(f"{name} is {getattr(settings, name)!r}; it must be tries/seconds, as in 10/60.", id="portal.E006")
        for name in dir(settings)
        if name.startswith("LIMIT_") and not re.fullmatch(r"[1-9]\d*/[1-9]\d*", getattr(settings, name))
    ]


@register(Tags.security)
def numbers_are_more_than_nothing(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Kept for 0 days, rows are deleted at once. Without time or threads nothing is ever done. A single hand of the
    worker's would be with the one vendor account that hangs, and everybody else would wait.
    """
    names = [name for name in dir(settings) if POSITIVE.fullmatch(name)]
    if settings.IS_PRODUCTION:
        names.append("PROVISIONING_QUARANTINE_SECONDS")  # without one an effect that comes late is made twice
    return [
        Error(f"{name} is {getattr(settings, name)!r}; it must be more than {bound}.", id="portal.E019")
        for name in names
        if not getattr(settings, name) > (bound := int(name == "WORKER_THREADS"))
    ]


@register(Tags.security)
def lease_covers_a_step(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    needed = settings.VENDOR_LIST_DEADLINE_SECONDS + 2 * settings.VENDOR_DEADLINE_SECONDS  # look, create, read
    if needed < settings.PROVISIONING_LEASE_SECONDS:
        return []
    text = (
        f"PROVISIONING_LEASE_SECONDS ({settings.PROVISIONING_LEASE_SECONDS:g}) must exceed the deadlines that one step "
        f"may take ({needed:g}): a shorter lease lets two workers create the same subaccount."
    )
    return [Error(text, id="portal.E007")]


@register(Tags.security)
def vendor_is_asked_over_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    scheme, _, rest = settings.COUPONTOOLS_API_URL.partition("://")
    host = rest.partition("/")[0]
    is_sandbox = scheme == "http" and not settings.IS_PRODUCTION and is_loopback(host)
    if (scheme == "https" and host) or is_sandbox:
        return []
    text = "COUPONTOOLS_API_URL must be https, with a host (http is for a local sandbox on loopback)."
    return [Error(text, id="portal.E008")]


@register(Tags.security)
def a_local_installation_stays_at_home(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_PRODUCTION or is_loopback(settings.BIND):
        return []
    text = f"BIND is {settings.BIND}: DEPLOYMENT=local has no https and well-known keys, it listens on 127.0.0.1 only."
    return [Error(text, id="portal.E009")]


# -- production --------------------------------------------------------------------------------------------------


@register(Tags.security)
def mails_leave(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_PRODUCTION and not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return [Error("EMAIL_URL does not send: codes would never arrive.", id="portal.E003")]
    if settings.IS_PRODUCTION and not settings.EMAIL_HOST:
        return [Error("EMAIL_URL names no mail server: codes would never arrive.", id="portal.E003")]
    return []


@register(Tags.security)
def mails_leave_encrypted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.IS_PRODUCTION or not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return []
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or is_loopback(settings.EMAIL_HOST):
        return []
    text = (
        "EMAIL_URL sends codes and links in clear: use smtp+tls:// or smtp+ssl:// (smtp:// is for a relay on loopback)."
    )
    return [Error(text, id="portal.E018")]


@register(Tags.security)
def panel_hosts_are_real(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    hosts = settings.COUPONTOOLS_PANEL_HOSTS
    if not settings.IS_PRODUCTION or (hosts and all(_is_public(host.partition(":")[0]) for host in hosts)):
        return []
    text = f"COUPONTOOLS_PANEL_HOSTS is {','.join(hosts)!r}; it must name the public hosts that a launch may lead to."
    return [Error(text, id="portal.E004")]


@register(Tags.security)
def the_broker_is_a_server(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.IS_PRODUCTION or not settings.BROKER_URL or settings.BROKER_URL.startswith(BROKERS):
        return []
    text = f"BROKER_URL must begin with one of {', '.join(BROKERS)}: the portal is made for RabbitMQ and Redis."
    return [Error(text, id="portal.E020")]


@register(Tags.security)
def several_processes_need_a_server(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_PRODUCTION and settings.IS_SQLITE:
        return [Error("DATABASE_URL is SQLite, which serves one machine only: use PostgreSQL.", id="portal.E005")]
    return []


@register(Tags.security)
def faults_are_not_shown(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_PRODUCTION and settings.DEBUG:
        return [Error("DEBUG is on: every fault would show settings and rows to whoever meets it.", id="portal.E010")]
    return []


@register(Tags.security)
def secret_keys_are_secret(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    weak = any(len(key) < SHORTEST_SECRET_KEY or len(set(key)) < 5 for key in keys)
    known = settings.LOCAL_SECRET_KEY in keys or any(key.startswith("django-insecure-") for key in keys)
    if settings.IS_PRODUCTION and (weak or known):
        text = "SECRET_KEY (or one of SECRET_KEY_FALLBACKS) is short or well known: use 50 random characters or more."
        return [Error(text, id="portal.E011")]
    return []


@register(Tags.security)
def sealing_keys_are_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    keys, others = settings.SEALING_KEYS, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    advice = "./run manage make_sealing_key prints one."
    if not keys:
        return [Error(f"SEALING_KEYS holds no key. {advice}", id="portal.E012")]
    if settings.IS_PRODUCTION and settings.LOCAL_SEALING_KEY in keys:
        return [Error(f"SEALING_KEYS holds the well-known key of local installations. {advice}", id="portal.E012")]
    if settings.IS_PRODUCTION and set(keys) & set(others):
        return [Error(f"SEALING_KEYS must hold keys of their own, not SECRET_KEY. {advice}", id="portal.E012")]
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        return [Error(f"SEALING_KEYS holds something that is no Fernet key. {advice}", id="portal.E012")]
    if any(len(set(base64.urlsafe_b64decode(key))) < FEWEST_BYTES_OF_A_KEY for key in keys):
        return [Error(f"SEALING_KEYS holds a key that is easily guessed. {advice}", id="portal.E012")]
    return []


@register(Tags.security)
def a_proxy_does_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_PRODUCTION and settings.TRUSTED_PROXY_COUNT < 1:
        text = (
            "TRUSTED_PROXY_COUNT must say how many proxies stand before us, at least the one that does https: "
            "limits would count it as everybody's address, and every request would look like plain http."
        )
        return [Error(text, id="portal.E013")]
    return []


@register(Tags.security)
def the_platform_has_a_name(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    host = settings.PLATFORM_HOST
    if not settings.IS_PRODUCTION or _is_public(host):
        return []
    text = f"PLATFORM_HOST is {host!r}; it must be a public host name without scheme and port."
    return [Error(text, id="portal.E014")]


def _is_public(host: str) -> bool:
    return _is_name(host) and not is_loopback(host) and not is_address(host)


def _is_name(host: str) -> bool:
    try:
        Host._meta.get_field("name").run_validators(host)
    except ValidationError:
        return False
    return "." in host


# -- asked of the database ---------------------------------------------------------------------------------------


@register(Tags.database)
def the_database_is_fit(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not databases or not settings.IS_PRODUCTION or settings.IS_SQLITE:
        return []
    try:
        return [*_forgets(), *_platform_is_an_agencys()]
    except DatabaseError as problem:
        return [Error(f"The database of DATABASE_URL cannot be reached: {problem}", id="portal.E016")]


def _forgets() -> list[CheckMessage]:
    """Asked through our own connection: a role, a pool in between or the URL may have changed it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'", [list(NEEDED_OF_THE_SERVER)]
        )
        off = sorted(name for (name,) in cursor.fetchall())
    if not off:
        return []
    text = (
        f"The database server runs with {', '.join(f'{name}=off' for name in off)}: "
        "what was committed before a call to the vendor could be gone after a power cut, and be done twice."
    )
    return [Error(text, id="portal.E017")]


def _platform_is_an_agencys() -> list[CheckMessage]:
    if Host._meta.db_table not in connection.introspection.table_names():  # before the first migration
        return []
    if not Host.objects.filter(name=settings.PLATFORM_HOST).exists():
        return []
    text = f"PLATFORM_HOST is {settings.PLATFORM_HOST}, which is an agency's host: its customers would be locked out."
    return [Error(text, id="portal.E015")]
