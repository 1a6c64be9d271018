"""What the worker does with a row that waits for a person, once a person asked for it: look again, or link.

A person's choice is carried out here, against the vendor's own list, and not in the request that asked for it:
what the screen shows afterwards is what the vendor said.
"""

from datetime import timedelta

from accounts import adoption, clock, vendor
from accounts.claimed import MISSING_LOOK, WAITING_CAUSES, Claimed, quarantine_ends, seconds
from accounts.models import IN_THE_MAKING, Cause, State, Subaccount
from coupontools_api.errors import CoupontoolsError, NotFound
from coupontools_api.ids import SubaccountId
from coupontools_api.subaccounts import ListedSubaccount

GONE = 510  # "Subaccount ID not correct": the one code that says that a subaccount is not there
PRESENCE = frozenset(
    {
        Cause.APPEARED_MEANWHILE,
        Cause.EXISTED_BEFORE,
        Cause.LISTED_TWICE,
        Cause.LISTED_ALMOST,
        Cause.BOUND_ELSEWHERE,
        Cause.LINK_NOT_LISTED,
        Cause.LINK_OTHER_ADDRESS,
        Cause.LINK_IN_THE_MAKING,
    }
)


def take(claimed: Claimed) -> None:
    """The step that staff asked for: a link, or another look."""
    if claimed.subaccount.wanted_vendor_id:
        _link(claimed)
    elif claimed.subaccount.state == State.MISSING:
        _look_for_missing(claimed)
    else:
        _look(claimed)


def _look(claimed: Claimed) -> None:
    """Judges the vendor's list anew. Never asks for an account: that is what "try again" is for."""
    listing = claimed.listing()
    if listing is None:
        return
    verdict = claimed.verdict(listing)
    if verdict.bind and not claimed.may_be_anothers():
        claimed.bind(verdict.bind)
        return
    cause = Cause.LINK_IN_THE_MAKING if verdict.bind else verdict.cause
    if verdict.is_absent:
        if claimed.subaccount.cause == Cause.CONTRADICTION and _may_still_appear(claimed.subaccount):
            # What a create told is what speaks against another one, until the list has had its time.
            claimed.candidates = list(claimed.subaccount.candidates)
        was_there = claimed.subaccount.cause in PRESENCE
        cause = Cause.NOTHING_LISTED if was_there else Cause(claimed.subaccount.cause)
    claimed.keep(cause)


def _may_still_appear(subaccount: Subaccount) -> bool:
    since = subaccount.uncertain_since
    return since is not None and clock.now() < quarantine_ends(since)


def _look_for_missing(claimed: Claimed) -> None:
    subaccount = claimed.subaccount
    try:
        found = vendor.ask(
            claimed.account,
            lambda client: client.subaccounts.get(SubaccountId(subaccount.vendor_id)),
            noted=vendor.Noted("subaccount", subaccount.customer_id),
        )
    except NotFound as problem:
        if GONE not in problem.codes:
            claimed.postpone(MISSING_LOOK, subaccount.cause)
            return
        if subaccount.cause == Cause.OTHER_ACCOUNT:
            claimed.keep(Cause.NONE)
        else:
            claimed.free(run_at=clock.now() + MISSING_LOOK, looked_at=clock.now())
    except vendor.Waiting as waiting:
        claimed.postpone(max(waiting.until - clock.now(), seconds(1)), WAITING_CAUSES[waiting.trouble])
    except CoupontoolsError:
        claimed.postpone(timedelta(minutes=5), subaccount.cause)
    else:
        now = clock.now()
        if subaccount.bound_at is None and not adoption.same_address(found.email, subaccount.email):
            # Bound under another client id: only the number is the same.
            if subaccount.cause == Cause.OTHER_ACCOUNT:
                claimed.free(run_at=now + MISSING_LOOK, looked_at=now)
            else:
                claimed.keep(Cause.OTHER_ACCOUNT)
            return
        claimed.come_back(bound_at=subaccount.bound_at or now)


def _link(claimed: Claimed) -> None:
    """Links the account that a person chose, if the vendor's list still bears it out."""
    listing = claimed.listing()
    if listing is None:
        return
    claimed.verdict(listing)  # notes the candidates
    refusal = _refusal(claimed.subaccount, listing)
    if refusal:
        claimed.keep(refusal)
    else:
        claimed.bind(claimed.subaccount.wanted_vendor_id)


def _refusal(subaccount: Subaccount, listing: tuple[ListedSubaccount, ...]) -> Cause | None:
    wanted = next((row for row in listing if row.id == subaccount.wanted_vendor_id), None)
    if wanted is None:
        return Cause.LINK_NOT_LISTED
    others = Subaccount.objects.for_agency(subaccount.agency).exclude(pk=subaccount.pk)
    if others.bound_here().filter(vendor_id=wanted.id).exists():
        return Cause.BOUND_ELSEWHERE
    if others.filter(email__iexact=wanted.email, state__in=IN_THE_MAKING).exists():
        return Cause.LINK_IN_THE_MAKING
    if not (adoption.same_address(wanted.email, subaccount.email) or subaccount.wanted_in_spite):
        return Cause.LINK_OTHER_ADDRESS
    return None
