"""What both sides read of a wish that waits is so at that moment, not what was so before."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import attention, jobs, provisioning, search
from accounts.attention import Choice
from accounts.claimed import Claimed
from accounts.models import Agency, Cause, Event, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from portal import wording_console
from tests import factories
from tests.accounts.reading import CREATE, LIST, attempt, fresh, made, page_of, staff_read

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]
NO_ANSWER_YET = "the answer has not come yet"
TRIED_FOR_HALF_AN_HOUR = "It is tried again for half an hour; after that a person decides."


def text_of(subaccount: Subaccount) -> str:
    return next(step.text for step in page_of(subaccount).steps if step.icon == "clock")


def until(state: State, subaccount: Subaccount) -> Subaccount:
    for _ in range(6):
        if (row := attempt(subaccount)).state == state:
            return row
    raise AssertionError(row.state)


def test_what_is_in_the_queue_again_is_not_said_to_be_looked_for(sandbox: Sandbox, bos_subaccount: Subaccount):
    sandbox.fault(CREATE, "reset_before", times=1)
    uncertain = attempt(bos_subaccount)
    assert "We look whether the account was made" in staff_read(uncertain)
    assert NO_ANSWER_YET in text_of(uncertain)

    again = until(State.REQUESTED, bos_subaccount)

    assert again.cause == Cause.NOT_MADE
    assert "We look whether" not in staff_read(again)
    assert "shows no account" in staff_read(again)
    assert "was not made yet" in text_of(again)


def test_who_tries_again_by_hand_invents_no_answer(sandbox: Sandbox, bos_subaccount: Subaccount, ada: User):
    Subaccount.objects.for_agency(bos_subaccount.agency).update(
        state=State.NEEDS_REVIEW, cause=Cause.NOTHING_LISTED, run_at=None
    )

    attention.retry(fresh(bos_subaccount), acting_user=ada)

    tried = fresh(bos_subaccount)
    assert tried.state == State.UNCERTAIN
    assert "not understood" not in staff_read(tried)
    assert "tried again by hand" in staff_read(tried)
    assert NO_ANSWER_YET not in text_of(tried)


@pytest.mark.parametrize(
    "fault", [{"kind": "email_taken"}, {"kind": "not_json", "after_effect": False}], ids=lambda it: it["kind"]
)
def test_an_answer_that_came_is_not_said_to_be_missing(
    fault: dict[str, Any], sandbox: Sandbox, bos_subaccount: Subaccount
):
    sandbox.fault(CREATE, times=1, **fault)

    uncertain = attempt(bos_subaccount)

    assert uncertain.state == State.UNCERTAIN
    assert NO_ANSWER_YET not in text_of(uncertain)
    assert "whether your account is there already" in text_of(uncertain)


@pytest.mark.parametrize(
    ("before", "after"),
    [(Cause.VENDOR_UNREACHABLE, Cause.NONE), (Cause.DAILY_BUDGET, Cause.NONE), (Cause.NOT_MADE, Cause.NOT_MADE)],
)
def test_who_waits_behind_another_wish_no_longer_reads_what_is_over(
    before: Cause, after: Cause, north: Agency, bos_subaccount: Subaccount
):
    other = factories.customer(north, factories.person(north, "kim@shop.example")).subaccount
    ours = Subaccount.objects.for_agency(north)
    ours.filter(pk=other.pk).update(email=bos_subaccount.email, state=State.UNCERTAIN, run_at=None)
    ours.filter(pk=bos_subaccount.pk).update(cause=before)

    waits = attempt(bos_subaccount)

    assert (waits.state, waits.cause) == (State.REQUESTED, after)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (State.UNCERTAIN, Cause.NO_ANSWER),
        (State.UNCERTAIN, Cause.EMAIL_TAKEN),
        (State.REQUESTED, Cause.NOT_MADE),
        (State.REQUESTED, Cause.VENDOR_UNREACHABLE),
    ],
)
def test_whoever_waits_in_an_outage_reads_the_agencys_own_words_for_as_long_as_it_lasts(
    state: State, cause: Cause, north: Agency, bos_subaccount: Subaccount
):
    Agency.objects.filter(pk=north.pk).update(outage_message="Our editor is being looked after.")
    Subaccount.objects.for_agency(north).filter(pk=bos_subaccount.pk).update(state=state, cause=cause)
    account = VendorAccount.objects.filter(agency=north)
    assert "looked after" not in text_of(fresh(bos_subaccount))

    account.update(trouble="unreachable", trouble_since=timezone.now())

    assert text_of(fresh(bos_subaccount)).startswith("Our editor is being looked after.")
    assert NO_ANSWER_YET not in text_of(fresh(bos_subaccount))


def test_each_new_reason_to_wait_leaves_one_event(sandbox: Sandbox, bos_subaccount: Subaccount):
    sandbox.fault(LIST, "html", status=503, times=None)
    for _ in range(2):
        attempt(bos_subaccount)
    sandbox.clear_faults()
    attempt(bos_subaccount)

    events = Event.objects.for_agency(bos_subaccount.agency).filter(customer_id=bos_subaccount.customer_id)
    causes = [
        (event.kind, event.data["cause"]) for event in events.filter(kind__startswith="subaccount.").order_by("pk")
    ]
    assert fresh(bos_subaccount).state == State.ACTIVE
    assert causes[-3:] == [
        ("subaccount.waiting", "vendor_unreachable"),
        ("subaccount.creating", ""),
        ("subaccount.active", ""),
    ]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Every judgement of a list ends in a fault of ours, until this is undone."""

    def fault(self: Claimed, listing: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Claimed, "verdict", fault)
        yield patch


def test_a_fault_of_ours_that_stays_is_in_front_of_a_person(
    sandbox: Sandbox, bos_subaccount: Subaccount, faulty: pytest.MonkeyPatch
):
    """For half an hour the wish says what happened to its create; then that we cannot find out."""
    row = Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk)
    evidence = {"cause": Cause.NO_ANSWER, "had_unknown_outcome": True, "candidates": ["sub_7"]}
    row.update(state=State.UNCERTAIN, uncertain_since=timezone.now() - timedelta(hours=3), **evidence)
    for _ in range(provisioning.MOST_FAULTS - 1):
        assert attempt(bos_subaccount).cause == Cause.NO_ANSWER

    shown = attempt(bos_subaccount)

    assert (shown.state, shown.cause) == (State.NEEDS_REVIEW, Cause.OUR_FAULT)
    assert (shown.had_unknown_outcome, shown.candidates) == (True, ["sub_7"]), "what is known of it stays known"
    assert Choice.CHANGE_ADDRESS not in {option.choice for option in attention.options(shown)}


def test_a_fault_before_anything_was_asked_for_is_a_persons_after_half_an_hour_and_tried_again_from_the_start(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, faulty: pytest.MonkeyPatch
):
    for _ in range(provisioning.MOST_FAULTS - 1):
        waits = attempt(bos_subaccount)
        assert (waits.state, waits.cause) == (State.REQUESTED, Cause.OUR_FAULT)
    assert TRIED_FOR_HALF_AN_HOUR in staff_read(waits)
    while jobs.run():
        pass
    assert mail.outbox == []

    shown = attempt(bos_subaccount)

    assert (shown.state, shown.cause, shown.run_at) == (State.NEEDS_REVIEW, Cause.OUR_FAULT, None)
    offered = attention.options(shown)
    assert [option.choice for option in offered if option.is_advised] == [Choice.RETRY]
    assert {option.choice for option in offered} >= {Choice.LOOK, Choice.CHANGE_ADDRESS}, "nothing was asked for"
    while jobs.run():
        pass
    assert [message.to for message in mail.outbox] == [[bos_subaccount.agency.support_email]]

    attention.retry(shown, acting_user=ada)
    assert attempt(bos_subaccount).state == State.REQUESTED, "it is counted anew"
    faulty.undo()
    assert attempt(bos_subaccount).state == State.ACTIVE
    assert made(sandbox) == 1


def test_faults_that_do_not_follow_each_other_are_no_lasting_one(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, faulty: pytest.MonkeyPatch
):
    account = VendorAccount.objects.filter(agency=north)
    for step in range(2 * provisioning.MOST_FAULTS):
        account.update(creates_paused_at=timezone.now() if step % 10 == 9 else None)
        assert attempt(bos_subaccount).state == State.REQUESTED


@pytest.mark.parametrize("state", [State.REQUESTED, State.UNCERTAIN])
def test_what_is_read_of_a_fault_of_ours_is_still_so_once_it_is_not_tried_any_more(
    state: State, sandbox: Sandbox, bos_subaccount: Subaccount, faulty: pytest.MonkeyPatch
):
    row = Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk)
    row.update(state=state, had_unknown_outcome=state == State.UNCERTAIN, uncertain_since=timezone.now())
    for _ in range(provisioning.MOST_FAULTS):
        shown = attempt(bos_subaccount)
    while jobs.run():
        pass

    assert shown.run_at is None
    assert TRIED_FOR_HALF_AN_HOUR in staff_read(shown)
    assert TRIED_FOR_HALF_AN_HOUR in mail.outbox[-1].body
    assert wording_console.group_of(shown).title == "Something went wrong on our side"
    assert timedelta(minutes=30) == provisioning.MOST_FAULTS * provisioning.AFTER_FAULT


def test_a_fault_in_what_is_written_at_the_end_is_a_persons_too(
    sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    """The account is there, and binding it fails: what was to be written is not, and the row says what it said."""

    def fault(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(search, "add", fault)
    ours = Subaccount.objects.for_agency(bos_subaccount.agency)
    for _ in range(provisioning.MOST_FAULTS + 2):
        shown = attempt(bos_subaccount)
        assert shown.state != State.ACTIVE
        ours.exclude(lease_until=None).update(lease_until=timezone.now())

    assert (shown.state, shown.cause) == (State.NEEDS_REVIEW, Cause.OUR_FAULT)
    assert made(sandbox) == 1


def test_what_was_to_be_proven_absent_before_the_fault_still_is_after_it(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, faulty: pytest.MonkeyPatch
):
    Subaccount.objects.for_agency(bos_subaccount.agency).update(
        state=State.NEEDS_REVIEW, cause=Cause.NOTHING_LISTED, run_at=None
    )
    attention.retry(fresh(bos_subaccount), acting_user=ada)
    for _ in range(provisioning.MOST_FAULTS):
        shown = attempt(bos_subaccount)
    assert (shown.state, shown.cause) == (State.NEEDS_REVIEW, Cause.OUR_FAULT)

    attention.retry(shown, acting_user=ada)

    assert (fresh(bos_subaccount).state, fresh(bos_subaccount).cause) == (State.UNCERTAIN, Cause.TRIED_AGAIN)
