"""Who is reminded of a next step, and who is not because there is none to take."""

from typing import Any

import pytest
from django.utils import timezone

from accounts import customer_care
from accounts.errors import NotAllowed
from accounts.models import Customer, Job, State, Subaccount, User

pytestmark = pytest.mark.django_db


def reminders(customer: Customer) -> int:
    return Job.objects.for_agency(customer.agency).filter(payload__mail="reminder").count()


@pytest.fixture
def stuck(active: Subaccount) -> Customer:
    """A customer whose account is ready, and who has not come yet."""
    Customer.objects.for_agency(active.agency).filter(pk=active.customer_id).update(first_campaign_at=None)
    return Customer.objects.for_agency(active.agency).get(pk=active.customer_id)


def test_who_has_not_come_yet_is_reminded(stuck: Customer, ada: User):
    customer_care.remind(stuck, acting_user=ada)

    assert reminders(stuck) == 1


@pytest.mark.parametrize("changes", [{"paused_at": timezone.now()}, {"first_campaign_at": timezone.now()}])
def test_who_is_paused_or_has_arrived_is_not(stuck: Customer, ada: User, changes: dict[str, Any]):
    Customer.objects.for_agency(stuck.agency).filter(pk=stuck.pk).update(**changes)
    stuck.refresh_from_db()

    with pytest.raises(NotAllowed):
        customer_care.remind(stuck, acting_user=ada)

    assert reminders(stuck) == 0


@pytest.mark.parametrize("state", [state for state in State if state != State.ACTIVE])
def test_who_has_no_account_to_use_is_not(stuck: Customer, ada: User, state: State):
    Subaccount.objects.for_agency(stuck.agency).filter(customer=stuck).update(state=state)
    stuck.subaccount.refresh_from_db()

    with pytest.raises(NotAllowed):
        customer_care.remind(stuck, acting_user=ada)

    assert reminders(stuck) == 0
