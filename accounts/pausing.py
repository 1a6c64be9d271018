"""The pause after a restore: no account is created until an operator has seen where the vendor's list and ours differ.

A database from a backup has forgotten what was made since. The comparison (accounts/reconcile.py) lists all of it,
what only the vendor knows and what only we know; looks, launches and everything else go on meanwhile.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import clock, reconcile, tasks
from accounts.claims import make_due
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Event, Finding, Subaccount, User, VendorAccount

RESTORED, BY_COMMAND = "restored", "by_command"


class NotCompared(NotAllowed):
    """The vendor's list was not read since the pause began: nobody can have seen the differences."""


@transaction.atomic
def pause(*, why: str, agency: Agency | None = None) -> int:
    """Stops creates for one agency, or for all, and asks for a comparison. Returns for how many."""
    now = clock.now()
    accounts = VendorAccount.objects.select_for_update(of=("self",)).order_by("pk")
    accounts = accounts.select_related("agency", "active_credential")
    found = list(accounts.filter(agency=agency) if agency else accounts)
    for account in found:
        account.creates_paused_at = now
        account.reconciled_at = account.compared_at = None
        account.reconcile_result = {}
        account.save(update_fields=["creates_paused_at", "reconciled_at", "compared_at", "reconcile_result"])
        Event.objects.record("provisioning.paused", agency=account.agency, about=account, why=why)
        if account.active_credential_id and account.agency.stopped_at is None:
            reconcile.put(account)
    return len(found)


def is_compared(account: VendorAccount) -> bool:
    """Whether the vendor's list was read since the pause began."""
    paused, read = account.creates_paused_at, account.reconciled_at
    return bool(paused and read and read >= paused)


@transaction.atomic
def acknowledge(agency: Agency, *, seen: datetime | None, acting_user: User) -> None:
    """Lets creates go on: an operator has seen the differences as they were read at `seen`.

    Raises NotCompared if there was no comparison, NotAllowed if it is not paused or was compared anew since.
    """
    if not acting_user.is_operator:
        raise NotAllowed("Only an operator may do this.")
    account = VendorAccount.objects.select_for_update().get(agency=agency)
    if account.creates_paused_at is None:
        raise NotAllowed("Nothing is paused.")
    if not is_compared(account):
        raise NotCompared("The differences are not known yet.")
    if seen != account.reconciled_at:
        raise NotAllowed("There was another comparison meanwhile.")
    differences: dict[str, Any] = {kind.value: number_of(agency, kind) for kind in Finding.Kind}
    VendorAccount.objects.filter(pk=account.pk).update(creates_paused_at=None)
    waiting = Subaccount.objects.for_agency(agency).filter(cause=Cause.CREATES_PAUSED, run_at__isnull=False)
    # Who is skipped finds no pause any more; a row that is just being put off is asked for again a minute later.
    make_due(waiting, clock.now(), cause=Cause.NONE)
    Event.objects.record(
        "provisioning.acknowledged", agency=agency, acting_user=acting_user, about=account, **differences
    )
    tasks.wake()


def number_of(agency: Agency, kind: Finding.Kind) -> int:
    """How many differences of a kind hold."""
    return Finding.objects.for_agency(agency).open().filter(kind=kind).count()
