"""Every trouble at the vendor or on the way to it: what is read meanwhile, what it costs, and how it ends."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from accounts import provisioning
from accounts.models import State, Subaccount
from coupontools_api.sandbox import Sandbox
from tests.accounts.reading import CREATE, LIST, Work, calls, customer_reads, fresh, made, staff_read

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Trouble:
    """A fault at the vendor, how it reads while it lasts, and how many calls it costs until all is well."""

    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    path: str = CREATE
    state: State = State.UNCERTAIN
    staff: str = "did not answer"
    lists: int = 2
    creates: int = 1


NOT_UNDERSTOOD = "was not understood"
SLOW_DOWN = "asks us to slow down"
UNREACHABLE = "cannot be reached"

# Each ends in exactly one subaccount. Where nothing had happened, absence is seen twice before a second attempt.
TROUBLES = {
    "F1 lost response": Trouble("reset_after"),
    "F1 answer too late": Trouble("hang", {"seconds": 3, "after_effect": True}),
    "F1 reset before the effect": Trouble("reset_before", lists=4, creates=2),
    "F3 500 page before the effect": Trouble("html", {"status": 500}, staff=NOT_UNDERSTOOD, lists=4, creates=2),
    "F3 500 page after the effect": Trouble("html", {"status": 500, "after_effect": True}, staff=NOT_UNDERSTOOD),
    "F4 truncated body": Trouble("truncated"),
    "F4 empty body": Trouble("empty", staff=NOT_UNDERSTOOD),
    "F4 not JSON": Trouble("not_json", staff=NOT_UNDERSTOOD),
    "F4 huge body": Trouble("oversize", {"bytes": 3_000_000}, staff=NOT_UNDERSTOOD),
    "F6 no id": Trouble("missing_id", staff=NOT_UNDERSTOOD),
    "F13 throttled": Trouble("throttle", {"retry_after": 1}, state=State.REQUESTED, staff=SLOW_DOWN, creates=2),
    "F14 slow drip": Trouble("slow_drip", {"seconds": 4, "interval": 0.1}),
    "F14 slow headers": Trouble("slow_drip", {"seconds": 4, "interval": 0.1, "headers": True}),
    "F19 redirect": Trouble("redirect", staff=NOT_UNDERSTOOD, lists=4, creates=2),
    "list: 500 page": Trouble(
        "html", {"status": 503, "times": 3}, path=LIST, state=State.REQUESTED, staff=UNREACHABLE, lists=4
    ),
    "list: reset": Trouble("reset_before", {"times": 3}, path=LIST, state=State.REQUESTED, staff=UNREACHABLE, lists=4),
    "list: truncated": Trouble("truncated", path=LIST, state=State.REQUESTED, staff=UNREACHABLE),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_every_trouble_ends_in_exactly_one_subaccount(
    name: str, sandbox: Sandbox, bos_subaccount: Subaccount, work: Work
):
    trouble = TROUBLES[name]
    sandbox.fault(trouble.path, trouble.kind, **trouble.parameters)

    provisioning.attempt()
    meanwhile = fresh(bos_subaccount)
    subaccount = work(bos_subaccount)

    assert meanwhile.state == trouble.state
    assert customer_reads(meanwhile) == "This takes longer than usual"
    assert trouble.staff in staff_read(meanwhile)
    assert subaccount.state == State.ACTIVE
    assert customer_reads(subaccount) == "Your account is ready"
    assert staff_read(subaccount) == ""
    assert made(sandbox) == 1
    assert subaccount.vendor_id == sandbox.effects("subaccount_created")[0]["subaccount"]
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (trouble.lists, trouble.creates)


def test_a_list_with_double_rows_is_read_as_one(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.add_subaccount("north-id", email="other@shop.example")
    sandbox.fault(LIST, "duplicate_rows", times=None)
    sandbox.fault(CREATE, "reset_after")

    subaccount = work(bos_subaccount)

    assert subaccount.state == State.ACTIVE
    assert (calls(sandbox, LIST), calls(sandbox, CREATE), made(sandbox)) == (2, 1, 1)
