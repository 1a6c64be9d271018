"""How long rows are kept: what is over goes, in batches, and nothing else does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import claims, customer_care, erasure, people, retention, workers
from accounts.models import (
    Agency,
    Customer,
    Event,
    Finding,
    Invitation,
    Job,
    Note,
    Package,
    State,
    Subaccount,
    User,
    VendorCall,
    ViewAs,
    Worker,
)
from accounts.models.events import reference
from accounts.personal_data import TABLES
from portal.celery import app
from tests import factories
from tests.accounts.canaries import everything

pytestmark = pytest.mark.django_db
NOW = timezone.now()
Make = Callable[[Agency, datetime], Any]


def _session(agency: Agency, moment: datetime) -> Session:
    return Session.objects.create(session_key=f"s{moment.timestamp()}", session_data="", expire_date=moment)


def _listed_session(agency: Agency, moment: datetime) -> UserSession:
    person = factories.person(agency)
    return UserSession.objects.create(
        user=person, ip="127.0.0.1", user_agent="x", session_key=f"k{moment.timestamp()}", created_at=moment
    )


def _done_job(agency: Agency, moment: datetime) -> Job:
    return Job.objects.create(agency=agency, kind="mail", payload={"mail": "x"}, run_at=None, done_at=moment)


def _given_up_job(agency: Agency, moment: datetime) -> Job:
    return Job.objects.create(agency=agency, kind="mail", payload={"mail": "x"}, run_at=None, created_at=moment)


def _vendor_call(agency: Agency, moment: datetime) -> VendorCall:
    return VendorCall.objects.create(agency=agency, endpoint="x", at=moment, milliseconds=1, outcome="ok")


def _finding(agency: Agency, moment: datetime) -> Finding:
    return Finding.objects.create(agency=agency, kind="unbound", vendor_id=f"{moment.timestamp()}", ended_at=moment)


def _view(agency: Agency, moment: datetime) -> ViewAs:
    olu, ada = factories.person(None, is_staff=True), factories.person(agency)
    return ViewAs.objects.create(
        agency=agency, operator=olu, person=ada, token_hash=f"{moment.timestamp()}", expires_at=moment
    )


def _worker(agency: Agency, moment: datetime) -> Worker:
    return Worker.objects.create(name=f"work@{moment.timestamp()}", seen_at=moment)


def _invitation(agency: Agency, moment: datetime, **state: Any) -> Invitation:
    return Invitation.objects.create(
        agency=agency,
        email="guest@shop.example",
        staff_role="analyst",
        token_hash=f"{moment.timestamp()}",
        **{"expires_at": NOW + timedelta(days=999)} | state,
    )


def _never_proven(agency: Agency, moment: datetime) -> User:
    return factories.person(agency, verified=False, date_joined=moment)


CASES: dict[str, tuple[str, Make]] = {
    "an expired session": ("sessions.Session", _session),
    "a listed session that is gone": ("usersessions.UserSession", _listed_session),
    "a done job": ("accounts.Job", _done_job),
    "a job that was given up": ("accounts.Job", _given_up_job),
    "a vendor call": ("accounts.VendorCall", _vendor_call),
    "a difference that is over": ("accounts.Finding", _finding),
    "a view of a console": ("accounts.ViewAs", _view),
    "a silent worker": ("accounts.Worker", _worker),
    "a used invitation": (
        "accounts.Invitation",
        lambda agency, moment: _invitation(agency, moment, accepted_at=moment),
    ),
    "a withdrawn invitation": (
        "accounts.Invitation",
        lambda agency, moment: _invitation(agency, moment, revoked_at=moment),
    ),
    "an invitation that ran out": (
        "accounts.Invitation",
        lambda agency, moment: _invitation(agency, moment, expires_at=moment),
    ),
    "a reason that is about no customer": (
        "accounts.Note",
        lambda agency, moment: Note.objects.create(agency=agency, text="They did not pay.", at=moment),
    ),
    "a sign-up that was never proven": ("accounts.User", _never_proven),
}


def kept_for(table: str) -> timedelta:
    rule = next(rule for rule in retention.RULES if rule.table == table)
    return timedelta(days=getattr(configured, rule.setting)) if rule.setting else timedelta()


def is_there(row: Any) -> bool:
    return bool(type(row)._base_manager.filter(pk=row.pk).exists())


def test_a_minute_takes_out_more_than_a_batch(north: Agency, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "enforce", partial(retention.enforce, batch=3))
    old = timezone.now() - timedelta(days=400)
    Job.objects.bulk_create(Job(kind="refresh", agency=north, run_at=None, done_at=old) for _ in range(10))

    assert retention.catch_up() == 10


@pytest.mark.parametrize("case", CASES)
def test_what_is_over_goes_and_what_is_younger_stays(north: Agency, case: str):
    table, make = CASES[case]
    limit = NOW - kept_for(table)
    old, young = make(north, limit - timedelta(minutes=1)), make(north, limit + timedelta(minutes=1))

    retention.enforce(NOW)

    assert (is_there(old), is_there(young)) == (False, True)


def test_every_rule_is_tried_here_and_stated_with_its_setting():
    assert {table for table, _ in CASES.values()} == {rule.table for rule in retention.RULES}
    for rule in retention.RULES:
        assert rule.setting in TABLES[rule.table].kept
    stated = {word for table in TABLES.values() for word in table.kept.split() if word.startswith("RETENTION_")}
    assert stated == {name for name in dir(configured) if name.startswith("RETENTION_")}


def test_every_table_says_how_long_it_is_kept():
    assert [label for label, table in TABLES.items() if not table.kept] == []
    assert {model._meta.label for model in apps.get_models(include_auto_created=True)} == set(TABLES)


def test_what_still_waits_stays_however_old_it_is(north: Agency):
    waiting = Job.objects.create(agency=north, kind="mail", payload={"mail": "x"}, created_at=NOW - timedelta(days=999))

    retention.enforce(NOW)

    assert is_there(waiting)


def test_a_customers_notes_stay_with_the_customer(north: Agency, bos_company: Customer):
    old = NOW - timedelta(days=9999)
    note = Note.objects.create(agency=north, customer=bos_company, text="Likes it short.", at=old)

    retention.enforce(NOW)

    assert is_there(note)


@pytest.mark.parametrize("case", ["a vendor call", "an invitation that ran out"])
def test_it_deletes_a_batch_at_a_time(north: Agency, case: str):
    for number in range(7):
        CASES[case][1](north, NOW - timedelta(days=99, seconds=number))

    gone = [retention.enforce(NOW, batch=3) for _ in range(4)]

    assert gone == [3, 3, 1, 0]


def test_somebodys_address_that_goes_leaves_an_event_without_it(north: Agency):
    invitation = _invitation(north, NOW, expires_at=NOW - timedelta(days=99))

    retention.enforce(NOW)

    event = Event.objects.for_agency(north).latest("pk")
    assert (event.kind, event.object_id, event.actor_id) == ("invitation.forgotten", str(invitation.pk), None)


def sign_up(agency: Agency, email: str, *, days_ago: int, verified: bool = False) -> User:
    person = factories.person(
        agency, email, verified=verified, first_name="canary", last_name="canary", date_joined=NOW - timedelta(days_ago)
    )
    factories.customer(agency, person, proven=verified, company_name="canary-shop", last_name="canary")
    return person


def test_a_sign_up_that_was_never_proven_goes_with_all_that_came_with_it(north: Agency):
    person = sign_up(north, "canary@shop.example", days_ago=8)
    customer = Customer.objects.for_agency(north).get()

    retention.enforce(NOW)

    assert [line for line in everything().splitlines() if "canary" in line] == []
    assert not Customer.objects.for_agency(north).exists()
    assert not Subaccount.objects.for_agency(north).exists()
    erased = Event.objects.for_agency(north).filter(kind__endswith=".erased").order_by("pk")
    assert [(event.kind, event.data.get("why")) for event in erased][-1] == ("person.erased", "never_proven")
    assert {event.customer_id for event in erased} == {customer.pk, None}
    assert str(person.pk) in {event.object_id for event in erased}


def test_younger_and_proven_sign_ups_stay(north: Agency):
    young = sign_up(north, "young@shop.example", days_ago=6)
    proven = sign_up(north, "proven@shop.example", days_ago=60, verified=True)

    retention.enforce(NOW)

    assert is_there(young)
    assert is_there(proven)
    assert Customer.objects.for_agency(north).count() == 2


def test_who_proves_the_address_at_the_last_moment_stays(north: Agency):
    person = sign_up(north, "late@shop.example", days_ago=8)
    EmailAddress.objects.filter(user=person).update(verified=True)

    assert not erasure.erase_never_proven(person)
    assert is_there(person)


def test_an_address_that_was_never_proven_may_be_signed_up_again(north: Agency):
    first = sign_up(north, "canary@shop.example", days_ago=8)

    retention.enforce(NOW)

    again = sign_up(north, "canary@shop.example", days_ago=0)
    assert again.pk != first.pk
    assert again.memberships.get().customer.subaccount.state == State.AWAITING_EMAIL


def test_one_that_cannot_be_erased_does_not_keep_the_others(north: Agency, monkeypatch: pytest.MonkeyPatch):
    bad, good = (sign_up(north, f"{name}@shop.example", days_ago=8) for name in ("bad", "good"))
    real = erasure.erase_never_proven
    monkeypatch.setattr(erasure, "erase_never_proven", lambda person: 1 / 0 if person == bad else real(person))

    retention.enforce(NOW)

    assert is_there(bad)
    assert not is_there(good)


def wish_of(person: User) -> Subaccount:
    return Subaccount.objects.for_agency(person.agency).select_related("customer__agency").get(customer__contact=person)


def test_a_sign_up_that_was_never_proven_goes_also_if_staff_closed_it(north: Agency, ada: User):
    person = sign_up(north, "canary@shop.example", days_ago=8)
    customer_care.close(wish_of(person).customer, message="", acting_user=ada)

    retention.enforce(NOW)

    assert [line for line in everything().splitlines() if "canary" in line] == []
    assert not Customer.objects.for_agency(north).exists()


def _has_others(wish: Subaccount) -> None:
    factories.member(wish.customer, "viewer")


def _has_others_without_them(wish: Subaccount) -> None:
    wish.customer.memberships.all().delete()
    factories.member(wish.customer, "owner")


def _was_in_the_queue(wish: Subaccount) -> None:
    Event.objects.record("subaccount.requested", agency=wish.agency, customer=wish.customer)


def _changed(**columns: Any) -> Callable[[Subaccount], None]:
    def change(wish: Subaccount) -> None:
        Subaccount.objects.for_agency(wish.agency).filter(pk=wish.pk).update(**columns)

    return change


@pytest.mark.parametrize(
    "went_on",
    [
        _has_others,
        _has_others_without_them,
        _was_in_the_queue,
        _changed(verified_at=NOW),
        _changed(vendor_id="sub_1"),
        _changed(state=State.AWAITING_APPROVAL),
    ],
)
def test_who_stays_for_what_became_of_their_sign_up_keeps_no_others(
    north: Agency, went_on: Callable[[Subaccount], None]
):
    """They would stand first in every batch: it is one question that makes the list and that erases."""
    stays, goes = (sign_up(north, f"{name}@shop.example", days_ago=8) for name in ("stays", "goes"))
    User.objects.filter(pk=stays.pk).update(date_joined=NOW - timedelta(days=9))
    went_on(wish_of(stays))

    retention.enforce(NOW, batch=1)

    assert list(retention._never_proven(NOW)) == []
    assert not erasure.erase_never_proven(stays)
    assert is_there(stays)
    assert not is_there(goes)


def test_a_closed_wish_that_was_erased_keeps_nobody(north: Agency, ada: User):
    """Of a customer that is blank, the row still names its contact where it was erased before that ended."""
    person = sign_up(north, "canary@shop.example", days_ago=8)
    wish = wish_of(person)
    wish.customer.memberships.all().delete()
    _was_in_the_queue(wish)
    Customer.objects.for_agency(north).update(erased_at=NOW, closed_at=NOW, email="", first_name="", last_name="")

    retention.enforce(NOW)

    assert not is_there(person)
    assert Customer.objects.for_agency(north).exists()


@pytest.mark.installation
def test_a_customer_made_by_hand_and_not_accepted_yet_stays(north: Agency, ada: User, package: Package):
    customer = customer_care.add(
        agency=north,
        package=package,
        company_name="Zuid",
        first_name="N",
        last_name="V",
        country="NL",
        email="noor@zuid.example",
        acting_user=ada,
    )

    retention.enforce(NOW + timedelta(days=999))

    assert is_there(customer)
    assert not people.open_invitations(north).filter(customer=customer).exists()


def test_the_clock_calls_it_with_and_without_a_broker():
    assert app.conf.beat_schedule["retention"]["task"] == "accounts.retention.forget"
    app.loader.import_default_modules()
    assert "accounts.retention.forget" in app.tasks


def test_a_sign_of_life_keeps_a_worker(north: Agency):
    _worker(north, NOW - timedelta(days=9))
    workers.beat("work@here")

    retention.enforce(NOW)

    assert list(Worker.objects.values_list("name", flat=True)) == ["work@here"]


@pytest.mark.parametrize("case", ["a vendor call", "a silent worker"])
def test_other_rows_that_go_leave_an_event_of_how_many(north: Agency, case: str):
    table, make = CASES[case]
    for number in range(3):
        make(north, NOW - timedelta(days=999, seconds=number))

    retention.enforce(NOW)
    retention.enforce(NOW)

    [event] = Event.objects.across_agencies().filter(kind="rows.forgotten")
    assert (event.agency, event.data) == (None, {"table": table, "number": 3})


@pytest.mark.parametrize("clock", ["Celery's", "the work command's"])
def test_what_the_clock_does_is_written_down_with_a_reference(north: Agency, clock: str):
    _worker(north, NOW - timedelta(days=999))

    if clock == "Celery's":
        retention.forget.apply(task_id="the-run-of-the-task")
    else:
        names = mock.patch.object(claims, "owner_name", return_value="the-run-of-the-task")
        with names, mock.patch.object(workers, "close_old_connections"):  # the test's own is open still
            workers.guarded(lambda: retention.enforce(NOW))

    [event] = Event.objects.across_agencies().filter(kind="rows.forgotten")
    assert event.request == "the-run-of-the-task"
    assert reference() == "", "what comes after it has none"
