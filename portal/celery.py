"""Celery is the clock and the wake-up; the queue is the database (ARCHITECTURE.md, "From wish to subaccount")."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["accounts"])
app.autodiscover_tasks(["accounts"], related_name="retention")
