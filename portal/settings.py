"""All settings, from the environment or `.env`. Every one is listed with its default in `.env.example`."""

import sys
from pathlib import Path

import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from portal.logs import without_tokens

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
# `.env` of the working copy; the environment wins over it. PORTAL_ENV_FILE names another one (tests name none).
env_file = env.path("PORTAL_ENV_FILE", default=str(BASE_DIR / ".env"))
if Path(env_file).is_file():
    env.read_env(str(env_file))

# --- What kind of installation -------------------------------------------------------------------------------
DEPLOYMENT = env.str("DEPLOYMENT", default="local")
if DEPLOYMENT not in ("local", "production"):
    raise ImproperlyConfigured(f"DEPLOYMENT is {DEPLOYMENT!r}; it must be local or production.")
IS_PRODUCTION = DEPLOYMENT == "production"
DEBUG = env.bool("DEBUG", default=False)


_missing: list[str] = []


def _needed(name: str, local: str) -> str:
    """A setting that production must be given, and that a local installation has a default for."""
    value = env.str(name, default="")
    if IS_PRODUCTION and not value:
        _missing.append(name)
    return value or local


# Only a local installation on loopback ever runs with these two.
LOCAL_SECRET_KEY = "local-installations-only-" + "never-for-production-0123456789"
LOCAL_SEALING_KEY = "bG9jYWwtaW5zdGFsbGF0aW9ucy1vbmx5LTAwMDAwMDA="
SECRET_KEY = _needed("SECRET_KEY", LOCAL_SECRET_KEY)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
SEALING_KEYS = [key for key in _needed("SEALING_KEYS", LOCAL_SEALING_KEY).split(",") if key]

# --- Hosts ---------------------------------------------------------------------------------------------------
PLATFORM_HOST = _needed("PLATFORM_HOST", "platform.localhost").lower()
BIND = env.str("BIND", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
TRUSTED_PROXY_COUNT = int(_needed("TRUSTED_PROXY_COUNT", "0"))
# HostMiddleware checks every request against the hosts of the agencies and answers 400 to any other.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "portal.urls"

# --- Applications --------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",
    "portal.apps.PortalConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_countries",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    # Every answer carries the headers, also what HostMiddleware answers by itself.
    "portal.middleware.HeadersMiddleware",
    "portal.middleware.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.SessionScopeMiddleware",
    "portal.pending.PendingMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.languages.LanguageMiddleware",
    "portal.viewing.ViewAsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.middleware.SameOriginMiddleware",
    "portal.visitors.VisitorLimitMiddleware",
    "portal.middleware.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ],
        },
    },
]

# --- Data ----------------------------------------------------------------------------------------------------
DATABASE_URL = _needed("DATABASE_URL", f"sqlite:///{VAR_DIR / 'portal.sqlite3'}")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
IS_SQLITE = "sqlite" in DATABASES["default"]["ENGINE"]
if IS_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: "committed before the socket opens" must be true after a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # A file, not memory: tests look at it from several threads and processes.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    # Asked before the pool hands it out: after a restart of the server nobody gets a connection that is dead.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    _options = DATABASES["default"].setdefault("OPTIONS", {})
    # Whatever the server's default; what the URL says about it comes later and wins (accounts.checks refuses off).
    _options["options"] = f"-c synchronous_commit=on {_options.get('options', '')}".strip()
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=20),
        "timeout": 3,  # there are more of them than threads: who waits, waits for a server that is away
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.str("CACHE_URL", default="")
CACHES = {
    # allauth's rate limits and ours; the key function keeps one agency's counts from another's.
    "default": env.cache_url_config(CACHE_URL)
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}},
}
CACHES["default"]["KEY_FUNCTION"] = "portal.scope.cache_key"

# --- Processes -----------------------------------------------------------------------------------------------
# Without a shared cache every process would count limits for itself: then there is one.
WEB_WORKERS = env.int("WEB_WORKERS", default=2 if CACHE_URL else 1)
WEB_THREADS = env.int("WEB_THREADS", default=16)
# The worker, and its broker if there is one.
BROKER_URL = env.str("BROKER_URL", default="")
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=0.5)
WORKER_THREADS = CELERY_WORKER_CONCURRENCY = env.int("WORKER_THREADS", default=4)
CELERY_BROKER_URL = BROKER_URL or "memory://"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000  # whatever leaks, leaks no further
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that is away for an hour is waited for
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "accounts.tasks.sweep", "schedule": 15.0},
    "retention": {"task": "accounts.retention.forget", "schedule": 60.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_TASK_DEFAULT_QUEUE, BULK_QUEUE, PROBE_QUEUE = "interactive", "bulk", "probes"
_queue_type = {"x-queue-type": "quorum"} if BROKER_URL.startswith("amqp") else {}
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name, queue_arguments=_queue_type)
    for name in (CELERY_TASK_DEFAULT_QUEUE, BULK_QUEUE, PROBE_QUEUE)
]
if BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
elif BROKER_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 5,
    }

# --- The vendor ----------------------------------------------------------------------------------------------
COUPONTOOLS_API_URL = env.str("COUPONTOOLS_API_URL", default="https://api.coupontools.com").rstrip("/")
COUPONTOOLS_PANEL_HOSTS: list[str] = env.list("COUPONTOOLS_PANEL_HOSTS", default=["www.controlpanel.center"])
VENDOR_DEADLINE_SECONDS = env.float("VENDOR_DEADLINE_SECONDS", default=15)
VENDOR_LIST_DEADLINE_SECONDS = env.float("VENDOR_LIST_DEADLINE_SECONDS", default=min(60, 4 * VENDOR_DEADLINE_SECONDS))
LAUNCH_DEADLINE_SECONDS = env.float("LAUNCH_DEADLINE_SECONDS", default=5)
BREAKER_PROBE_SECONDS = env.float("BREAKER_PROBE_SECONDS", default=60)
PROVISIONING_LEASE_SECONDS = env.float("PROVISIONING_LEASE_SECONDS", default=120)
# A task that hangs ends before its lease does: whoever claims the row then has it alone.
CELERY_TASK_SOFT_TIME_LIMIT = 0.90 * PROVISIONING_LEASE_SECONDS
CELERY_TASK_TIME_LIMIT = 0.95 * PROVISIONING_LEASE_SECONDS
PROVISIONING_QUARANTINE_SECONDS = env.float("PROVISIONING_QUARANTINE_SECONDS", default=120)
PROVISIONING_LOOK_GAP_SECONDS = env.float("PROVISIONING_LOOK_GAP_SECONDS", default=60)
PROVISIONING_BACKOFF_MIN_SECONDS = env.float("PROVISIONING_BACKOFF_MIN_SECONDS", default=5)
PROVISIONING_BACKOFF_MAX_SECONDS = env.float("PROVISIONING_BACKOFF_MAX_SECONDS", default=3600)
PROVISIONING_ATTEMPTS = env.int("PROVISIONING_ATTEMPTS", default=8)
PROVISIONING_DAILY_CREATES = env.int("PROVISIONING_DAILY_CREATES", default=200)
PROVISIONING_DRAIN_PER_MINUTE = env.int("PROVISIONING_DRAIN_PER_MINUTE", default=30)
REFRESH_SECONDS = env.float("REFRESH_SECONDS", default=3600)
RECONCILE_SECONDS = env.float("RECONCILE_SECONDS", default=3600)

# --- Mail ----------------------------------------------------------------------------------------------------
EMAIL_URL = _needed("EMAIL_URL", "filemail://")
if EMAIL_URL == "filemail://":
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", default=str(VAR_DIR / "mail"))
else:
    _email = env.email_url_config(EMAIL_URL)
    EMAIL_BACKEND = _email["EMAIL_BACKEND"].replace("django.core.mail.backends.smtp.", "portal.smtp.")
    EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST", ""), _email.get("EMAIL_PORT", 25)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_USER", ""), _email.get("EMAIL_HOST_PASSWORD", "")
    EMAIL_USE_TLS, EMAIL_USE_SSL = _email.get("EMAIL_USE_TLS", False), _email.get("EMAIL_USE_SSL", False)
# Of each reading from a mail server; and of a mail in whole, however slowly the server drips its replies: the rest of
# the lease, and of a task's time, is for what is read before it and noted after it.
EMAIL_TIMEOUT = PROVISIONING_LEASE_SECONDS / 15
EMAIL_DEADLINE_SECONDS = 0.75 * PROVISIONING_LEASE_SECONDS
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"no-reply@{PLATFORM_HOST}")
MAIL_RENDERER = "portal.mails.render"

# --- People --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["portal.adapter.SignInBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "portal.passwords.LongEnough", "OPTIONS": {"characters": 12}},
    {"NAME": "portal.passwords.NotTheAddress"},
    # Django ships the list of 20,000 common passwords.
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
SILENCED_SYSTEM_CHECKS = ["account.W001"]  # docs/decisions/0003-identity.md: addresses are unique per agency
ACCOUNT_ADAPTER = "portal.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "portal.forms.people.LoginForm",
    "signup": "portal.forms.people.SignupForm",
    "reset_password": "portal.forms.people.ResetPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = None  # the sign-in page asks
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGIN_TIMEOUT = 16 * 60  # outlasts a code (15 minutes): else one that nobody gets is waited for longer
MFA_ADAPTER = "portal.adapter.MFAAdapter"
USERSESSIONS_ADAPTER = "portal.adapter.SessionsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # a code typed as the clock ticks is still good
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT


def ACCOUNT_USER_DISPLAY(user: object) -> str:  # noqa: N802 -- allauth's name; the username is never shown
    return str(user.email)


# --- Web -----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each in its own words: somebody who cannot read the page must find theirs.
LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "Français"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Amsterdam")
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
LINK_SCHEME = "https" if IS_PRODUCTION else "http"
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 63_072_000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not no-referrer: browsers would send "Origin: null" with forms, which the CSRF check must refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "__Host-session" if IS_PRODUCTION else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "portal.message_storage.MessageStorage"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_PRODUCTION else "csrf"
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    },
}

# --- Limits (ours; allauth's, by person and address, come on top). number/seconds -----------------------------
LIMIT_LAUNCH_PERSON = env.str("LIMIT_LAUNCH_PERSON", default="10/60")
LIMIT_LAUNCH_CUSTOMER = env.str("LIMIT_LAUNCH_CUSTOMER", default="60/60")
LIMIT_PASSWORD_LINK = env.str("LIMIT_PASSWORD_LINK", default="5/3600")
LIMIT_VISITOR = env.str("LIMIT_VISITOR", default="60/60")
LIMIT_SIGN_UP = env.str("LIMIT_SIGN_UP", default="20/3600")
LIMIT_VENDOR_CHECK = env.str("LIMIT_VENDOR_CHECK", default="10/60")
LIMIT_INVITATION = env.str("LIMIT_INVITATION", default="20/3600")
LIMIT_INVITE = env.str("LIMIT_INVITE", default="50/3600")

# --- How long rows are kept, in days (accounts/retention.py, docs/personal-data.md) ----------------------------
RETENTION_UNVERIFIED_DAYS = env.int("RETENTION_UNVERIFIED_DAYS", default=7)
RETENTION_INVITATIONS_DAYS = env.int("RETENTION_INVITATIONS_DAYS", default=30)
RETENTION_JOBS_DAYS = env.int("RETENTION_JOBS_DAYS", default=30)
RETENTION_VENDOR_CALLS_DAYS = env.int("RETENTION_VENDOR_CALLS_DAYS", default=30)
RETENTION_FINDINGS_DAYS = env.int("RETENTION_FINDINGS_DAYS", default=90)
RETENTION_VIEWS_AS_DAYS = env.int("RETENTION_VIEWS_AS_DAYS", default=90)
RETENTION_REASONS_DAYS = env.int("RETENTION_REASONS_DAYS", default=365)
RETENTION_WORKERS_DAYS = env.int("RETENTION_WORKERS_DAYS", default=1)

# --- Logs: standard output only ------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer()
                if IS_PRODUCTION
                else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), pad_event_to=0),
                without_tokens,
            ],
        },
    },
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": sys.stdout, "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        # urllib3 and requests write whole URLs at DEBUG; a sign-on URL is a secret.
        "urllib3": {"level": "WARNING"},
        "requests": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}

if _missing:
    raise ImproperlyConfigured(f"Not set: {', '.join(_missing)}. DEPLOYMENT=production needs it; see .env.example.")
