"""The world of the matrix, written once for all of its tests; each request in it is undone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from django.test import override_settings

from accounts import vendor, views_as
from coupontools_api.sandbox import Sandbox
from tests.access import making
from tests.access.world import World

# What is short in a world that is made once: on a slow machine its tests may take longer than a view or a code lasts.
# It is shorter than the three hours of who signed in long ago.
LASTS = timedelta(hours=2)


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with Sandbox() as sandbox:
        chosen = {
            "COUPONTOOLS_API_URL": sandbox.url,
            "COUPONTOOLS_PANEL_HOSTS": [sandbox.panel_host],
            "ACCOUNT_REAUTHENTICATION_TIMEOUT": LASTS.seconds,
            "ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT": LASTS.seconds,
            "ACCOUNT_LOGIN_TIMEOUT": LASTS.seconds,
        }
        lasts = mock.patch.object(views_as, "LASTS", LASTS)
        with lasts, override_settings(**chosen), django_db_blocker.unblock(), transaction.atomic():
            made = making.make(sandbox)
            _ = made.rows, made.owners  # read before the first request
            yield made
            transaction.set_rollback(True)
    vendor.clients.forget()
