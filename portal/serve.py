"""The web server: gunicorn with threads. Launches wait for the vendor in some, never in all (accounts/clicks.py)."""

import fcntl
import os
import sys
from pathlib import Path

import django
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import OperationalError
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger


class Lines(Logger):
    """What gunicorn has to say goes where everything else goes, through the formatter that leaves out tokens."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):
    """gunicorn with our settings; the command line and its configuration files are not read."""

    def load_config(self) -> None:
        from django.conf import settings  # noqa: PLC0415 -- only after django.setup()

        options = {
            "bind": f"{settings.BIND}:{settings.PORT}",
            "worker_class": "gthread",
            "workers": settings.WEB_WORKERS,
            "threads": settings.WEB_THREADS,
            "graceful_timeout": 20,
            "timeout": 60,
            "keepalive": 5,
            "control_socket_disable": True,
            "loglevel": "warning",
            "logger_class": Lines,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> object:
        return WSGIHandler()  # the checks are done


def collect_static(folder: Path) -> None:
    """One server at a time: two that start together on the same files would delete each other's half-made ones."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        call_command("collectstatic", interactive=False, verbosity=0)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.conf import settings  # noqa: PLC0415 -- after django.setup()

    from accounts.checks import refuse_to_start_unfit  # noqa: PLC0415 -- after django.setup()
    from accounts.forks import let_go_of_databases  # noqa: PLC0415 -- after django.setup()

    refuse_to_start_unfit()
    if settings.IS_PRODUCTION:
        collect_static(settings.STATIC_ROOT)
    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except OperationalError as problem:
        sys.exit(f"The database of DATABASE_URL cannot be reached: {problem}")
    except SystemExit:
        sys.exit("The database is not up to date. First: ./run manage migrate")
    let_go_of_databases()
    Server().run()


if __name__ == "__main__":
    main()
