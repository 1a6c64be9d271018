"""The same machine at a vendor that takes an address any number of times: only the portal keeps it single there."""

from typing import Any

import pytest
from django.db import connection

from coupontools_api.sandbox import Sandbox
from tests.figures import RecordFigure
from tests.machine.run import run_machine

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.prove,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="60,000 steps are gone once, on SQLite"),
]


def test_with_addresses_that_the_vendor_takes_any_number_of_times(
    sandbox: Sandbox, settings: Any, record_figure: RecordFigure
):
    run_machine(sandbox, settings, record_figure, email_unique="none")
