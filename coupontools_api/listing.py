"""The list of subaccounts, in whole or only its ids and addresses: it may be a hundred thousand lines long."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationError, create_model

from coupontools_api.assumed import SUBACCOUNT_LIST_KEYS
from coupontools_api.endpoints import Endpoint
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import Day, Text
from coupontools_api.ids import SubaccountId
from coupontools_api.replies import Answer, Reply, is_success, judge, lines


class SubaccountSummary(Reply):
    """One line of the list. Without the address a look could prove nothing, so it is required here."""

    id: SubaccountId = Field(alias="ID")
    email: str
    first_name: Text = ""
    last_name: Text = ""
    company_name: Text = ""
    status: Text = ""
    expiry_date: Day = None


@dataclass(frozen=True, slots=True)
class ListedSubaccount:
    """Id and address of one line: all that a look needs."""

    id: Annotated[SubaccountId, Field(validation_alias="ID")]
    email: str


_ROWS: Any = (list[ListedSubaccount] | None, None)
_Brief: Any = create_model(
    "_Brief", status=(Any, None), errors=(Any, None), **dict.fromkeys(SUBACCOUNT_LIST_KEYS, _ROWS)
)


def whole(endpoint: Endpoint, answer: Answer) -> tuple[SubaccountSummary, ...]:
    """Every line in full. Raises what `judge` raises, and UnexpectedReply where a line lacks id or address."""
    payload = judge(endpoint, answer)
    for key in SUBACCOUNT_LIST_KEYS:
        if isinstance(payload.get(key), list):
            return lines(endpoint, payload[key], SubaccountSummary)
    raise UnexpectedReply(endpoint.path, detail="no list in the reply")


def brief(endpoint: Endpoint, answer: Answer) -> tuple[ListedSubaccount, ...]:
    """Ids and addresses only, in a fraction of the time and memory; for the rest as `whole`.

    The quick way knows nothing but success; whatever it cannot read, the thorough one reads or refuses.
    """
    quick = _quickly(answer)
    if quick is not None:
        return quick
    return tuple([ListedSubaccount(line.id, line.email) for line in whole(endpoint, answer)])


def _quickly(answer: Answer) -> tuple[ListedSubaccount, ...] | None:
    if any(odd in answer.body for odd in (b"\\u0000", b"NaN", b"Infinity")):
        return None
    try:
        listing: Any = _Brief.model_validate_json(answer.body)
    except ValidationError:
        return None
    if not is_success(answer.status, {"status": listing.status, "errors": listing.errors}):
        return None
    found: list[list[ListedSubaccount] | None] = [getattr(listing, key) for key in SUBACCOUNT_LIST_KEYS]
    return next((tuple(rows) for rows in found if rows is not None), None)
