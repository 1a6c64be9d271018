"""What was there before a migration is there after it, and can be found."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = [("accounts", "0001_initial")], [("accounts", "0002_console")]


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
