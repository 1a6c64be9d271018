"""The pause after a restore: nothing is created, everything that differs is listed, and an operator ends it."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import jobs, pausing, provisioning, reconcile
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Event, Finding, Job, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import CREATE, calls, customer_reads, fresh, in_other_hands, staff_read

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator_client(client_for: Any, settings: Any) -> Client:
    return client_for(settings.PLATFORM_HOST, factories.operator())


def settle(agency: Agency) -> None:
    for _ in range(40):
        for rows in (Subaccount.objects.for_agency(agency), Job.objects.for_agency(agency)):
            rows.filter(run_at__gt=timezone.now()).update(run_at=timezone.now())
        if not any([provisioning.attempt(), jobs.run()]):
            return


def page_of(agency: Agency) -> str:
    return f"/operator/agencies/{agency.pk}/differences/"


@pytest.mark.installation
def test_nothing_is_created_until_the_differences_are_acknowledged(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, quick: None, operator_client: Client
):
    lost = [sandbox.add_subaccount("north-id", email=f"lost{n}@shop.example") for n in range(3)]
    gone = factories.activate(
        factories.customer(north, factories.person(north, "gone@shop.example")), sandbox, "north-id"
    )
    sandbox.remove_subaccount(gone.vendor_id)
    assert pausing.pause(why=pausing.RESTORED) == Agency.objects.count()

    before = operator_client.get(page_of(north)).content.decode()
    assert "was not read since then" in before
    early = operator_client.post(page_of(north), {"compared": timezone.now().isoformat()}, follow=True)
    assert "nobody can have seen it" in early.content.decode()
    settle(north)

    assert calls(sandbox, CREATE) == 0
    waiting = fresh(bos_subaccount)
    assert (waiting.state, waiting.cause, waiting.attempts) == (State.REQUESTED, Cause.CREATES_PAUSED, 0)
    assert "paused until the operator" in staff_read(waiting)
    assert customer_reads(waiting) == "This takes longer than usual"
    page = operator_client.get(page_of(north))
    text = page.content.decode()
    assert [vendor_id for vendor_id in (*lost, gone.vendor_id) if vendor_id not in text] == []
    assert fresh(gone).state == State.MISSING
    assert north.name in operator_client.get("/operator/health/").content.decode()

    form = {"compared": page.context["account"].reconciled_at.isoformat()}
    assert "are made again" in operator_client.post(page_of(north), form, follow=True).content.decode()
    settle(north)

    assert fresh(bos_subaccount).state == State.ACTIVE
    assert calls(sandbox, CREATE) == 1
    events = Event.objects.for_agency(north).filter(kind__startswith="provisioning.").order_by("pk")
    kinds = list(events.values_list("kind", "data"))
    assert [kind for kind, _ in kinds] == ["provisioning.paused", "provisioning.acknowledged"]
    assert (kinds[0][1], kinds[1][1]["unbound"]) == ({"why": "restored"}, 3)


def test_what_was_seen_is_what_is_acknowledged(sandbox: Sandbox, active: Subaccount):
    agency, olu = active.agency, factories.operator()
    pausing.pause(why=pausing.RESTORED, agency=agency)
    settle(agency)
    seen = VendorAccount.objects.get(agency=agency).reconciled_at
    sandbox.add_subaccount("north-id", email="new@shop.example")
    reconcile.run(agency)

    with pytest.raises(NotAllowed, match="another comparison"):
        pausing.acknowledge(agency, seen=seen, acting_user=olu)

    now = VendorAccount.objects.get(agency=agency).reconciled_at
    pausing.acknowledge(agency, seen=now, acting_user=olu)
    with pytest.raises(NotAllowed, match="Nothing is paused"):
        pausing.acknowledge(agency, seen=now, acting_user=olu)


def test_only_an_operator_ends_it(sandbox: Sandbox, active: Subaccount, ada: User):
    pausing.pause(why=pausing.RESTORED, agency=active.agency)
    settle(active.agency)
    seen = VendorAccount.objects.get(agency=active.agency).reconciled_at

    with pytest.raises(NotAllowed, match="operator"):
        pausing.acknowledge(active.agency, seen=seen, acting_user=ada)


def test_after_a_restore_also_what_a_wish_will_find_and_what_is_hard_to_believe_is_listed(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, quick: None
):
    theirs = sandbox.add_subaccount("north-id", email=bos_subaccount.email)
    people = [factories.person(north, f"p{n}@shop.example") for n in range(8)]
    rows = [factories.activate(factories.customer(north, person), sandbox, "north-id") for person in people]
    for row in rows:
        sandbox.remove_subaccount(row.vendor_id)
    pausing.pause(why=pausing.RESTORED, agency=north)

    settle(north)

    found = set(Finding.objects.for_agency(north).open().values_list("kind", "vendor_id"))
    assert found == {("unbound", theirs), *(("absent", row.vendor_id) for row in rows)}
    assert {fresh(row).state for row in rows} == {State.ACTIVE}, "nothing is changed on the word of such a list"

    told = Event.objects.for_agency(north).filter(kind="reconcile.compared")
    before = told.count()
    another = sandbox.add_subaccount("north-id", email="new@shop.example")
    reconcile.run(north)
    reconcile.run(north)

    assert told.count() == before + 1, "what is new is told, and once"
    assert told.latest("pk").data["new"] == [another]


def test_launches_looks_and_other_agencies_go_on(
    sandbox: Sandbox, north: Agency, south: Agency, active: Subaccount, bo_client: Client, quick: None
):
    call_command("pause_provisioning", host="north.localhost")
    theirs = factories.customer(south, factories.person(south, "kim@south.example")).subaccount

    answer = bo_client.post(f"/c/{active.customer.public_id}/launch/", {"page": "campaigns"})
    settle(south)

    assert answer.status_code == 303
    assert fresh(theirs).state == State.ACTIVE
    paused = VendorAccount.objects.exclude(creates_paused_at=None)
    assert [account.agency for account in paused] == [north]


def test_a_pause_that_comes_between_the_look_and_the_create_stops_it(
    sandbox: Sandbox, bos_subaccount: Subaccount, quick: None, monkeypatch: pytest.MonkeyPatch
):
    look = provisioning.vendor.look

    def look_and_pause(account: VendorAccount) -> Any:
        listing = look(account)
        pausing.pause(why=pausing.BY_COMMAND, agency=bos_subaccount.agency)
        return listing

    monkeypatch.setattr(provisioning.vendor, "look", look_and_pause)

    provisioning.attempt()

    assert calls(sandbox, CREATE) == 0
    assert fresh(bos_subaccount).state == State.REQUESTED


def test_ending_the_pause_does_not_wait_for_a_row_that_is_being_claimed(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, quick: None
):
    """The claim waits for the vendor account's row, which is held here; it finds no pause any more."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks no rows")
    other = factories.customer(north, factories.person(north, "kim@shop.example")).subaccount
    pausing.pause(why=pausing.RESTORED, agency=north)
    settle(north)
    seen = VendorAccount.objects.get(agency=north).reconciled_at

    with in_other_hands(bos_subaccount):
        pausing.acknowledge(north, seen=seen, acting_user=factories.operator())

    assert (fresh(bos_subaccount).cause, fresh(other).cause) == (Cause.CREATES_PAUSED, Cause.NONE)
    settle(north)
    assert {fresh(row).state for row in (bos_subaccount, other)} == {State.ACTIVE}
