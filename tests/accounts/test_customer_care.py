"""A customer's life with the agency: what changes here, and what becomes a task for the vendor's panel."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import customer_care, jobs, people
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Invitation, Note, PanelTask, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import Work, fresh

pytestmark = pytest.mark.django_db(transaction=True)


def tasks(customer: Customer) -> dict[str, dict[str, Any]]:
    rows = PanelTask.objects.for_agency(customer.agency).filter(customer=customer, done_at=None)
    return {task.kind: task.data for task in rows}


def last_event(customer: Customer) -> Event:
    return Event.objects.for_agency(customer.agency).filter(customer_id=customer.pk).order_by("-pk")[0]


@pytest.fixture
def customer(active: Subaccount) -> Customer:
    active.customer.trial_ends_on = timezone.localdate() + timedelta(days=5)
    active.customer.save()
    return active.customer


def test_made_by_hand_and_invited_it_waits_like_a_sign_up(sandbox: Sandbox, north: Agency, ada: User, work: Work):
    made = customer_care.add(
        agency=north,
        package=north.packages.get(name="Plus"),
        company_name="Café Zuid",
        first_name="Noor",
        last_name="Visser",
        country="NL",
        email="Noor@Zuid.example",
        acting_user=ada,
    )
    subaccount = fresh(made.subaccount)
    assert (subaccount.state, subaccount.email) == (State.AWAITING_EMAIL, "noor@zuid.example")
    while jobs.run():
        pass
    assert mail.outbox[-1].to == ["noor@zuid.example"]
    people.accept_invitation(Invitation.objects.for_agency(north).get(customer=made), password="oven window bicycle")

    after = work(subaccount)

    assert after.state == State.ACTIVE
    assert after.customer.memberships.get().role == "owner"


def test_a_pause_takes_the_buttons_at_once_and_leaves_a_task(customer: Customer, ada: User, bo_client: Any):
    customer_care.pause(customer, message="Please pay us first.", acting_user=ada)

    page = bo_client.get(f"/c/{customer.public_id}/")
    launch = bo_client.post(f"/c/{customer.public_id}/launch/", {"page": ""})
    assert b"Please pay us first." in page.content
    assert b'data-state="paused"' in page.content
    assert launch.status_code == 409
    assert tasks(customer) == {"block": {}}
    refused, paused = last_event(customer), Event.objects.for_agency(customer.agency).filter(kind="customer.paused")
    assert (refused.kind, refused.outcome, paused.count()) == ("launch", "paused", 1)
    while jobs.run():
        pass
    assert "Please pay us first." in mail.outbox[-1].body


def test_a_resume_withdraws_the_block_that_nobody_did(customer: Customer, ada: User, bo_client: Any):
    customer_care.pause(customer, message="x", acting_user=ada)
    customer_care.resume(customer, acting_user=ada)

    assert tasks(customer) == {}
    assert bo_client.post(f"/c/{customer.public_id}/launch/", {"page": ""}).status_code == 303


def test_a_resume_undoes_the_block_that_was_done(customer: Customer, ada: User):
    customer_care.pause(customer, message="x", acting_user=ada)
    customer_care.tick(PanelTask.objects.for_agency(customer.agency).get(), acting_user=ada)
    customer_care.resume(customer, acting_user=ada)

    assert tasks(customer) == {"unblock": {}}
    assert Event.objects.for_agency(customer.agency).filter(kind="panel_task.done").count() == 1


def test_a_longer_trial_keeps_its_reason_and_leaves_a_task_where_an_end_was_sent(customer: Customer, ada: User):
    Subaccount.objects.for_agency(customer.agency).update(expiry_date=customer.trial_ends_on)
    customer.subaccount.refresh_from_db()
    later = customer.trial_ends_on + timedelta(days=14)

    customer_care.extend_trial(customer, ends_on=later, reason="Renovation", acting_user=ada)

    customer.refresh_from_db()
    assert customer.trial_ends_on == later
    assert tasks(customer) == {"change_expiry": {"date": later.isoformat()}}
    assert Note.objects.for_agency(customer.agency).get(event=last_event(customer)).text == "Renovation"


def test_a_trial_is_never_made_shorter(customer: Customer, ada: User):
    with pytest.raises(NotAllowed):
        customer_care.extend_trial(customer, ends_on=customer.trial_ends_on, reason="x", acting_user=ada)


def test_a_trial_becomes_a_customer_once(customer: Customer, ada: User):
    customer_care.convert(customer, acting_user=ada)

    customer.refresh_from_db()
    assert (customer.trial_ends_on, bool(customer.converted_at)) == (None, True)
    assert set(tasks(customer)) == {"make_customer"}
    with pytest.raises(NotAllowed):
        customer_care.convert(customer, acting_user=ada)


def test_a_close_ends_it_here_and_deletes_nothing_there(
    customer: Customer, ada: User, sandbox: Sandbox, bo_client: Any
):
    sandbox.clear_ledger()
    customer_care.close(customer, message="Good luck with the new shop.", acting_user=ada)

    page = bo_client.get(f"/c/{customer.public_id}/")
    assert b"Good luck with the new shop." in page.content
    assert b'data-state="closed"' in page.content
    assert bo_client.post(f"/c/{customer.public_id}/launch/", {"page": ""}).status_code == 409
    assert set(tasks(customer)) == {"delete"}
    assert sandbox.requests() == []
    with pytest.raises(NotAllowed):
        customer_care.pause(customer, message="x", acting_user=ada)


@pytest.mark.parametrize("state", [State.CREATING, State.UNCERTAIN])
def test_nothing_is_closed_while_an_account_may_be_in_the_making(state: State, bos_subaccount: Subaccount, ada: User):
    Subaccount.objects.for_agency(bos_subaccount.agency).update(state=state)

    with pytest.raises(NotAllowed):
        customer_care.close(fresh(bos_subaccount).customer, message="x", acting_user=ada)
    assert fresh(bos_subaccount).customer.closed_at is None


def test_a_package_is_changed_by_hand_once_there_is_an_account(customer: Customer, ada: User, north: Agency):
    plus = north.packages.get(name="Plus")

    customer_care.change_package(customer, package=plus, acting_user=ada)

    customer.refresh_from_db()
    assert customer.package == plus
    assert tasks(customer) == {"change_package": {"package": "pac_2"}}


def test_the_package_of_a_wish_is_what_is_asked_for(
    sandbox: Sandbox, bos_company: Customer, ada: User, north: Agency, work: Work
):
    customer_care.change_package(bos_company, package=north.packages.get(name="Plus"), acting_user=ada)
    work(bos_company.subaccount)

    assert sandbox.effects("subaccount_created")[0]["package"] == "pac_2"
    assert tasks(bos_company) == {}


def test_the_next_step_is_mailed_once_a_week(customer: Customer, ada: User):
    Customer.objects.for_agency(customer.agency).update(first_campaign_at=None)
    customer.refresh_from_db()

    customer_care.remind(customer, acting_user=ada)
    with pytest.raises(NotAllowed):
        customer_care.remind(customer, acting_user=ada)
    while jobs.run():
        pass

    assert [message.subject for message in mail.outbox if message.to == [customer.email]] == ["Your next step"]


def test_a_note_is_for_staff_and_stays_out_of_the_events(customer: Customer, ada: User, bo_client: Any):
    customer_care.add_note(customer, text="Pays late", acting_user=ada)

    assert "Pays late" not in str(list(Event.objects.for_agency(customer.agency).values_list("data")))
    assert b"Pays late" not in bo_client.get(f"/c/{customer.public_id}/").content


def test_the_worker_notes_launches_and_the_first_steps(customer: Customer, bo_client: Any, settings: Any):
    bo_client.post(f"/c/{customer.public_id}/launch/", {"page": ""})
    assert factories.Job.objects.for_agency(customer.agency).filter(kind="refresh").update(run_at=timezone.now())
    while jobs.run():
        pass

    customer.refresh_from_db()
    assert customer.last_launch_at == customer.first_launch_at is not None
    assert customer.first_campaign_at is not None


@pytest.mark.parametrize("state", [State.CREATING, State.UNCERTAIN])
def test_the_package_stays_while_an_account_with_it_may_be_in_the_making(
    state: State, bos_subaccount: Subaccount, ada: User, north: Agency
):
    Subaccount.objects.for_agency(north).update(state=state)

    with pytest.raises(NotAllowed):
        customer_care.change_package(
            fresh(bos_subaccount).customer, package=north.packages.get(name="Plus"), acting_user=ada
        )


def test_mails_about_a_customer_go_to_its_owners_of_today(customer: Customer, bo: User, ada: User):
    kim = factories.member(customer, "owner", "kim@shop.example")
    factories.member(customer, "editor", "ed@shop.example")
    bo.memberships.all().delete()

    customer_care.pause(customer, message="Your bill of May", acting_user=ada)
    while jobs.run():
        pass

    assert [message.to for message in mail.outbox if "bill of May" in message.body] == [[kim.email]]
