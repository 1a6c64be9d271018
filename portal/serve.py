"""The web server: gunicorn with threads, because a launch waits for the vendor and the others must not."""

import os
import sys

import django
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError
from gunicorn.app.base import BaseApplication


class Server(BaseApplication):
    """gunicorn with our settings; the command line and its configuration files are not read."""

    def load_config(self) -> None:
        from django.conf import settings  # noqa: PLC0415 -- only after django.setup()

        options = {
            "bind": f"{settings.BIND}:{settings.PORT}",
            "worker_class": "gthread",
            # Without a shared cache every process would count limits for itself: then there is one.
            "workers": int(os.environ.get("WEB_WORKERS", "2" if settings.CACHE_URL else "1")),
            "threads": int(os.environ.get("WEB_THREADS", "16")),
            "graceful_timeout": 20,
            "timeout": 60,
            "keepalive": 5,
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> object:
        from portal.wsgi import application  # noqa: PLC0415 -- after django.setup()

        return application


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.conf import settings  # noqa: PLC0415 -- after django.setup()

    if settings.IS_PRODUCTION:
        try:
            call_command("check", deploy=True, fail_level="ERROR")
        except SystemCheckError as problem:
            sys.exit(str(problem))
        call_command("collectstatic", interactive=False, verbosity=0)
    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except OperationalError as problem:
        sys.exit(f"The database of DATABASE_URL cannot be reached: {problem}")
    except SystemExit:
        sys.exit("The database is not up to date. First: ./run manage migrate")
    Server().run()


if __name__ == "__main__":
    main()
