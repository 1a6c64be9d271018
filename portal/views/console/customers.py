"""What staff see: for now the list of customers with their states."""

from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal import access, wording
from portal.access import Customer, PersonRequest

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """A customer with what staff read about it."""

    customer: Customer
    state: str
    waits: str


@require_safe
@access.staff_required(*access.ANY_STAFF)
def customers(request: PersonRequest) -> HttpResponse:
    """The agency's customers, newest first, with the reason where one waits."""
    after = request.GET.get("after", "")
    if after and not (after.isascii() and after.isdigit()):
        raise BadRequest("Unknown page.")
    found = access.customers_for_staff(request, after=int(after) if after else None, size=PAGE_SIZE)
    rows = [
        Row(
            customer=customer,
            state="paused" if customer.paused_at else str(customer.subaccount.state),
            waits=wording.cause_sentence(customer.subaccount.cause, customer.subaccount.cause_codes),
        )
        for customer in found[:PAGE_SIZE]
    ]
    context = {
        "rows": rows,
        "is_first": not after,
        "next_after": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
    }
    return render(request, "console/customers.html", context)
