"""An agency's own panel host, which the vendor itself has to name."""

import json
from typing import Any

import pytest

from accounts import panel_host
from accounts.models import Agency, Event, User, VendorAccount
from coupontools_api.sandbox import Sandbox

pytestmark = pytest.mark.django_db
SSO = "/v3/account/sso"


def host_of(agency: Agency) -> str:
    return VendorAccount.objects.get(agency=agency).whitelabel_host


def events(agency: Agency, kind: str) -> list[Event]:
    return list(Event.objects.for_agency(agency).filter(kind__startswith=kind).order_by("pk"))


def test_a_panel_host_counts_once_the_vendor_names_it(sandbox: Sandbox, north: Agency, ada: User):
    sandbox.add_account("north-id", "north-secret", whitelabel_host="panel.north.example")

    found = panel_host.change(north, host="evil.example", acting_user=ada)
    assert (found.outcome, found.named) == ("other_host", "panel.north.example")
    assert host_of(north) == ""

    assert panel_host.change(north, host="panel.north.example", acting_user=ada).is_good
    assert host_of(north) == "panel.north.example"

    panel_host.change(north, host="", acting_user=ada)
    assert host_of(north) == ""
    assert [event.outcome for event in events(north, "vendor_account.panel_host")] == [
        "other_host",
        "ok",
        "removed",
    ]


def test_a_panel_host_that_the_vendor_does_not_name_is_refused(sandbox: Sandbox, north: Agency, ada: User):
    assert panel_host.change(north, host="x.example", acting_user=ada).outcome == "not_named"


@pytest.mark.parametrize(
    ("kind", "parameters", "outcome"),
    [("revoked", {}, "Unauthorized"), ("html", {"status": 500}, "UnexpectedReply"), ("reset_after", {}, "NoAnswer")],
)
def test_a_panel_host_is_not_taken_on_any_other_answer(
    kind: str, parameters: dict[str, Any], outcome: str, sandbox: Sandbox, north: Agency, ada: User
):
    sandbox.fault(SSO, kind, **parameters)

    assert panel_host.change(north, host="x.example", acting_user=ada).outcome == outcome
    assert host_of(north) == ""


def test_the_token_of_the_proof_is_kept_nowhere(sandbox: Sandbox, north: Agency, ada: User, caplog: Any):
    sandbox.add_account("north-id", "north-secret", whitelabel_host="panel.north.example")

    panel_host.change(north, host="panel.north.example", acting_user=ada)

    kept = json.dumps([event.data for event in events(north, "")]) + caplog.text
    assert "token" not in kept
    assert "http" not in json.dumps([event.data for event in events(north, "vendor_account")])
