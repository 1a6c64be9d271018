"""Another package, or another trial, while it is not known whether an account was made: what it leaves to do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import attention, customer_care, packages, refreshes, vendor
from accounts.models import Agency, Customer, Package, PanelTask, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from portal import wording_changes
from tests.accounts.reading import CREATE, attempt, fresh, made

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]
IS_NO_TRIAL = ("make_customer", {"removes_expiry": True})  # the account that Starter asked for ends by itself


def tasks(subaccount: Subaccount) -> list[tuple[str, dict[str, Any]]]:
    rows = PanelTask.objects.for_agency(subaccount.agency).filter(customer=subaccount.customer, done_at=None)
    return list(rows.values_list("kind", "data"))


def choose_plus(subaccount: Subaccount, ada: User) -> None:
    plus = Package.objects.for_agency(subaccount.agency).get(name="Plus")
    customer_care.change_package(fresh(subaccount).customer, package=plus, acting_user=ada)


@pytest.fixture
def lost(sandbox: Sandbox, bos_subaccount: Subaccount) -> Subaccount:
    """Starter was asked for, no answer came, and no account has appeared so far: it is in the queue again."""
    sandbox.fault(CREATE, "reset_before", times=1)
    for _ in range(6):
        if (row := attempt(bos_subaccount)).state == State.REQUESTED:
            return row
    raise AssertionError(row.state)


@pytest.mark.parametrize("state", list(State))
def test_package_and_closing_are_offered_where_they_can_be_chosen(
    state: State, bos_subaccount: Subaccount, client_for: Any, ada: User
):
    Subaccount.objects.for_agency(bos_subaccount.agency).update(state=state, vendor_id="sub_5", run_at=None)
    file = f"/console/customers/{bos_subaccount.customer.public_id}/"
    adas = client_for(bos_subaccount.agency, ada)

    page = adas.get(file).text

    for change in ("package", "close"):
        works = adas.get(f"{file}{change}/").status_code == 200
        assert (f'href="{file}{change}/"' in page) == works
    is_in_the_making = state in (State.CREATING, State.UNCERTAIN)
    assert ("once it is known whether the account was made" in page) == is_in_the_making


def test_who_chooses_another_package_after_a_lost_answer_reads_what_it_means(lost: Subaccount):
    words = wording_changes.words("package", fresh(lost).customer)

    assert words.vendor.startswith("If no account was made yet")
    assert "a task reminds you" in words.by_hand


def test_what_the_vendor_made_late_with_the_first_package_is_changed_by_hand(
    sandbox: Sandbox, lost: Subaccount, ada: User
):
    choose_plus(lost, ada)
    sandbox.add_subaccount("north-id", email=lost.email)

    assert attempt(lost).state == State.ACTIVE

    assert tasks(lost) == [("change_package", {"package": "pac_2"}), IS_NO_TRIAL]


def test_what_was_made_under_a_second_question_is_changed_by_hand_too(sandbox: Sandbox, lost: Subaccount, ada: User):
    choose_plus(lost, ada)
    sandbox.fault(CREATE, "email_taken", times=1)
    assert attempt(lost).state == State.UNCERTAIN
    sandbox.add_subaccount("north-id", email=lost.email)

    assert attempt(lost).state == State.ACTIVE

    assert tasks(lost) == [("change_package", {"package": "pac_2"}), IS_NO_TRIAL]


def test_what_the_second_question_itself_made_has_the_right_package(sandbox: Sandbox, lost: Subaccount, ada: User):
    choose_plus(lost, ada)

    assert attempt(lost).state == State.ACTIVE

    assert made(sandbox) == 1
    assert tasks(lost) == []


def test_a_package_that_was_refused_made_nothing(sandbox: Sandbox, bos_subaccount: Subaccount, ada: User):
    starter = Package.objects.for_agency(bos_subaccount.agency).get(pk=bos_subaccount.customer.package_id)
    packages.change(starter, vendor_package_id="pac_99", acting_user=ada)
    assert attempt(bos_subaccount).state == State.NEEDS_REVIEW
    choose_plus(bos_subaccount, ada)

    assert attempt(bos_subaccount).state == State.ACTIVE

    assert tasks(bos_subaccount) == []


def test_another_id_of_the_same_package_counts_for_what_is_just_being_made(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, north: Agency
):
    sandbox.fault(CREATE, "reset_after", times=1)
    assert attempt(bos_subaccount).state == State.UNCERTAIN
    starter = Package.objects.for_agency(north).get(pk=bos_subaccount.customer.package_id)
    packages.change(starter, vendor_package_id="pac_2", acting_user=ada)

    assert attempt(bos_subaccount).state == State.ACTIVE

    assert tasks(bos_subaccount) == [("change_package", {"package": "pac_2"})]


def test_an_account_that_was_lost_and_is_found_brings_no_task_anew(sandbox: Sandbox, active: Subaccount, ada: User):
    Subaccount.objects.for_agency(active.agency).filter(pk=active.pk).update(packages_sent=["pac_1"])
    choose_plus(active, ada)
    customer_care.tick(PanelTask.objects.for_agency(active.agency).get(), acting_user=ada)
    refreshes.missing(fresh(active))
    attention.link(fresh(active), vendor_id=active.vendor_id, reason="It is back", acting_user=ada)

    assert attempt(active).state == State.ACTIVE

    assert tasks(active) == []


def while_the_vendor_makes_it(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Between the vendor's answer to the create and what we write down of it."""
    ask = vendor.ask

    def ask_then_act(*asked: Any, **how: Any) -> Any:
        answer = ask(*asked, **how)
        if how.get("noted") and how["noted"].endpoint == vendor.CREATE:
            act()
        return answer

    monkeypatch.setattr(vendor, "ask", ask_then_act)


@pytest.mark.parametrize("becomes", ["longer", "customer"])
def test_a_trial_that_staff_change_while_a_new_account_is_made_is_changed_by_hand(
    becomes: str, sandbox: Sandbox, active: Subaccount, ada: User, monkeypatch: pytest.MonkeyPatch
):
    today = timezone.now().date()
    customer = Customer.objects.for_agency(active.agency).filter(pk=active.customer_id)
    customer.update(trial_ends_on=today + timedelta(days=3))
    sandbox.remove_subaccount(active.vendor_id)
    refreshes.missing(fresh(active))
    attention.make_new(fresh(active), reason="It is gone", acting_user=ada)
    later = today + timedelta(days=33)

    def change() -> None:
        if becomes == "longer":
            customer_care.extend_trial(fresh(active).customer, ends_on=later, reason="Kind", acting_user=ada)
        else:
            customer_care.convert(fresh(active).customer, acting_user=ada)

    while_the_vendor_makes_it(monkeypatch, change)

    assert attempt(active).state == State.ACTIVE

    assert tasks(active) == [("change_expiry", {"date": later.isoformat()}) if becomes == "longer" else IS_NO_TRIAL]


def test_an_account_of_an_earlier_question_gets_the_end_that_the_customer_reads(sandbox: Sandbox, lost: Subaccount):
    """Each question says when the trial ends, and days may lie between them."""
    earlier = (timezone.now().date() + timedelta(days=9)).isoformat()
    Subaccount.objects.for_agency(lost.agency).filter(pk=lost.pk).update(trials_sent=[earlier])
    sandbox.fault(CREATE, "email_taken", times=1)
    assert attempt(lost).state == State.UNCERTAIN
    sandbox.add_subaccount("north-id", email=lost.email)

    found = attempt(lost)

    assert found.state == State.ACTIVE
    ends_on = found.customer.trial_ends_on.isoformat()
    assert ends_on > earlier
    assert tasks(lost) == [("change_expiry", {"date": ends_on})]
