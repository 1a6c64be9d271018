"""Answers that say yes and no at once, refusals that concern one wish, and two wishes with one address."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import attention, jobs, provisioning, refreshes
from accounts.models import Agency, Cause, Package, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import CREATE, GET, LIST, attempt, calls, fresh, made, made_meanwhile, probe_due, staff_read

pytestmark = pytest.mark.django_db(transaction=True)
OURS = '"subaccount":{"ID":"sub_1001","email":"bo@shop.example"}'


@pytest.mark.parametrize("refusal", [{"codes": [1000], "status": 401}, {"codes": [102]}], ids=str)
def test_a_create_that_alone_is_refused_stops_one_wish_and_nobody_else(
    refusal: dict[str, Any], sandbox: Sandbox, north: Agency, bo: User, bos_subaccount: Subaccount
):
    sandbox.fault(CREATE, "status", times=1, **({"status": 200} | refusal))

    refused, other = attempt(bos_subaccount), attempt(factories.customer(north, bo, company_name="Other").subaccount)

    assert (refused.state, refused.cause) == (State.NEEDS_REVIEW, Cause.REFUSED)
    assert other.state == State.ACTIVE
    assert VendorAccount.objects.get(agency=north).trouble == ""
    while jobs.run():
        pass
    assert not [message for message in mail.outbox if "credentials" in message.body]


def test_credentials_that_read_nothing_either_are_everybodys_trouble(sandbox: Sandbox, bos_subaccount: Subaccount):
    sandbox.fault(LIST, "status", status=401, codes=[1000], call=2, times=5)
    sandbox.fault(CREATE, "status", status=401, codes=[1000], times=1)

    waits = attempt(bos_subaccount)

    assert (waits.state, waits.cause, waits.attempts) == (State.REQUESTED, Cause.CREDENTIALS, 0)
    assert VendorAccount.objects.get(agency=waits.agency).trouble == "credentials"


def test_a_page_that_forbids_is_not_the_vendors_word_whoever_else_shows_it(
    sandbox: Sandbox, bos_subaccount: Subaccount
):
    """Something before the vendor refuses the create's answer and the list, and the create has happened."""
    page = {"status": 403, "body": "<html>", "content_type": "text/html"}
    sandbox.fault(CREATE, "status", after_effect=True, **page)
    sandbox.fault(LIST, "status", call=2, times=3, **page)

    doubtful = attempt(bos_subaccount)

    assert (doubtful.state, doubtful.had_unknown_outcome) == (State.UNCERTAIN, True)
    sandbox.clear_faults()
    VendorAccount.objects.exclude(trouble="").update(probe_at=timezone.now())
    probe_due()
    assert attempt(bos_subaccount).state == State.ACTIVE
    assert made(sandbox) == 1


@pytest.mark.parametrize(
    "silence", [{"kind": "html", "status": 503}, {"kind": "throttle", "retry_after": 30}], ids=lambda it: it["kind"]
)
def test_a_list_that_is_not_answered_says_nothing_of_the_credentials(
    silence: dict[str, Any], sandbox: Sandbox, bos_subaccount: Subaccount
):
    sandbox.fault(LIST, call=2, times=5, **silence)
    sandbox.fault(CREATE, "status", status=401, codes=[1000], times=1)

    waits = attempt(bos_subaccount)

    assert VendorAccount.objects.get(agency=waits.agency).trouble == ""
    assert (waits.state, waits.cause, waits.attempts) == (State.REQUESTED, Cause.VENDOR_UNREACHABLE, 0)


@pytest.mark.parametrize(
    "answer",
    [
        (200, '{"status":{"status":"OK"},"errors":{"error_code":[604]},' + OURS + "}"),
        (200, '{"status":{"status":"OK","errors":{"error_code":[303]}},' + OURS + "}"),
        (502, '{"status":{"status":"failed","errors":{"error_code":[302]}}}'),
        (422, '{"status":{"status":"failed","errors":{"error_code":[604]}}}'),
    ],
    ids=["ok and a code", "ok and a code within", "server error and a code", "a code of mails"],
)
def test_an_answer_that_contradicts_itself_is_looked_into(
    answer: tuple[int, str], sandbox: Sandbox, bos_subaccount: Subaccount
):
    status, body = answer
    sandbox.fault(CREATE, "status", status=status, body=body, content_type="application/json", after_effect=True)

    doubtful = attempt(bos_subaccount)
    assert (doubtful.state, doubtful.cause) == (State.UNCERTAIN, Cause.UNCLEAR_ANSWER)
    settled = attempt(bos_subaccount)

    assert settled.state == State.ACTIVE
    assert made(sandbox) == 1


def test_a_wish_waits_for_another_of_its_address_without_asking(
    sandbox: Sandbox, north: Agency, bo: User, bos_subaccount: Subaccount, quick: None
):
    one = bos_subaccount
    sandbox.fault(CREATE, "reset_before")
    attempt(one)
    for _ in range(3):
        if fresh(one).state == State.UNCERTAIN:
            attempt(one)
    assert fresh(one).state == State.REQUESTED
    assert made(sandbox) == 0
    two = factories.customer(north, bo, company_name="Second Shop").subaccount
    sandbox.fault(CREATE, "reset_after")
    assert attempt(two).state == State.UNCERTAIN
    looks = calls(sandbox, LIST)

    waits = attempt(one)

    assert waits.state == State.REQUESTED
    assert waits.run_at is not None
    assert waits.run_at > timezone.now()
    assert calls(sandbox, LIST) == looks
    assert attempt(two).vendor_id == "sub_1001"
    assert attempt(one).cause == Cause.BOUND_ELSEWHERE


def test_nobody_takes_what_another_wish_is_making(
    sandbox: Sandbox, north: Agency, bo: User, ada: User, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    one = bos_subaccount
    doubt = {"had_unknown_outcome": True, "uncertain_since": timezone.now(), "first_look": "absent"}
    Subaccount.objects.for_agency(north).filter(pk=one.pk).update(
        state=State.NEEDS_REVIEW, cause=Cause.CONTRADICTION, run_at=None, create_started_at=timezone.now(), **doubt
    )
    two = factories.customer(north, bo, company_name="Second Shop").subaccount

    with made_meanwhile(two, sandbox, monkeypatch):
        attention.look(fresh(one), acting_user=ada)
        provisioning.attempt(one.pk)
        looked = fresh(one)

    assert (looked.state, looked.cause) == (State.NEEDS_REVIEW, Cause.LINK_IN_THE_MAKING)
    assert fresh(two).vendor_id == "sub_1001"


def test_of_two_in_doubt_the_later_one_takes_what_appears(
    sandbox: Sandbox, north: Agency, bo: User, bos_subaccount: Subaccount
):
    now = timezone.now()
    two = factories.customer(north, bo, company_name="Second Shop").subaccount
    for row, seconds in ((bos_subaccount, 60), (two, 30)):
        Subaccount.objects.for_agency(north).filter(pk=row.pk).update(
            state=State.UNCERTAIN,
            cause=Cause.NO_ANSWER,
            had_unknown_outcome=True,
            uncertain_since=now,
            create_started_at=now - timedelta(seconds=seconds),
            first_look="absent",
        )
    there = sandbox.add_subaccount("north-id", email=bos_subaccount.email)

    assert attempt(bos_subaccount).state == State.UNCERTAIN
    assert attempt(two).vendor_id == there
    assert attempt(bos_subaccount).cause == Cause.BOUND_ELSEWHERE


def test_a_look_forgets_no_account_that_a_create_told_before_the_list_had_its_time(
    sandbox: Sandbox, ada: User, bos_subaccount: Subaccount, work: Any, settings: Any
):
    sandbox.settings(saved_address=False, email_unique="none")
    sandbox.fault(LIST, "stale_list", times=50, seconds=3600)
    sandbox.fault(CREATE, "wrong_id", id="sub_424242")
    told = work(bos_subaccount)
    assert (told.cause, told.candidates) == (Cause.CONTRADICTION, ["sub_424242"])
    assert "Listed" not in staff_read(told)

    settings.PROVISIONING_QUARANTINE_SECONDS = 3600
    attention.look(told, acting_user=ada)
    told = work(told)

    assert (told.cause, told.candidates) == (Cause.CONTRADICTION, ["sub_424242"])
    assert not attention.absence_is_proven(told)
    assert calls(sandbox, CREATE) == 1


def test_a_wrong_id_in_the_answer_that_another_customer_has_is_never_bound(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, work: Any
):
    """Not even where the vendor neither lists nor knows it any more."""
    lost = factories.activate(factories.customer(north, factories.person(north)), None)
    sandbox.fault(CREATE, "wrong_id", id=lost.vendor_id)

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause, subaccount.vendor_id) == (State.NEEDS_REVIEW, Cause.CONTRADICTION, "")


@pytest.mark.parametrize("numbers", ["are mixed up", "repeat"])
def test_an_id_that_another_agencys_customer_has_is_read_before_it_is_bound(
    sandbox: Sandbox, south: Agency, bos_subaccount: Subaccount, work: Any, numbers: str
):
    """A vendor may mix up its answers, or two vendor accounts have the same numbers."""
    cy = factories.customer(south, factories.person(south, "cy@shop.example"))
    theirs = factories.activate(cy, sandbox, "south-id")
    if numbers == "are mixed up":
        sandbox.fault(CREATE, "wrong_id", id=theirs.vendor_id)
    else:
        following = f"sub_{int(theirs.vendor_id.removeprefix('sub_')) + 1}"
        Subaccount.objects.for_agency(south).filter(pk=theirs.pk).update(vendor_id=following)

    subaccount = work(bos_subaccount)

    [mine] = (made for made in sandbox.effects("subaccount_created") if made["client_id"] == "north-id")
    assert (subaccount.state, subaccount.vendor_id) == (State.ACTIVE, mine["subaccount"])
    assert (fresh(theirs).vendor_id == mine["subaccount"]) == (numbers == "repeat")


def test_what_is_almost_listed_is_not_proven_absent(bos_subaccount: Subaccount):
    now = timezone.now()
    Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk).update(
        state=State.NEEDS_REVIEW,
        cause=Cause.LISTED_ALMOST,
        had_unknown_outcome=True,
        uncertain_since=now - timedelta(days=1),
        looked_at=now,
    )

    assert not attention.absence_is_proven(fresh(bos_subaccount))


def test_a_missing_account_that_lost_a_link_is_still_looked_for(
    sandbox: Sandbox, north: Agency, bo: User, ada: User, active: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    there = sandbox.add_subaccount("north-id", email="third@shop.example")
    refreshes.missing(fresh(active))
    attention.link(fresh(active), vendor_id=there, reason="It is theirs", acting_user=ada)
    other = factories.customer(north, bo, company_name="Other").subaccount
    monkeypatch.setattr("accounts.reviews._refusal", lambda *_: None)
    Subaccount.objects.for_agency(north).filter(pk=other.pk).update(state=State.ACTIVE, vendor_id=there, run_at=None)

    provisioning.attempt(active.pk)

    lost = fresh(active)
    assert (lost.state, lost.cause) == (State.MISSING, Cause.BOUND_ELSEWHERE)
    assert lost.run_at is not None


def test_another_account_that_is_linked_shows_nothing_of_the_one_before(
    sandbox: Sandbox, ada: User, active: Subaccount
):
    Subaccount.objects.for_agency(active.agency).filter(pk=active.pk).update(sealed_keys="sealed")
    there = sandbox.add_subaccount("north-id", email="third@shop.example")
    refreshes.missing(fresh(active))
    attention.link(fresh(active), vendor_id=there, reason="It is theirs", acting_user=ada)
    sandbox.fault(GET, "status", status=500)  # till it is read

    provisioning.attempt(active.pk)

    linked = fresh(active)
    assert (linked.state, linked.vendor_id, linked.facts, linked.sealed_keys) == (State.ACTIVE, there, {}, "")
    assert not linked.campaigns.exists()


def test_a_package_that_no_vendor_has_is_asked_of_none(sandbox: Sandbox, bos_subaccount: Subaccount):
    Package.objects.for_agency(bos_subaccount.agency).update(vendor_package_id="pac_000")

    refused = attempt(bos_subaccount)

    assert (refused.state, refused.cause) == (State.NEEDS_REVIEW, Cause.PACKAGE_REFUSED)
    assert not refused.had_unknown_outcome
    assert calls(sandbox, CREATE) == 0
