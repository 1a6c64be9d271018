"""What was there before a migration is there after it, and can be found."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import copies

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = [("accounts", "0001_initial")], [("accounts", "0002_console")]
BEFORE_AUDIT, AFTER_AUDIT = AFTER, [("accounts", "0004_event_past")]


@pytest.fixture(autouse=True)
def _tables_are_new() -> Iterator[None]:
    yield
    copies.keys_from(copies.KEYS_OF_OTHERS)


def test_customers_from_before_the_console_are_found_and_their_first_steps_are_known():
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    try:
        old = executor.loader.project_state(BEFORE).apps
        agency = old.get_model("accounts", "Agency").objects.create(name="North", support_email="a@north.example")
        account = old.get_model("accounts", "VendorAccount").objects.create(agency=agency)
        package = old.get_model("accounts", "Package").objects.create(
            agency=agency, name="Starter", vendor_package_id="pac_1"
        )
        customer = old.get_model("accounts", "Customer").objects.create(
            agency=agency, company_name="Café Zuid", email="noor@zuid.example", country="NL", package=package
        )
        old.get_model("accounts", "Subaccount").objects.create(
            agency=agency, customer=customer, vendor_account=account, email=customer.email, vendor_id="sub_4711"
        )
        old.get_model("accounts", "Event").objects.create(
            agency=agency, kind="launch", customer_id=customer.pk, data={"outcome": "opened"}
        )

        executor = MigrationExecutor(connection)
        executor.migrate(AFTER)

        new = executor.loader.project_state(AFTER).apps
        words = {bytes(row.word).decode() for row in new.get_model("accounts", "SearchWord").objects.all()}
        after = new.get_model("accounts", "Customer").objects.get()
        assert {"cafe", "zuid", "noor@zuid.example", "sub_4711", "4711"} <= words
        assert after.last_launch_at is not None
        assert after.first_campaign_at is None
        for model in ("SearchWord", "Event", "Subaccount", "Customer", "Package", "VendorAccount", "Agency"):
            new.get_model("accounts", model).objects.all().delete()
    finally:
        MigrationExecutor(connection).migrate(newest)
        connection.close()  # prepared statements speak of the tables as they were
        if connection.vendor == "postgresql":
            connection.close_pool()


def test_events_of_before_keep_how_they_ended_and_what_they_were_about():
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE_AUDIT)
    try:
        old = executor.loader.project_state(BEFORE_AUDIT).apps
        agency = old.get_model("accounts", "Agency").objects.create(name="North", support_email="a@north.example")
        person, events = "0f5ec9f4-4c53-4a34-8a3c-1d5c2c4a0b11", old.get_model("accounts", "Event").objects
        events.create(agency=agency, kind="launch", customer_id=7, data={"outcome": "NoAnswer", "ms": 9})
        events.create(agency=agency, kind="staff.suspended", data={"person": person})
        events.create(agency=agency, kind="brand.changed", data={"changed": ["name"]})
        events.create(agency=None, kind="credential.held_elsewhere")

        executor = MigrationExecutor(connection)
        executor.migrate(AFTER_AUDIT)

        after = executor.loader.project_state(AFTER_AUDIT).apps.get_model("accounts", "Event").objects.order_by("pk")
        assert list(after.values_list("kind", "outcome", "object_type", "object_id", "request")) == [
            ("launch", "NoAnswer", "customer", "7", ""),
            ("staff.suspended", "done", "person", person, ""),
            ("brand.changed", "done", "agency", str(agency.pk), ""),
            ("credential.held_elsewhere", "done", "", "", ""),
        ]
        after.all().delete()
        executor.loader.project_state(AFTER_AUDIT).apps.get_model("accounts", "Agency").objects.all().delete()
    finally:
        MigrationExecutor(connection).migrate(newest)
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()
