"""Olu, who runs the installation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests import factories


@pytest.fixture
def olu(db: None) -> User:
    return factories.operator()


@pytest.fixture
def olu_client(client_for: Callable[..., Client], olu: User, settings: Any) -> Client:
    return client_for(settings.PLATFORM_HOST, olu)
