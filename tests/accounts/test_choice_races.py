"""Staff and the worker at one row at the same time; choices one after the other: nothing lost, doubled or untrue."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import (
    attention,
    claimed,
    customer_care,
    customers,
    operators,
    provisioning,
    refreshes,
    vendor,
    vendor_accounts,
)
from accounts.attention import Choice
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Customer, Event, Job, PanelTask, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import CREATE, LIST, Work, calls, fresh, made

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sam(north: Agency) -> User:
    return factories.staff(north, "sam@north.example", "support")


def put(subaccount: Subaccount, **row: Any) -> Subaccount:
    Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk).update(**row)
    return fresh(subaccount)


def in_review(subaccount: Subaccount, cause: Cause, **evidence: Any) -> Subaccount:
    facts: dict[str, Any] = {"state": State.NEEDS_REVIEW, "run_at": None, "first_look": "absent"}
    return put(subaccount, cause=cause, **(facts | evidence))


def test_a_try_while_the_worker_looks_is_not_lost(
    sandbox: Sandbox, bos_subaccount: Subaccount, sam: User, while_looking: Any, work: Work
):
    waiting = in_review(bos_subaccount, Cause.REFUSED)
    attention.look(waiting, acting_user=sam)
    while_looking(lambda: attention.retry(fresh(waiting), acting_user=sam))

    assert provisioning.attempt(waiting.pk)
    assert fresh(waiting).run_at is not None
    assert work(waiting).state == State.ACTIVE
    assert made(sandbox) == 1


def test_a_link_while_the_worker_looks_is_not_lost(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, while_looking: Any, work: Work
):
    there = sandbox.add_subaccount("north-id", email="old@shop.example")
    waiting = in_review(bos_subaccount, Cause.ATTEMPTS_USED_UP)
    attention.look(waiting, acting_user=ada)
    while_looking(lambda: attention.link(fresh(waiting), vendor_id=there, reason="Her old address", acting_user=ada))

    provisioning.attempt(waiting.pk)

    assert work(waiting).vendor_id == there


def test_a_customer_that_is_closed_while_the_worker_looks_stays_closed_and_is_left_alone(
    sandbox: Sandbox, bos_subaccount: Subaccount, sam: User, while_looking: Any
):
    waiting = in_review(bos_subaccount, Cause.REFUSED)
    attention.look(waiting, acting_user=sam)
    while_looking(lambda: customer_care.close(fresh(waiting).customer, message="x", acting_user=sam))

    provisioning.attempt(waiting.pk)

    assert (fresh(waiting).state, fresh(waiting).run_at) == (State.CLOSED, None)


def test_a_wish_to_link_ends_with_the_next_choice(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, sam: User, work: Work
):
    """Else "look again", which anybody may press, would carry out what only an owner may."""
    stranger = sandbox.add_subaccount("north-id", email="stranger@else.example")
    waiting = in_review(bos_subaccount, Cause.REFUSED)
    attention.link(waiting, vendor_id=stranger, reason="A mistake", acting_user=ada)
    attention.retry(fresh(waiting), acting_user=sam)
    sandbox.fault(CREATE, "status", status=422, codes=[303])
    again = work(waiting)
    assert (again.state, again.wanted_vendor_id, again.wanted_in_spite) == (State.NEEDS_REVIEW, "", False)

    attention.look(again, acting_user=sam)

    assert work(again).vendor_id != stranger


@pytest.mark.parametrize("cause", [Cause.CONTRADICTION, Cause.NOTHING_LISTED])
def test_what_may_be_there_is_proven_absent_before_another_is_asked_for(
    cause: Cause, sandbox: Sandbox, bos_subaccount: Subaccount, sam: User, settings: Any
):
    settings.PROVISIONING_QUARANTINE_SECONDS = 120.0
    waiting = in_review(bos_subaccount, cause)

    attention.retry(waiting, acting_user=sam)
    provisioning.attempt(waiting.pk)

    assert fresh(waiting).state == State.UNCERTAIN
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (1, 0)


def test_an_answer_with_somebody_elses_id_may_have_made_ours(
    sandbox: Sandbox, bos_subaccount: Subaccount, sam: User, work: Work, settings: Any
):
    """F17: the account is there under an id of its own. It is found and linked, not made twice or orphaned."""
    theirs = sandbox.add_subaccount("north-id", email="other@shop.example")
    sandbox.fault(CREATE, "wrong_id", id=theirs)
    review = work(bos_subaccount)
    assert (review.cause, review.had_unknown_outcome) == (Cause.CONTRADICTION, True)
    assert Choice.CHANGE_ADDRESS not in {option.choice for option in attention.options(review)}

    attention.retry(review, acting_user=sam)
    after = work(review)

    assert (after.state, made(sandbox)) == (State.ACTIVE, 1)
    assert after.vendor_id == sandbox.effects("subaccount_created")[0]["subaccount"] != theirs


def another_account(sandbox: Sandbox, north: Agency, ada: User) -> None:
    sandbox.add_account("new-id", "new-secret", packages=["pac_1", "pac_2"])
    vendor_accounts.store(north, client_id="new-id", client_secret="new-secret", acting_user=ada)
    vendor_accounts.check(north, slot=2, acting_user=ada)


def test_another_client_id_waits_for_what_may_have_been_made_under_the_present_one(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, ada: User
):
    in_review(bos_subaccount, Cause.LISTED_TWICE, had_unknown_outcome=True, candidates=["sub_1", "sub_2"])
    another_account(sandbox, north, ada)

    with pytest.raises(vendor_accounts.InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)


def test_a_create_goes_out_with_the_credentials_of_its_look_or_not_at_all(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, ada: User, while_looking: Any, work: Work
):
    another_account(sandbox, north, ada)
    while_looking(lambda: vendor_accounts.switch(north, slot=2, acting_user=ada))

    provisioning.attempt(bos_subaccount.pk)
    assert made(sandbox) == 0
    after = work(bos_subaccount)

    account = VendorAccount.objects.select_related("active_credential").get(agency=north)
    assert account.active_credential.slot == 2
    assert after.vendor_id in {str(row.id) for row in vendor.try_credential(account.active_credential)}


def test_an_agency_that_is_stopped_during_the_look_asks_for_nothing(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, while_looking: Any
):
    olu = factories.operator()
    while_looking(lambda: operators.stop(north, reason="Unpaid", acting_user=olu))

    provisioning.attempt(bos_subaccount.pk)

    north.refresh_from_db()
    assert (north.stopped_at is not None, made(sandbox)) == (True, 0)


def test_the_package_that_is_chosen_during_the_look_is_the_one_asked_for(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, ada: User, while_looking: Any
):
    plus = north.packages.get(name="Plus")
    while_looking(lambda: customer_care.change_package(fresh(bos_subaccount).customer, package=plus, acting_user=ada))

    provisioning.attempt(bos_subaccount.pk)

    assert sandbox.effects("subaccount_created")[0]["package"] == "pac_2"
    assert fresh(bos_subaccount).customer.package == plus


def test_an_account_made_anew_gives_a_customer_no_trial_again(
    sandbox: Sandbox, active: Subaccount, ada: User, work: Work
):
    Customer.objects.for_agency(active.agency).update(trial_ends_on=timezone.localdate() + timedelta(days=3))
    customer_care.convert(fresh(active).customer, acting_user=ada)
    sandbox.remove_subaccount(active.vendor_id)
    refreshes.missing(fresh(active))

    attention.make_new(fresh(active), reason="They agreed.", acting_user=ada)
    after = work(active)

    assert after.state == State.ACTIVE
    assert (after.customer.trial_ends_on, after.expiry_date, after.facts.get("campaigns")) == (None, None, 0)
    assert sandbox.effects("subaccount_created")[-1]["status"] == "customer"


def test_a_pause_before_there_is_an_account_leaves_its_task_and_no_mail_that_says_start(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, work: Work
):
    customer_care.pause(bos_subaccount.customer, message="One moment", acting_user=ada)
    after = work(bos_subaccount)

    assert after.state == State.ACTIVE
    assert PanelTask.objects.for_agency(after.agency).get(done_at=None).kind == PanelTask.Kind.BLOCK
    sent = Job.objects.for_agency(after.agency).filter(kind="mail").values_list("payload__mail", flat=True)
    assert "account_ready" not in sent


def test_a_second_click_changes_nothing(active: Subaccount, ada: User):
    first, second = fresh(active).customer, fresh(active).customer
    customer_care.pause(first, message="x", acting_user=ada)
    with pytest.raises(NotAllowed):
        customer_care.pause(second, message="y", acting_user=ada)
    first, second = fresh(active).customer, fresh(active).customer
    customer_care.resume(first, acting_user=ada)
    with pytest.raises(NotAllowed):
        customer_care.resume(second, acting_user=ada)

    assert not PanelTask.objects.for_agency(active.agency).filter(done_at=None).exists()


def test_what_is_not_paused_is_not_resumed(active: Subaccount, ada: User):
    with pytest.raises(NotAllowed):
        customer_care.resume(fresh(active).customer, acting_user=ada)


def test_a_trial_that_became_a_customer_is_not_extended_by_a_page_from_before(active: Subaccount, ada: User):
    Customer.objects.for_agency(active.agency).update(trial_ends_on=timezone.localdate())
    stale = fresh(active).customer
    customer_care.convert(fresh(active).customer, acting_user=ada)

    with pytest.raises(NotAllowed):
        customer_care.extend_trial(stale, ends_on=timezone.localdate() + timedelta(days=9), reason="x", acting_user=ada)
    assert fresh(active).customer.trial_ends_on is None


def test_a_closed_wish_names_the_accounts_that_were_seen_for_it(bos_subaccount: Subaccount, ada: User):
    waiting = in_review(bos_subaccount, Cause.LISTED_TWICE, candidates=["sub_1", "sub_2"])

    customer_care.close(waiting.customer, message="x", acting_user=ada)

    task = PanelTask.objects.for_agency(waiting.agency).get()
    assert (task.kind, task.data) == (PanelTask.Kind.DELETE, {"unproven": ["sub_1", "sub_2"]})


def test_a_wish_that_nobody_can_look_for_names_what_its_create_told(bos_subaccount: Subaccount, ada: User):
    put(
        bos_subaccount,
        state=State.UNCERTAIN,
        cause=Cause.UNCLEAR_ANSWER,
        had_unknown_outcome=True,
        candidates=["sub_4711"],
        uncertain_since=timezone.now() - timedelta(hours=1),
    )
    VendorAccount.objects.filter(agency=bos_subaccount.agency).update(trouble="credentials")
    waiting = fresh(bos_subaccount)
    assert customer_care.leaves_an_account(waiting)

    customer_care.close(waiting.customer, message="x", acting_user=ada)

    task = PanelTask.objects.for_agency(waiting.agency).get()
    assert (task.kind, task.data) == (PanelTask.Kind.DELETE, {"unproven": ["sub_4711"]})


def test_the_end_at_the_vendor_follows_the_tick(active: Subaccount, ada: User):
    today = timezone.localdate()
    Customer.objects.for_agency(active.agency).update(trial_ends_on=today)
    put(active, expiry_date=today)
    later = today + timedelta(days=9)
    customer_care.extend_trial(fresh(active).customer, ends_on=later, reason="x", acting_user=ada)
    task = PanelTask.objects.for_agency(active.agency).select_related("customer__agency").get()

    customer_care.tick(task, acting_user=ada)

    assert fresh(active).expiry_date == later


def test_no_other_address_while_an_account_is_listed_for_this_one(bos_subaccount: Subaccount, ada: User):
    waiting = in_review(bos_subaccount, Cause.EXISTED_BEFORE, candidates=["sub_4711"])

    with pytest.raises(NotAllowed):
        attention.change_address(waiting, email="new@shop.example", acting_user=ada)


def test_somebody_who_joins_later_counts_as_signed_in(north: Agency, bo: User, bos_company: Customer):
    customers.note_sign_in(bo)

    bos_company.refresh_from_db()
    assert bos_company.first_sign_in_at is not None


@pytest.mark.parametrize("state", [State.NEEDS_REVIEW, State.MISSING])
def test_an_account_that_somebody_else_got_first_is_not_linked_twice(
    state: State, sandbox: Sandbox, north: Agency, active: Subaccount, settings: Any
):
    kim = factories.customer(north, factories.person(north, "kim@shop.example")).subaccount
    put(kim, state=state, wanted_vendor_id=active.vendor_id, lease_owner="the worker")

    claimed.Claimed(fresh(kim), owner="the worker").bind(active.vendor_id)

    after = fresh(kim)
    assert (after.state, after.cause, after.vendor_id) == (state, Cause.BOUND_ELSEWHERE, "")
    assert (after.wanted_vendor_id, after.lease_owner) == ("", "")
    assert (after.run_at is None) == (state == State.NEEDS_REVIEW), "what is missing is looked for every hour"
    looked = Event.objects.for_agency(north).get(kind="subaccount.looked")
    assert (looked.customer_id, looked.data["cause"]) == (kim.customer_id, Cause.BOUND_ELSEWHERE)


def test_a_fault_of_ours_while_staff_wait_is_tried_again(
    sandbox: Sandbox, bos_subaccount: Subaccount, sam: User, while_looking: Any
):
    waiting = in_review(bos_subaccount, Cause.REFUSED)
    attention.look(waiting, acting_user=sam)

    def fault() -> None:
        raise RuntimeError("ours")

    while_looking(fault)
    provisioning.attempt(waiting.pk)

    after = fresh(waiting)
    assert (after.state, after.cause, after.lease_owner) == (State.NEEDS_REVIEW, Cause.REFUSED, "")
    assert after.run_at is not None
    assert after.run_at > timezone.now()


def test_a_second_try_makes_nothing_while_an_id_stands_there_that_was_told_once(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, work: Work
):
    """A look of a person's own takes it away where no list shows it in time: then it is theirs to try again."""
    told = {"cause": Cause.CONTRADICTION, "candidates": ["sub_424242"], "had_unknown_outcome": True, "run_at": None}
    Subaccount.objects.for_agency(bos_subaccount.agency).update(state=State.NEEDS_REVIEW, **told)

    attention.retry(fresh(bos_subaccount), acting_user=ada)
    again = work(bos_subaccount)
    assert (again.state, again.cause, again.candidates) == (State.NEEDS_REVIEW, Cause.CONTRADICTION, ["sub_424242"])
    assert calls(sandbox, CREATE) == 0

    attention.look(fresh(bos_subaccount), acting_user=ada)
    assert work(bos_subaccount).candidates == []
    attention.retry(fresh(bos_subaccount), acting_user=ada)
    assert work(bos_subaccount).state == State.ACTIVE
    assert calls(sandbox, CREATE) == 1
