"""What another server than `./run serve` serves, gunicorn by itself for example: fit, or not at all."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

from accounts.checks import check_fitness  # noqa: E402 -- when the apps are there

check_fitness()  # an error, for a server starts a process anew that ends by itself
