"""The world of the matrix, written once for all of its tests; each request in it is undone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from accounts import vendor
from coupontools_api.sandbox import Sandbox
from tests.access import making
from tests.access.world import World


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with Sandbox() as sandbox:
        chosen = {
            "COUPONTOOLS_API_URL": sandbox.url,
            "COUPONTOOLS_PANEL_HOSTS": [sandbox.panel_host],
            "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        }
        with override_settings(**chosen), django_db_blocker.unblock(), transaction.atomic():
            made = making.make(sandbox)
            _ = made.rows, made.owners  # read before the first request
            yield made
            transaction.set_rollback(True)
    vendor.clients.forget()
