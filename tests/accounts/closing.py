"""Customers that are closed, and what is left to do for them and to read of their people."""

from typing import Any

from accounts import customer_care
from accounts.models import Customer, PanelTask, User


def reloaded(person: User) -> User:
    return User.objects.select_related("agency").get(pk=person.pk)


def close(customer: Customer, by: User) -> Customer:
    customer.subaccount.refresh_from_db()
    customer_care.close(customer, message="", acting_user=by)
    return Customer.objects.for_agency(customer.agency).select_related("agency", "subaccount").get(pk=customer.pk)


def tasks(customer: Customer) -> list[tuple[str, Any]]:
    rows = PanelTask.objects.for_agency(customer.agency).filter(customer=customer, done_at=None)
    return list(rows.order_by("pk").values_list("kind", "data"))
