"""The Django project and everything a browser sees. Decides nothing: it asks the doors of `accounts`."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
