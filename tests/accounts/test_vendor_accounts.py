"""The life of a pair of credentials: stored, checked, switched to, dropped."""

import json
from typing import Any

import pytest
from django.utils import timezone

from accounts import jobs, limits, refreshes, vendor, vendor_accounts
from accounts.crypto import unseal
from accounts.errors import NotAllowed
from accounts.models import (
    Agency,
    Credential,
    Event,
    Job,
    State,
    Subaccount,
    User,
    VendorAccount,
    VendorCall,
)
from accounts.vendor_accounts import HeldElsewhere, InTheMaking
from coupontools_api.sandbox import Sandbox

pytestmark = pytest.mark.django_db
LIST = "/v4/subaccount/list"
NEW = {"client_id": "north-id-2", "client_secret": "another-secret"}


def account_of(agency: Agency) -> VendorAccount:
    return VendorAccount.objects.select_related("active_credential").get(agency=agency)


def in_use(agency: Agency) -> int:
    return account_of(agency).active_credential.slot


def events(agency: Agency | None, kind: str = "credential.") -> list[Event]:
    found = Event.objects.across_agencies().filter(agency=agency, kind__startswith=kind)
    return list(found.order_by("pk"))


def same_account(
    sandbox: Sandbox, subaccount: Subaccount, secret: str = "another-secret", *, email: str | None = None
) -> None:
    """The vendor gave the same account a second client id, which lists the same subaccounts.

    With another `email` it has the number alone: it may be another vendor account, or an address was changed there.
    """
    sandbox.add_account("north-id-2", secret, packages=["pac_1"])
    sandbox.remove_subaccount(subaccount.vendor_id)
    sandbox.add_subaccount("north-id-2", email=email or subaccount.email, ID=subaccount.vendor_id)


def test_a_pair_goes_into_the_free_slot_and_changes_nothing_else(sandbox: Sandbox, north: Agency, ada: User):
    before = sandbox.requests()

    stored = vendor_accounts.store(north, acting_user=ada, **NEW)

    assert (stored.slot, stored.test_result) == (2, "")
    assert in_use(north) == 1
    assert sandbox.requests() == before
    assert [(event.kind, event.data) for event in events(north)][-1] == ("credential.stored", {"slot": 2})


def test_what_is_stored_is_sealed_and_in_no_event(north: Agency, ada: User):
    stored = vendor_accounts.store(north, acting_user=ada, **NEW)

    row = json.dumps(list(Credential.objects.filter(pk=stored.pk).values()), default=str)
    said = json.dumps([event.data for event in events(north)])
    for secret in NEW.values():
        assert secret not in row
        assert secret not in said
    assert Credential.objects.get(pk=stored.pk).client_secret == "another-secret"


def test_a_check_asks_with_that_pair_once_and_leaves_the_one_in_use_alone(sandbox: Sandbox, north: Agency, ada: User):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    vendor_accounts.store(north, acting_user=ada, **NEW)

    found = vendor_accounts.check(north, slot=2, acting_user=ada)

    assert (found.outcome, found.listed) == ("ok", 0)
    assert len(sandbox.requests(LIST)) == 1
    assert Credential.objects.get(vendor_account__agency=north, slot=2).test_result == "ok"
    assert in_use(north) == 1
    event = events(north)[-1]
    assert (event.kind, event.actor_id, event.outcome) == ("credential.checked", ada.pk, "ok")
    assert VendorCall.objects.for_agency(north).get().outcome == "ok"


def test_a_refused_pair_does_not_open_the_breaker_of_the_one_in_use(sandbox: Sandbox, north: Agency, ada: User):
    vendor_accounts.store(north, client_id="north-id", client_secret="mistyped", acting_user=ada)

    found = vendor_accounts.check(north, slot=2, acting_user=ada)

    assert (found.outcome, found.codes) == ("Unauthorized", (1000,))
    assert account_of(north).trouble == ""
    with pytest.raises(NotAllowed, match="not passed a check"):
        vendor_accounts.switch(north, slot=2, acting_user=ada)


def test_a_new_secret_of_the_same_client_id_takes_over_and_the_old_pair_is_dropped(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    sandbox.add_account("north-id", "a-new-secret", packages=["pac_1"])
    vendor_accounts.store(north, client_id="north-id", client_secret="a-new-secret", acting_user=ada)
    vendor_accounts.check(north, slot=2, acting_user=ada)

    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good
    vendor.clients.forget()
    assert vendor.look(account_of(north))

    vendor_accounts.drop(north, slot=1, acting_user=ada)
    left = Credential.objects.get(vendor_account__agency=north)
    assert (left.slot, left.fingerprint) == (2, vendor_accounts._fingerprint("north-id"))
    assert [event.kind for event in events(north)][-5:] == [
        "credential.stored",
        "credential.checked",
        "credential.checked",
        "credential.switched",
        "credential.dropped",
    ]


def test_another_client_id_joins_if_it_lists_every_bound_account(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    same_account(sandbox, active)
    vendor_accounts.store(north, acting_user=ada, **NEW)

    assert vendor_accounts.check(north, slot=2, acting_user=ada).is_good
    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good
    assert in_use(north) == 2


def test_another_client_id_that_misses_customers_is_refused_with_their_number(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    vendor_accounts.store(north, acting_user=ada, **NEW)

    found = vendor_accounts.check(north, slot=2, acting_user=ada)

    assert (found.outcome, found.missing) == ("misses_customers", 1)
    assert events(north)[-1].data["customers"] == [active.customer_id]
    with pytest.raises(NotAllowed):
        vendor_accounts.switch(north, slot=2, acting_user=ada)
    assert in_use(north) == 1


def test_an_account_that_left_since_the_check_stops_the_switch(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    same_account(sandbox, active)
    vendor_accounts.store(north, acting_user=ada, **NEW)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    sandbox.remove_subaccount(active.vendor_id)

    assert vendor_accounts.switch(north, slot=2, acting_user=ada).outcome == "misses_customers"
    assert in_use(north) == 1


@pytest.mark.parametrize("state", [State.CREATING, State.UNCERTAIN])
def test_another_client_id_waits_while_accounts_are_in_the_making(
    state: State, sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount
):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    vendor_accounts.store(north, acting_user=ada, **NEW)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    Subaccount.objects.for_agency(north).update(state=state)

    with pytest.raises(InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)
    assert in_use(north) == 1


def test_a_pair_that_lies_in_the_other_slot_is_not_connected_past_its_check(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    vendor_accounts.store(north, acting_user=ada, **NEW)
    assert not vendor_accounts.check(north, slot=2, acting_user=ada).is_good

    for slot in (1, 2):
        with pytest.raises(NotAllowed, match="customers are bound"):
            vendor_accounts.connect(north, slot=slot, **NEW)

    slots = Credential.objects.filter(vendor_account__agency=north).order_by("slot")
    assert [pair.client_id for pair in slots] == ["north-id", "north-id-2"]
    assert in_use(north) == 1


def test_accounts_that_are_missing_at_the_vendor_already_do_not_stop_a_switch(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    Subaccount.objects.for_agency(north).update(state=State.MISSING, run_at=None)
    vendor_accounts.store(north, acting_user=ada, **NEW)

    assert vendor_accounts.check(north, slot=2, acting_user=ada).is_good


def test_a_pair_of_another_agency_is_refused_without_saying_whose_and_the_operator_is_told(
    north: Agency, south: Agency, ada: User
):
    with pytest.raises(HeldElsewhere) as refused:
        vendor_accounts.store(north, client_id="south-id", client_secret="x", acting_user=ada)

    assert "South" not in str(refused.value)
    assert not Credential.objects.filter(vendor_account__agency=north, slot=2).exists()
    [event] = events(None)
    assert (event.kind, event.object_id, event.outcome) == ("credential.held_elsewhere", str(north.pk), "refused")


def test_a_pair_stored_in_the_other_slot_still_keeps_other_agencies_out(north: Agency, south: Agency, ada: User):
    vendor_accounts.store(north, client_id="north-id", client_secret="a-new-secret", acting_user=ada)
    vendor_accounts.connect(north, slot=2, client_id="north-id", client_secret="a-new-secret")
    vendor_accounts.store(north, client_id="north-id-3", client_secret="x", acting_user=ada)  # over the old one

    for held in ("north-id", "north-id-3"):
        with pytest.raises(HeldElsewhere):
            vendor_accounts.store(south, client_id=held, client_secret="x", acting_user=ada)


def test_a_pair_that_is_in_use_cannot_be_dropped_and_an_empty_slot_neither(north: Agency, ada: User):
    for slot in (1, 2):
        with pytest.raises(NotAllowed):
            vendor_accounts.drop(north, slot=slot, acting_user=ada)
    assert in_use(north) == 1


def test_a_pair_that_replaces_an_untested_one_has_to_be_checked_itself(sandbox: Sandbox, north: Agency, ada: User):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    vendor_accounts.store(north, acting_user=ada, **NEW)
    vendor_accounts.check(north, slot=2, acting_user=ada)

    vendor_accounts.store(north, client_id="north-id-4", client_secret="x", acting_user=ada)

    with pytest.raises(NotAllowed):
        vendor_accounts.switch(north, slot=2, acting_user=ada)


def test_trying_now_closes_an_open_breaker(sandbox: Sandbox, north: Agency, ada: User):
    VendorAccount.objects.filter(agency=north).update(trouble="unreachable", trouble_since="2026-01-01T00:00Z")

    assert vendor_accounts.try_now(north, acting_user=ada).is_good
    assert account_of(north).trouble == ""


def test_trying_now_notices_that_the_pair_in_use_is_refused(sandbox: Sandbox, north: Agency, ada: User):
    sandbox.fault(LIST, "revoked")

    assert vendor_accounts.try_now(north, acting_user=ada).outcome == "Unauthorized"
    assert account_of(north).trouble == "credentials"


def test_checks_are_limited(sandbox: Sandbox, north: Agency, ada: User, settings: Any):
    settings.LIMIT_VENDOR_CHECK = "1/60"
    vendor_accounts.try_now(north, acting_user=ada)

    with pytest.raises(limits.TooMany):
        vendor_accounts.try_now(north, acting_user=ada)
    assert len(sandbox.requests(LIST)) == 1


def test_a_check_that_hangs_ends_by_itself(sandbox: Sandbox, north: Agency, ada: User, settings: Any):
    settings.VENDOR_DEADLINE_SECONDS = 0.3
    sandbox.fault(LIST, "hang", seconds=5, times=None)

    found = vendor_accounts.try_now(north, acting_user=ada)

    assert found.outcome == "NoAnswer"
    assert found.milliseconds < 4500  # of five seconds


def test_the_switches_move_with_an_event(north: Agency, ada: User):
    assert vendor_accounts.change(north, offers_pages=True, reads_statistics=False, acting_user=ada) == []
    assert vendor_accounts.change(north, offers_pages=False, reads_statistics=True, acting_user=ada) == [
        "offers_pages",
        "reads_statistics",
    ]

    account = account_of(north)
    assert (account.offers_pages, account.reads_statistics) == (False, True)
    [event] = events(north, "vendor_account.changed")
    assert event.data == {"offers_pages": False, "reads_statistics": True}


def test_the_first_pair_of_an_agency_is_stored_checked_and_switched_to(sandbox: Sandbox, ada: User, north: Agency):
    VendorAccount.objects.filter(agency=north).update(active_credential=None)
    Credential.objects.filter(vendor_account__agency=north).delete()
    with pytest.raises(NotAllowed):
        vendor_accounts.try_now(north, acting_user=ada)

    stored = vendor_accounts.store(north, client_id="north-id", client_secret="north-secret", acting_user=ada)
    vendor_accounts.check(north, slot=stored.slot, acting_user=ada)
    assert vendor_accounts.switch(north, slot=stored.slot, acting_user=ada).is_good
    assert in_use(north) == 1


def test_key_pairs_of_customers_are_kept_sealed_only_while_results_are_read(
    sandbox: Sandbox, active: Subaccount, ada: User, caplog: pytest.LogCaptureFixture
):
    def read_again() -> str:
        refreshes.put(active)
        Job.objects.for_agency(active.agency).filter(done_at=None).update(run_at=timezone.now())
        while jobs.run():
            pass
        return Subaccount.objects.for_agency(active.agency).get().sealed_keys

    assert read_again() == ""
    vendor_accounts.change(active.agency, offers_pages=True, reads_statistics=True, acting_user=ada)
    Job.objects.for_agency(active.agency).delete()
    kept = read_again()
    key, _, secret = unseal(kept).partition(":")

    assert key
    assert secret
    assert key not in kept
    assert secret not in caplog.text
    vendor_accounts.change(active.agency, offers_pages=True, reads_statistics=False, acting_user=ada)
    assert Subaccount.objects.for_agency(active.agency).get().sealed_keys == ""


@pytest.mark.parametrize(
    ("state", "had_unknown_outcome"),
    [(State.UNCERTAIN, False), (State.CREATING, False), (State.REQUESTED, True), (State.NEEDS_REVIEW, True)],
)
def test_another_client_id_waits_until_nothing_may_be_there_under_the_present_one(
    north: Agency, bos_subaccount: Subaccount, state: State, had_unknown_outcome: bool
):
    row = Subaccount.objects.for_agency(north).filter(pk=bos_subaccount.pk)
    row.update(state=state, had_unknown_outcome=had_unknown_outcome)

    with pytest.raises(InTheMaking):
        vendor_accounts.connect(north, **NEW)
    vendor_accounts.connect(north, client_id="north-id", client_secret="a-new-secret")

    row.update(state=State.REQUESTED, had_unknown_outcome=False)
    vendor_accounts.connect(north, **NEW)
    assert account_of(north).active_credential.client_id == "north-id-2"
