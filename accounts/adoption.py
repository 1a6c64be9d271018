"""The adoption table: when a vendor account that is found may be taken for ours. Pure judgement, no side effect.

| own unknown attempt | first look | listed now    | bound elsewhere | verdict            |
|---------------------|------------|---------------|-----------------|--------------------|
| any                 | any        | yes           | yes             | BOUND_ELSEWHERE    |
| any                 | present    | yes           | no              | EXISTED_BEFORE     |
| any                 | absent     | twice or more | no              | LISTED_TWICE       |
| yes                 | absent     | once          | no              | bind               |
| no                  | absent     | once          | no              | APPEARED_MEANWHILE |
| any                 | any        | almost        | -               | LISTED_ALMOST      |
| any                 | any        | no            | -               | absent             |

Nothing at all is asked of the vendor before the mailbox is verified, so that column is not here.
"""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from accounts.models import Cause
from coupontools_api.ids import SubaccountId
from coupontools_api.subaccounts import ListedSubaccount


@dataclass(frozen=True)
class Verdict:
    """`bind` is the id to adopt; `cause` says why a person has to look; neither means: it is not there."""

    bind: SubaccountId | None = None
    cause: Cause = Cause.NONE

    @property
    def is_absent(self) -> bool:
        return self.bind is None and self.cause == Cause.NONE


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same but for case."""
    return one.lower() == other.lower()


def _loosely(address: str) -> str:
    return unicodedata.normalize("NFKC", "".join(address.split())).casefold()


def ids_listed_for(email: str, listing: Iterable[ListedSubaccount]) -> frozenset[SubaccountId]:
    return frozenset(row.id for row in listing if same_address(row.email, email))


def judge(
    *,
    email: str,
    listing: Collection[ListedSubaccount],
    had_unknown_outcome: bool,
    was_present_at_first: bool,
    bound_elsewhere: Collection[str],
) -> Verdict:
    """What a listing means for a wish. Source: the table above."""
    found = ids_listed_for(email, listing)
    if not found:
        if any(_loosely(row.email) == _loosely(email) for row in listing):
            return Verdict(cause=Cause.LISTED_ALMOST)
        return Verdict()
    if found.intersection(bound_elsewhere):
        return Verdict(cause=Cause.BOUND_ELSEWHERE)
    if was_present_at_first:
        return Verdict(cause=Cause.EXISTED_BEFORE)
    if len(found) > 1:
        return Verdict(cause=Cause.LISTED_TWICE)
    if not had_unknown_outcome:
        return Verdict(cause=Cause.APPEARED_MEANWHILE)
    return Verdict(bind=next(iter(found)))
