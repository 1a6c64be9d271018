"""What must not be believed, bound, promised or forgotten too early, and what must not be slept through."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import attention, customer_care, jobs, operators, provisioning, refreshes, vendor_accounts
from accounts.models import Agency, Cause, Customer, Job, Package, PanelTask, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from portal import wording_vendor
from tests import factories
from tests.accounts.reading import CREATE, GET, attempt, fresh, made, made_meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


def work_off() -> None:
    while jobs.run():
        pass


def customer_of(subaccount: Subaccount) -> Customer:
    rows = Customer.objects.for_agency(subaccount.agency).select_related("agency", "subaccount", "package")
    return rows.get(pk=subaccount.customer_id)


def other_package(subaccount: Subaccount) -> Package:
    return Package.objects.for_agency(subaccount.agency).exclude(pk=subaccount.customer.package_id)[0]


def test_a_wish_leaves_what_another_one_of_its_address_is_just_making(
    sandbox: Sandbox, north: Agency, bo: User, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch, quick: None
):
    sandbox.fault(CREATE, "reset_before")
    while (first := attempt(bos_subaccount)).state == State.UNCERTAIN:
        pass
    assert (first.state, first.had_unknown_outcome, made(sandbox)) == (State.REQUESTED, True, 0)
    second = factories.customer(north, bo, company_name="Second", package=other_package(first)).subaccount
    listing = provisioning._Step.listing

    with ExitStack() as meanwhile:

        def listing_late(step: Any) -> Any:
            """The first has asked who else is in the making, and its list call comes after the second one's create."""
            if step.subaccount.pk == bos_subaccount.pk:
                meanwhile.enter_context(made_meanwhile(second, sandbox, monkeypatch))
            return listing(step)

        monkeypatch.setattr(provisioning._Step, "listing", listing_late)
        first = attempt(bos_subaccount)

    assert (first.state, first.vendor_id) == (State.REQUESTED, "")
    assert fresh(second).state == State.ACTIVE
    assert made(sandbox) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_a_code_of_the_vendor_may_stand_before_an_account(
    status: int, sandbox: Sandbox, bos_subaccount: Subaccount, work: Any
):
    sandbox.fault(CREATE, "status", status=status, after_effect=True, times=1)

    doubtful = attempt(bos_subaccount)

    assert (doubtful.state, doubtful.had_unknown_outcome) == (State.UNCERTAIN, True)
    assert work(doubtful).state == State.ACTIVE
    assert made(sandbox) == 1


@pytest.mark.parametrize("moment", ["_asked", "_checked"])
def test_a_switch_sees_what_was_bound_while_the_list_was_read(
    moment: str,
    sandbox: Sandbox,
    north: Agency,
    ada: User,
    bos_subaccount: Subaccount,
    monkeypatch: pytest.MonkeyPatch,
):
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1"])
    vendor_accounts.store(north, client_id="foreign-id", client_secret="foreign-secret", acting_user=ada)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    ask = getattr(vendor_accounts, moment)

    def ask_and_bind(*given: Any, **named: Any) -> Any:
        found = ask(*given, **named)
        assert attempt(bos_subaccount).state == State.ACTIVE
        return found

    monkeypatch.setattr(vendor_accounts, moment, ask_and_bind)

    with pytest.raises(vendor_accounts.InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)


def test_another_package_is_asked_for_at_once_where_the_first_was_refused(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User
):
    package = Package.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.customer.package_id)
    package.update(vendor_package_id="pac_99")
    refused = attempt(bos_subaccount)
    assert (refused.state, refused.cause) == (State.NEEDS_REVIEW, Cause.PACKAGE_REFUSED)
    attention.dismiss(refused, acting_user=ada)

    customer_care.change_package(customer_of(refused), package=other_package(refused), acting_user=ada)

    assert provisioning.attempt()
    assert fresh(refused).state == State.ACTIVE


def test_an_account_of_a_moment_ago_that_cannot_be_read_yet_is_not_gone(sandbox: Sandbox, bos_subaccount: Subaccount):
    sandbox.add_subaccount("north-id", email="first@shop.example")  # next door has its number, which is read at once
    sandbox.fault(GET, "status", status=400, codes=[510], times=1)

    new = attempt(bos_subaccount)

    assert fresh(new).state == State.ACTIVE
    [reading] = Job.objects.for_agency(new.agency).filter(kind=Job.Kind.REFRESH)
    assert reading.done_at is None  # it is read again


@pytest.mark.parametrize("refusal", [{"codes": [101]}, {"codes": [102]}, {"status": 403}], ids=str)
def test_one_account_that_cannot_be_read_is_not_the_whole_agencys_trouble(
    refusal: dict[str, Any], sandbox: Sandbox, north: Agency, active: Subaccount
):
    sandbox.fault(GET, "status", times=1, **({"status": 200} | refusal))
    refreshes.put(active)

    work_off()

    assert VendorAccount.objects.get(agency=north).trouble == ""
    other = factories.customer(north, factories.person(north)).subaccount
    assert attempt(other).state == State.ACTIVE
    assert not [message for message in mail.outbox if "credentials" in message.body]


def test_who_waits_goes_on_when_the_agency_does(bos_subaccount: Subaccount, north: Agency):
    operator = factories.operator()
    operators.stop(north, reason="No invoice was paid", acting_user=operator)
    assert attempt(bos_subaccount).run_at > timezone.now() + timedelta(minutes=30)

    operators.resume(Agency.objects.get(pk=north.pk), reason="It was", acting_user=operator)

    assert fresh(bos_subaccount).run_at <= timezone.now()


def test_a_stop_of_the_day_is_over_on_the_screen_too_once_the_limit_is_raised(
    sandbox: Sandbox, bos_subaccount: Subaccount, north: Agency
):
    Agency.objects.filter(pk=north.pk).update(daily_creates=0)
    assert attempt(bos_subaccount).cause == Cause.DAILY_BUDGET
    north.refresh_from_db()

    operators.set_limits(north, customer_limit=None, daily_creates=100, acting_user=factories.operator())

    account = VendorAccount.objects.get(agency=north)
    assert wording_vendor.news(account, waiting=lambda: 0, now=timezone.now()) == []


def test_no_next_step_is_mailed_to_who_was_closed_meanwhile(sandbox: Sandbox, bos_company: Customer, ada: User):
    active = factories.activate(bos_company, sandbox, "north-id")
    work_off()
    mail.outbox.clear()
    customer_care.remind(customer_of(active), acting_user=ada)

    customer_care.close(customer_of(active), message="", acting_user=ada)
    work_off()

    assert [("next step" in message.subject, "closed" in message.subject) for message in mail.outbox] == [(False, True)]


def test_a_lost_account_may_be_linked_to_its_own_number_again(active: Subaccount, ada: User):
    refreshes.missing(fresh(active))

    attention.link(fresh(active), vendor_id=active.vendor_id, reason="It is back", acting_user=ada)

    assert attempt(active).state == State.ACTIVE


def test_what_was_to_be_done_about_an_account_that_is_gone_ends_with_it(
    sandbox: Sandbox, active: Subaccount, ada: User
):
    customer_care.change_package(customer_of(active), package=other_package(active), acting_user=ada)
    customer_care.pause(customer_of(active), message="", acting_user=ada)
    sandbox.remove_subaccount(active.vendor_id)
    refreshes.missing(fresh(active))

    attention.make_new(fresh(active), reason="It was deleted there", acting_user=ada)

    assert attempt(active).state == State.ACTIVE
    tasks = PanelTask.objects.for_agency(active.agency).filter(customer=active.customer, done_at=None)
    assert [task.kind for task in tasks] == [PanelTask.Kind.BLOCK]
