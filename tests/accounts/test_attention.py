"""What waits for a person: which choices there are, and what each of them does at the vendor."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import attention, customer_care, jobs, people, provisioning, refreshes
from accounts.attention import Choice
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Event, Invitation, Job, Membership, Note, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from portal import wording, wording_changes, wording_console
from tests import factories
from tests.accounts.reading import CREATE, LIST, Work, calls, fresh, made

pytestmark = pytest.mark.django_db(transaction=True)
Waiting = Callable[..., Subaccount]


@pytest.fixture
def waiting(bos_subaccount: Subaccount) -> Waiting:
    """Bo's wish, waiting for a person for a cause."""

    def make(cause: Cause, **evidence: Any) -> Subaccount:
        Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk).update(
            state=State.NEEDS_REVIEW, cause=cause, run_at=None, first_look="absent", **evidence
        )
        return fresh(bos_subaccount)

    return make


@pytest.fixture
def sam(north: Agency) -> User:
    return factories.staff(north, "sam@north.example", "support")


@pytest.fixture
def unannounced(sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch) -> Subaccount:
    """Bo's account, whose worker died before it sent word, and which the vendor then lost."""
    with monkeypatch.context() as dead:
        dead.setattr(jobs, "do", lambda job: None)
        provisioning.attempt(bos_subaccount.pk)
    refreshes.missing(fresh(bos_subaccount))
    Job.objects.for_agency(bos_subaccount.agency).update(lease_owner="", lease_until=None)
    while jobs.run():
        pass
    assert not [message for message in mail.outbox if "Your account is ready" in message.subject + message.body]
    return bos_subaccount


def offered(subaccount: Subaccount) -> dict[Choice, Any]:
    return {option.choice: option for option in attention.options(subaccount)}


def kinds(subaccount: Subaccount) -> list[str]:
    rows = Event.objects.for_agency(subaccount.agency).filter(customer_id=subaccount.customer_id).order_by("pk")
    return list(rows.values_list("kind", flat=True))


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause and cause != Cause.NO_ROOM])
def test_every_cause_has_a_way_on_and_a_way_out(cause: Cause, waiting: Waiting):
    choices = offered(waiting(cause))

    assert {Choice.DISMISS, Choice.CLOSE} < set(choices)
    assert {Choice.RETRY, Choice.LOOK} & set(choices)


def test_what_the_vendor_only_named_is_linked_by_an_owner_or_not_at_all(waiting: Waiting, sam: User):
    named = waiting(Cause.CONTRADICTION, candidates=["sub_424242"])

    assert offered(named)[Choice.LINK].for_owner
    assert not any(check.is_good for check in wording_changes.link_checks(named))
    with pytest.raises(NotAllowed):
        attention.link(named, vendor_id="sub_424242", reason="It looks like it", acting_user=sam)


def test_try_again_looks_before_it_asks(sandbox: Sandbox, waiting: Waiting, sam: User, work: Work):
    subaccount = waiting(Cause.ATTEMPTS_USED_UP, attempts=8)

    attention.retry(subaccount, acting_user=sam)
    after = work(subaccount)

    assert after.state == State.ACTIVE
    assert (calls(sandbox, LIST), calls(sandbox, CREATE), made(sandbox)) == (1, 1, 1)
    assert "attention.retry" in kinds(subaccount)


def test_try_again_finds_an_account_that_is_there_instead_of_making_another(
    sandbox: Sandbox, waiting: Waiting, sam: User, work: Work
):
    there = sandbox.add_subaccount("north-id", email="bo@shop.example")
    subaccount = waiting(Cause.ATTEMPTS_USED_UP, had_unknown_outcome=True)

    attention.retry(subaccount, acting_user=sam)

    assert work(subaccount).vendor_id == there
    assert calls(sandbox, CREATE) == 0


def test_look_again_never_asks_for_an_account(sandbox: Sandbox, waiting: Waiting, sam: User, work: Work):
    subaccount = waiting(Cause.EXISTED_BEFORE, candidates=["sub_4711"])

    attention.look(subaccount, acting_user=sam)
    after = work(subaccount)

    assert (after.state, after.cause, after.candidates) == (State.NEEDS_REVIEW, Cause.NOTHING_LISTED, [])
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (1, 0)
    assert "subaccount.looked" in kinds(subaccount)


def test_an_account_of_the_same_address_is_linked_by_support(sandbox: Sandbox, waiting: Waiting, sam: User, work: Work):
    there = sandbox.add_subaccount("north-id", email="Bo@Shop.example")
    subaccount = waiting(Cause.EXISTED_BEFORE, candidates=[there])

    attention.link(subaccount, vendor_id=there, reason="She read me the number.", acting_user=sam)
    after = work(subaccount)

    assert (after.state, after.vendor_id) == (State.ACTIVE, there)
    assert calls(sandbox, CREATE) == 0
    note = Note.objects.for_agency(subaccount.agency).get()
    assert (note.text, note.event.kind, note.author_id) == ("She read me the number.", "attention.link", sam.pk)
    assert "She" not in str(note.event.data)


def test_another_address_is_linked_by_an_owner_only(
    sandbox: Sandbox, waiting: Waiting, sam: User, ada: User, work: Work
):
    there = sandbox.add_subaccount("north-id", email="old@shop.example")
    subaccount = waiting(Cause.EMAIL_TAKEN_ELSEWHERE)

    with pytest.raises(NotAllowed):
        attention.link(subaccount, vendor_id=there, reason="x", acting_user=sam)
    attention.link(subaccount, vendor_id=there, reason="Her old address.", acting_user=ada)

    assert work(subaccount).vendor_id == there


@pytest.mark.parametrize("trouble", ["not listed", "another address", "bound", "in the making"])
def test_a_link_that_the_vendors_list_does_not_bear_out_is_refused(
    trouble: str, sandbox: Sandbox, north: Agency, waiting: Waiting, ada: User, work: Work, settings: Any
):
    kim = factories.customer(north, factories.person(north, "kim@shop.example")).subaccount
    Subaccount.objects.for_agency(north).filter(pk=kim.pk).update(run_at=None)
    address = {"another address": "old@shop.example", "in the making": "kim@shop.example"}.get(trouble)
    there = sandbox.add_subaccount("north-id", email=address or "bo@shop.example")
    if trouble == "not listed":
        there = "sub_999999"
    if trouble == "bound":
        Subaccount.objects.for_agency(north).filter(pk=kim.pk).update(state=State.ACTIVE, vendor_id=there)
    subaccount = waiting(Cause.EXISTED_BEFORE, candidates=[there])

    attention.link(subaccount, vendor_id=there, reason="x", acting_user=ada)
    after = work(subaccount)

    assert (after.state, after.vendor_id, after.wanted_vendor_id) == (State.NEEDS_REVIEW, "", "")
    assert (
        after.cause
        == {
            "not listed": Cause.LINK_NOT_LISTED,
            "another address": Cause.LINK_OTHER_ADDRESS,
            "bound": Cause.BOUND_ELSEWHERE,
            "in the making": Cause.LINK_IN_THE_MAKING,
        }[trouble]
    )


def test_another_address_starts_with_its_confirmation(
    sandbox: Sandbox, waiting: Waiting, sam: User, work: Work, north: Agency
):
    subaccount = waiting(Cause.EMAIL_TAKEN_ELSEWHERE)

    attention.change_address(subaccount, email="new@shop.example", acting_user=sam)
    while jobs.run():
        pass
    before = fresh(subaccount)
    assert (before.state, before.email, before.verified_at) == (State.AWAITING_EMAIL, "new@shop.example", None)
    assert not provisioning.attempt()
    invitation = Invitation.objects.for_agency(north).get(email="new@shop.example")
    assert mail.outbox[-1].to == ["new@shop.example"]
    people.accept_invitation(invitation, password="oven window bicycle")

    after = work(subaccount)
    assert (after.state, after.email) == (State.ACTIVE, "new@shop.example")
    assert [effect["email"] for effect in sandbox.effects("subaccount_created")] == ["new@shop.example"]


def test_another_address_is_offered_where_another_customer_has_this_one(
    sandbox: Sandbox, north: Agency, bo: User, bos_subaccount: Subaccount, sam: User, work: Work
):
    work(bos_subaccount)
    second = work(factories.customer(north, bo).subaccount)
    assert second.cause == Cause.BOUND_ELSEWHERE
    assert offered(second)[Choice.CHANGE_ADDRESS].is_advised
    words = wording_console.choices(second, role="support")
    assert "stays with the customer who has it" in next(str(it.why) for it in words if it.choice == "change_address")
    assert "another customer's" in wording_changes.words("address", second.customer).vendor

    attention.change_address(second, email="other@shop.example", acting_user=sam)

    assert (fresh(second).state, fresh(second).email) == (State.AWAITING_EMAIL, "other@shop.example")


def test_no_other_address_while_an_account_beside_the_other_customers_may_be_theirs(
    sandbox: Sandbox, north: Agency, bo: User, bos_subaccount: Subaccount, work: Work
):
    bound = work(bos_subaccount)
    second = work(factories.customer(north, bo).subaccount)
    Subaccount.objects.for_agency(north).filter(pk=second.pk).update(candidates=[bound.vendor_id, "sub_424242"])

    assert Choice.CHANGE_ADDRESS not in offered(fresh(second))


def test_no_other_address_while_one_may_have_been_made_for_the_old(waiting: Waiting, sam: User):
    subaccount = waiting(Cause.ATTEMPTS_USED_UP, had_unknown_outcome=True)

    assert Choice.CHANGE_ADDRESS not in offered(subaccount)
    with pytest.raises(NotAllowed):
        attention.change_address(subaccount, email="new@shop.example", acting_user=sam)


@pytest.mark.parametrize("choice", ["look", "link"])
def test_who_chooses_while_the_vendor_has_us_wait_reads_when_it_is_asked_and_not_that_it_is(
    choice: str, sandbox: Sandbox, waiting: Waiting, ada: User, work: Work
):
    subaccount = waiting(Cause.REFUSED)
    if choice == "look":
        attention.look(subaccount, acting_user=ada)
    else:
        attention.link(subaccount, vendor_id="sub_424242", reason="They told us", acting_user=ada)
    at_once = wording_console.what_happens_next(fresh(subaccount))
    sandbox.fault(LIST, "throttle", retry_after=3600)

    later = wording_console.what_happens_next(work(subaccount))

    assert "right now" in at_once or "This takes a moment" in at_once
    assert "right now" not in later
    assert "This takes a moment" not in later
    assert "soon as the vendor can be asked again" in later
    assert wording.next_look_sentence(fresh(subaccount).run_at, timezone.now()) in later
    assert ("sub_424242" in later) == (choice == "link")


def test_a_missing_account_comes_back_when_the_vendor_has_it_again(
    sandbox: Sandbox, active: Subaccount, sam: User, work: Work
):
    refreshes.missing(active)
    missing = fresh(active)

    attention.look(missing, acting_user=sam)

    assert work(missing).state == State.ACTIVE


@pytest.mark.parametrize("way", ["looked for", "linked"])
def test_who_was_not_told_that_the_account_is_ready_hears_it_when_it_is_found_again(
    way: str, sandbox: Sandbox, unannounced: Subaccount, ada: User, work: Work
):
    for _ in range(2):  # what was sent once is not sent again
        back = fresh(unannounced)
        if way == "linked":
            attention.link(back, vendor_id=back.vendor_id, reason="x", acting_user=ada)
        else:
            attention.look(back, acting_user=ada)
        assert work(back).state == State.ACTIVE
        refreshes.missing(fresh(back))

    assert len([message for message in mail.outbox if message.to == ["bo@shop.example"]]) == 1


@pytest.mark.parametrize("whose", ["another customer's", "another agency's"])
@pytest.mark.parametrize("what", ["is on its way", "was sent"])
def test_the_mail_of_somebody_else_is_none_of_theirs(
    what: str, whose: str, sandbox: Sandbox, unannounced: Subaccount, south: Agency, sam: User, work: Work
):
    here = unannounced.agency
    other = factories.customer(here, factories.person(here, "kim@shop.example"), proven=False)
    agency, customer = (here, other) if whose == "another customer's" else (south, unannounced.customer)
    if what == "was sent":
        Event.objects.record("mail.sent", agency=agency, customer=customer, mail="account_ready")
    else:
        payload, tomorrow = {"mail": "account_ready", "customer": other.pk}, timezone.now() + timedelta(days=1)
        Job.objects.create(kind="mail", agency=agency, customer_id=customer.pk, payload=payload, run_at=tomorrow)

    attention.look(fresh(unannounced), acting_user=sam)
    work(unannounced)

    assert [message.to for message in mail.outbox if "ready" in message.subject] == [["bo@shop.example"]]


def test_a_missing_account_is_made_anew_by_an_owner_only_and_once(
    sandbox: Sandbox, active: Subaccount, sam: User, ada: User, work: Work
):
    old = active.vendor_id
    sandbox.remove_subaccount(old)
    refreshes.missing(active)
    missing = fresh(active)

    with pytest.raises(NotAllowed):
        attention.make_new(missing, reason="x", acting_user=sam)
    attention.make_new(missing, reason="They agreed.", acting_user=ada)
    after = work(missing)

    assert after.state == State.ACTIVE
    assert after.vendor_id != old
    assert made(sandbox) == 1


def test_set_aside_until_something_changes(waiting: Waiting, sam: User):
    subaccount = waiting(Cause.REFUSED)

    attention.dismiss(subaccount, acting_user=sam)
    assert fresh(subaccount).dismissed_at is not None
    attention.retry(fresh(subaccount), acting_user=sam)

    assert fresh(subaccount).dismissed_at is None
    assert "attention.dismiss" in kinds(subaccount)


def test_nothing_is_asked_of_the_vendor_before_somebody_said_yes(
    sandbox: Sandbox, north: Agency, bo: User, ada: User, work: Work
):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    bo.agency = north
    subaccount = factories.customer(north, bo).subaccount
    assert subaccount.state == State.AWAITING_APPROVAL
    assert not provisioning.attempt()

    attention.approve(fresh(subaccount), acting_user=ada)

    assert work(subaccount).state == State.ACTIVE
    assert kinds(subaccount)[-3:] != []
    assert "customer.approved" in kinds(subaccount)


def test_a_declined_sign_up_ends_with_a_sentence(sandbox: Sandbox, north: Agency, bo: User, ada: User, work: Work):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    bo.agency = north
    subaccount = factories.customer(north, bo).subaccount

    attention.decline(fresh(subaccount), message="We only serve shops in Utrecht.", acting_user=ada)
    after = work(subaccount)

    assert after.state == State.CLOSED
    assert after.customer.message == "We only serve shops in Utrecht."
    assert "We only serve shops in Utrecht." in mail.outbox[-1].body
    assert sandbox.requests() == []
    with pytest.raises(NotAllowed):
        attention.approve(after, acting_user=ada)


def test_the_same_address_is_proven_already_where_an_owner_has_it(
    north: Agency, waiting: Waiting, sam: User, bos_subaccount: Subaccount
):
    kim = factories.person(north, "kim@shop.example")
    Membership.objects.create(person=kim, customer=bos_subaccount.customer, role="owner")
    subaccount = waiting(Cause.EMAIL_INVALID)

    attention.change_address(subaccount, email="kim@shop.example", acting_user=sam)

    assert fresh(subaccount).state == State.REQUESTED


def test_nobody_is_approved_twice_and_whom_staff_made_not_at_all(
    north: Agency, waiting: Waiting, sam: User, ada: User, bos_subaccount: Subaccount
):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    subaccount = waiting(Cause.EMAIL_TAKEN_ELSEWHERE)
    attention.change_address(subaccount, email="new@shop.example", acting_user=sam)
    people.accept_invitation(
        Invitation.objects.for_agency(north).select_related("agency", "customer__agency").get(customer__isnull=False),
        password="oven window bicycle",
    )
    by_hand = customer_care.add(
        agency=north,
        package=north.packages.get(name="Plus"),
        company_name="By hand",
        first_name="N",
        last_name="N",
        country="NL",
        email="hand@shop.example",
        acting_user=ada,
    )
    people.accept_invitation(
        Invitation.objects.for_agency(north).select_related("agency", "customer__agency").get(customer=by_hand),
        password="oven window bicycle",
    )

    assert fresh(subaccount).state == State.REQUESTED
    assert fresh(by_hand.subaccount).state == State.REQUESTED
