"""Doors about an agency's vendor account: its two pairs of client id and secret, its switches.

A pair is stored in the slot that is not in use, checked, switched to, watched, and the old one dropped.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import adoption, clock, limits, vendor
from accounts.crypto import CannotOpen
from accounts.errors import NotAllowed
from accounts.models import (
    IN_FLIGHT,
    REFUSED,
    Agency,
    Credential,
    Event,
    PanelTask,
    State,
    Subaccount,
    User,
    VendorAccount,
)
from accounts.models.subaccounts import SubaccountQuerySet
from accounts.states import FREE
from coupontools_api.errors import CoupontoolsError

OK = "ok"
MISSES_CUSTOMERS = "misses_customers"
UNSEALED = "does_not_open"
CUSTOMERS_NAMED = 20
WAITING = (State.REQUESTED, State.NEEDS_REVIEW, State.MISSING)  # the worker looks for these
LEFT_BEHIND = (PanelTask.Kind.DELETE, PanelTask.Kind.ERASE)
GONE = (State.MISSING, State.CLOSED)  # nobody expects to find these at the vendor


class HeldElsewhere(NotAllowed):
    """Another agency's portal works with this vendor account. Whose it is stays unsaid."""


class InTheMaking(NotAllowed):
    """Accounts are being made under the present client id: under another one they would be made twice."""


@dataclass(frozen=True)
class Check:
    """What came of asking the vendor with a pair: `ok`, or what went wrong.

    `missing` counts the bound customers whose accounts the pair does not list.
    """

    outcome: str
    codes: tuple[int, ...] = ()
    milliseconds: int = 0
    listed: int = 0
    missing: int = 0

    @property
    def is_good(self) -> bool:
        return self.outcome == OK


def connect(
    agency: Agency, *, client_id: str, client_secret: str, slot: int = 1, acting_user: User | None = None
) -> Credential:
    """Stores a pair and makes it the active one in one go: the first pair, or a new secret, by command.

    Raises HeldElsewhere (two portals on one account would adopt each other's subaccounts), InTheMaking, or NotAllowed
    if it is another client id than the one in use while customers are bound: only `switch` asks the vendor for them.
    """
    _refuse_if_held_elsewhere(agency, client_id, acting_user)
    with transaction.atomic():
        account = _locked(agency)
        if not _is_in_use(account, client_id):
            if Subaccount.objects.for_agency(agency).exclude(vendor_id="").exists():
                # Under another account the ids of these customers would be somebody else's, or nobody's.
                raise NotAllowed("This client id is not the one in use, and customers are bound to that: switch to it.")
            _leave_client(agency)
        credential = _put(account, slot, client_id, client_secret)
        _record("credential.stored", agency, acting_user, about=credential, slot=slot)
        _activate(account, credential, acting_user)
    return credential


def store(agency: Agency, *, client_id: str, client_secret: str, acting_user: User) -> Credential:
    """Seals a pair into the slot that is not in use; a pair that was there is replaced. Nothing else changes.

    Raises HeldElsewhere.
    """
    _refuse_if_held_elsewhere(agency, client_id, acting_user)
    with transaction.atomic():
        account = _locked(agency)
        active = account.active_credential
        slot = 2 if active is not None and active.slot == 1 else 1
        credential = _put(account, slot, client_id, client_secret)
        _record("credential.stored", agency, acting_user, about=credential, slot=slot)
    return credential


def check(agency: Agency, *, slot: int, acting_user: User) -> Check:
    """Asks the vendor for its list with the pair in a slot, and keeps how that went.

    A pair of another client id is good only if it lists every account that customers are bound to.
    Raises NotAllowed if the slot is empty, TooMany.
    """
    return _checked(agency, slot=slot, acting_user=acting_user)[0]


def _checked(agency: Agency, *, slot: int, acting_user: User) -> tuple[Check, dict[str, str]]:
    """Likewise; also what the vendor listed: addresses by number."""
    credential = _in_slot(agency, slot)
    limits.count("vendor-check", agency.pk, settings.LIMIT_VENDOR_CHECK)
    asked_at = clock.now()
    found, absent, listed = _asked(agency, credential)
    with transaction.atomic():
        # Only what was asked with is judged: somebody may have stored another pair meanwhile.
        row = Credential.objects.filter(pk=credential.pk, sealed_client_secret=credential.sealed_client_secret)
        row.update(tested_at=asked_at, test_result=found.outcome)
        _record(
            "credential.checked",
            agency,
            acting_user,
            about=credential,
            slot=slot,
            outcome=found.outcome,
            codes=list(found.codes),
            ms=found.milliseconds,
            listed=found.listed,
            missing=found.missing,
            customers=absent[:CUSTOMERS_NAMED],
        )
    return found, listed


def switch(agency: Agency, *, slot: int, acting_user: User) -> Check:
    """Makes the pair in a slot the active one, after a good check and one more at this moment.

    Where that one is not good, nothing is switched: the answer says why. Raises NotAllowed if the pair was not
    checked or is in use, InTheMaking, TooMany.
    """
    credential = _in_slot(agency, slot)
    if credential.test_result != OK:
        raise NotAllowed("This pair has not passed a check.")
    found, listed = _checked(agency, slot=slot, acting_user=acting_user)
    if not found.is_good:
        return found
    with transaction.atomic():
        account = _locked(agency)
        current = account.credentials.filter(pk=credential.pk, sealed_client_secret=credential.sealed_client_secret)
        chosen = current.first()
        if chosen is None or chosen == account.active_credential:
            raise NotAllowed("This pair was changed meanwhile, or is in use already.")
        if _is_another_client(account, chosen):
            # Where the old pair is refused, and the new one lists each customer's account, it is the same vendor
            # account: what was seen there holds, and what is in the making there is looked for with the new pair.
            if not account.has_lost_its_pair or not _bound(agency).exists():
                _leave_client(agency)
            # Once more, behind the lock: also a lost one that was found again. By no clock: a binding has its time
            # before it is committed.
            if _absent(agency, listed):
                raise InTheMaking("An account was bound since the check.")
        _activate(account, chosen, acting_user)
        vendor.learn(chosen, None)
    return found


@transaction.atomic
def drop(agency: Agency, *, slot: int, acting_user: User) -> None:
    """Deletes the pair that is not in use. Raises NotAllowed if it is, or if there is none."""
    account = _locked(agency)
    credential = account.credentials.filter(slot=slot).first()
    if credential is None or credential == account.active_credential:
        raise NotAllowed("Only a pair that is not in use can be dropped.")
    left_behind = credential.fingerprint
    _record("credential.dropped", agency, acting_user, about=credential, slot=slot)
    credential.delete()
    account.credentials.filter(fingerprint=None).update(fingerprint=left_behind)


def try_now(agency: Agency, *, acting_user: User) -> Check:
    """Asks the vendor once with the pair in use, also past an open breaker, which learns how it went.

    Raises NotAllowed if no pair is in use, TooMany.
    """
    account = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    if account.active_credential is None:
        raise NotAllowed("No pair is in use.")
    return check(agency, slot=account.active_credential.slot, acting_user=acting_user)


def change(agency: Agency, *, offers_pages: bool, reads_statistics: bool, acting_user: User) -> list[str]:
    """Moves the account's two switches; answers the names of those that moved."""
    wanted: dict[str, Any] = {"offers_pages": offers_pages, "reads_statistics": reads_statistics}
    with transaction.atomic():
        account = _locked(agency)
        changed = [name for name, is_on in wanted.items() if getattr(account, name) != is_on]
        if changed:
            VendorAccount.objects.filter(pk=account.pk).update(**wanted)
            if not reads_statistics:
                Subaccount.objects.for_agency(agency).exclude(sealed_keys="").update(sealed_keys="")
            _record("vendor_account.changed", agency, acting_user, about=account, **wanted)
    return changed


# -- the vendor ------------------------------------------------------------------------------------------------


def _asked(agency: Agency, credential: Credential) -> tuple[Check, list[int], dict[str, str]]:
    """One list call with the pair; also the customers whose accounts it does not list, and what it lists."""
    account, started = credential.vendor_account, time.monotonic()
    try:
        listed = vendor.try_credential(credential)
    except CoupontoolsError as problem:
        vendor.learn(credential, problem)
        return Check(type(problem).__name__, problem.codes, _milliseconds_since(started)), [], {}
    except CannotOpen:
        return Check(UNSEALED), [], {}
    took = _milliseconds_since(started)
    vendor.learn(credential, None)
    addresses = {str(line.id): line.email for line in listed}
    absent = _absent(agency, addresses) if _is_another_client(account, credential) else []
    return Check(MISSES_CUSTOMERS if absent else OK, (), took, len(listed), len(absent)), absent, addresses


def _absent(agency: Agency, listed: dict[str, str]) -> list[int]:
    """The customers whose accounts are not listed: another vendor account may have their numbers, with other addresses.

    Some addresses may have been changed in the panel. Where half of the numbers have the addresses that they have here,
    it is the same vendor account, and the other numbers are theirs, too.
    """
    rows = list(_bound(agency).order_by("pk").values_list("customer_id", "vendor_id", "email"))
    with_address = [(vendor_id, email) for _, vendor_id, email in rows if email]
    as_here = {number for number, email in with_address if adoption.same_address(listed.get(number, ""), email)}
    is_same = bool(as_here) and 2 * len(as_here) >= len(with_address)
    return [
        customer
        for customer, vendor_id, email in rows
        if vendor_id not in listed or (email and not is_same and vendor_id not in as_here)
    ]


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


# -- the rows --------------------------------------------------------------------------------------------------


def _fingerprint(client_id: str) -> str:
    return hashlib.sha256(client_id.encode()).hexdigest()


def _locked(agency: Agency) -> VendorAccount:
    return VendorAccount.objects.select_for_update().get(agency=agency)


def _in_slot(agency: Agency, slot: int) -> Credential:
    found = Credential.objects.filter(vendor_account__agency=agency, slot=slot).select_related("vendor_account").first()
    if found is None:
        raise NotAllowed("There is no pair in this slot.")
    return found


def _bound(agency: Agency) -> SubaccountQuerySet:
    return Subaccount.objects.for_agency(agency).exclude(vendor_id="").exclude(state__in=GONE)


def _leave_client(agency: Agency) -> None:
    """Forgets what was seen under the present client id: another vendor account has another list.

    Raises InTheMaking while an account that nobody is bound to may be there, or a worker is just claiming a wish.
    """
    ours = Subaccount.objects.for_agency(agency)
    may_be_there = Q(state__in=(State.REQUESTED, State.NEEDS_REVIEW), had_unknown_outcome=True)
    may_be_there |= Q(state=State.NEEDS_REVIEW) & ~Q(candidates=[])
    if ours.filter(Q(state__in=IN_FLIGHT) | may_be_there).exists():
        raise InTheMaking("Accounts are being made under the present client id.")
    waiting = ours.filter(state__in=WAITING)
    number = waiting.count()
    # Skipped, not waited for: whoever claims one of them holds it and waits for the lock that we have.
    free = list(waiting.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
    if len(free) < number:
        raise InTheMaking("A worker is just claiming one that waits. Try again.")
    # Their claims, too: a look that is under way is dropped with what it saw. A number, of a lost account or one that
    # staff chose to be linked, may be somebody else's there.
    waiting.filter(pk__in=free).update(
        first_look=Subaccount.FirstLook.NONE,
        first_look_at=None,
        bound_at=None,
        candidates=[],
        wanted_vendor_id="",
        wanted_in_spite=False,
        **FREE,
    )
    ours.filter(state=State.CLOSED).exclude(vendor_id="").update(bound_at=None)
    # What is still to be deleted there is not what may have the number here.
    for task in PanelTask.objects.for_agency(agency).filter(kind__in=LEFT_BEHIND, done_at=None):
        task.data["left"] = True
        task.save(update_fields=["data"])
    account = VendorAccount.objects.filter(agency=agency)
    account.update(reconciled_at=None, compared_at=None, reconcile_result={}, throttled_until=None)


def _is_in_use(account: VendorAccount, client_id: str) -> bool:
    """Whether the active pair has this client id: by its fingerprint, for the id itself may no longer open."""
    active = account.active_credential
    if active is None:
        return False
    # One that has none has the client id of the other slot, where it stands.
    same = account.credentials.filter(fingerprint=_fingerprint(client_id)).first()
    return same is not None and (same == active or active.fingerprint is None)


def _is_another_client(account: VendorAccount, credential: Credential) -> bool:
    """Whether the pair has another client id than the one in use: then it may be another vendor account."""
    active = account.active_credential
    if active is None:
        return True
    return active.pk != credential.pk and None not in (active.fingerprint, credential.fingerprint)


def _refuse_if_held_elsewhere(agency: Agency, client_id: str, acting_user: User | None) -> None:
    held = Credential.objects.filter(fingerprint=_fingerprint(client_id)).exclude(vendor_account__agency=agency)
    if held.exists():
        # For the operator, who may know whether two agencies are one company.
        Event.objects.record(
            "credential.held_elsewhere", agency=None, acting_user=acting_user, about=agency, outcome=REFUSED
        )
        raise HeldElsewhere("These credentials belong to a vendor account that is already in use here.")


def _put(account: VendorAccount, slot: int, client_id: str, client_secret: str) -> Credential:
    """Writes a pair into a slot, unchecked. The fingerprint stands at one of two pairs of the same client id."""
    fingerprint = _fingerprint(client_id)
    other = account.credentials.exclude(slot=slot).first()
    credential = account.credentials.filter(slot=slot).first() or Credential(vendor_account=account, slot=slot)
    was = credential.fingerprint
    if other is not None and other.fingerprint is None and was != fingerprint:
        Credential.objects.filter(pk=credential.pk).update(fingerprint=None)
        Credential.objects.filter(pk=other.pk).update(fingerprint=was)
        other.fingerprint = was
    credential.fingerprint = None if other is not None and other.fingerprint == fingerprint else fingerprint
    credential.put(client_id, client_secret)
    credential.created_at = timezone.now()
    credential.tested_at, credential.test_result, credential.activated_at = None, "", None
    try:
        with transaction.atomic():
            credential.save()
    except IntegrityError:  # two agencies at the same moment
        raise HeldElsewhere("These credentials belong to a vendor account that is already in use here.") from None
    return credential


def _activate(account: VendorAccount, credential: Credential, acting_user: User | None) -> None:
    was = account.active_credential
    now = timezone.now()
    Credential.objects.filter(pk=credential.pk).update(activated_at=now)
    account.active_credential = credential
    if account.trouble:
        account.probe_at = now  # new credentials are tried at once
    account.save(update_fields=["active_credential", "probe_at"])
    _record(
        "credential.switched",
        account.agency,
        acting_user,
        about=credential,
        slot=credential.slot,
        was=was.slot if was else None,
    )


def _record(kind: str, agency: Agency, acting_user: User | None, **facts: Any) -> None:
    Event.objects.record(kind, agency=agency, acting_user=acting_user, **facts)
