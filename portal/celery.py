"""Celery is the clock and the wake-up; the queue is the database (ARCHITECTURE.md, "From wish to subaccount")."""

import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["accounts"])
app.autodiscover_tasks(["accounts"], related_name="retention")


@task_prerun.connect
def _say_for_which_task(task_id: str, **_: Any) -> None:
    """What a task writes down names it, unless it does so for a claim that it makes."""
    structlog.contextvars.bind_contextvars(claim=task_id)


@task_postrun.connect
def _say_so_no_more(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars("claim")
