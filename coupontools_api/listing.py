"""The list of subaccounts, in whole or only its ids and addresses: it may be a hundred thousand lines long."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter, methodcaller
from typing import Annotated, Any, overload

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, create_model

from coupontools_api.assumed import SUBACCOUNT_LIST_KEYS, SUBACCOUNT_TOTALS
from coupontools_api.endpoints import Endpoint
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import Text, number_of
from coupontools_api.ids import SubaccountId
from coupontools_api.replies import Answer, Payload, Reply, have_no_secrets, is_success, judge, without_secrets


class SubaccountSummary(Reply):
    """One line of the list; `email` is "" where the vendor gives none.

    The vendor publishes no form of a line: what else there is, is in `.raw`.
    """

    id: SubaccountId = Field(alias="ID")
    email: Text = ""


@dataclass(frozen=True, slots=True)
class ListedSubaccount:
    """Id and address of one line: all that a look needs, which could prove nothing without the address."""

    written_id: Annotated[str, Field(validation_alias="ID", pattern=SubaccountId.pattern(), strict=True)]
    email: Annotated[str, StringConstraints(strip_whitespace=True)]

    @property
    def id(self) -> SubaccountId:
        return SubaccountId(self.written_id)


class SubaccountList(Sequence[SubaccountSummary]):
    """The lines as they came, checked; a line becomes a `SubaccountSummary` when it is asked for."""

    def __init__(
        self, endpoint: Endpoint, rows: list[Payload], id_of: Callable[[str], SubaccountId] = SubaccountId
    ) -> None:
        self._endpoint, self._rows, self._id_of = endpoint, rows, id_of

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> SubaccountSummary: ...

    @overload
    def __getitem__(self, index: slice) -> "SubaccountList": ...

    def __getitem__(self, index: int | slice) -> "SubaccountSummary | SubaccountList":
        if isinstance(index, slice):
            return SubaccountList(self._endpoint, self._rows[index], self._id_of)
        return self._read(self._rows[index])

    def __iter__(self) -> Iterator[SubaccountSummary]:
        is_plain = have_no_secrets(self._rows, _SECRET_KEYS) and {str}.issuperset(map(type, map(_email_of, self._rows)))
        return map(self._read_plain if is_plain else self._read, self._rows)

    def _read(self, row: Payload) -> SubaccountSummary:
        if not isinstance(row.get("email"), str):
            return SubaccountSummary.of(self._endpoint, row)
        return self._read_plain(row, without_secrets(row, _SECRET_KEYS))

    def _read_plain(self, row: Payload, raw: Payload | None = None) -> SubaccountSummary:
        """A line with an address, and nothing in it that `raw` must not hold.

        A hundred thousand may be asked for: it goes without the validation, and is put together as `model_construct`
        does it, in less than half the time.
        """
        read = {"raw": row if raw is None else raw, "id": self._id_of(row["ID"]), "email": row["email"].strip()}
        summary = SubaccountSummary.__new__(SubaccountSummary)
        _set(summary, "__dict__", read)
        _set(summary, "__pydantic_fields_set__", _FIELDS)
        _set(summary, "__pydantic_extra__", None)
        _set(summary, "__pydantic_private__", None)
        return summary

    def __repr__(self) -> str:
        return f"<{len(self)} subaccounts>"


_SECRET_KEYS = SubaccountSummary.secret_keys
_FIELDS = {"id", "email", "raw"}
_set = object.__setattr__
_ROWS: Any = (tuple[ListedSubaccount, ...] | None, None)
_TOTAL: Any = (Any, None)
_Brief: Any = create_model(
    "_Brief",
    __config__=ConfigDict(cache_strings="keys"),
    status=(Any, None),
    errors=(Any, None),
    **dict.fromkeys(SUBACCOUNT_LIST_KEYS, _ROWS),
    **dict.fromkeys(SUBACCOUNT_TOTALS, _TOTAL),
)
_id_of, _email_of, _written_id_of = itemgetter("ID"), methodcaller("get", "email"), attrgetter("written_id")


def whole(endpoint: Endpoint, answer: Answer) -> SubaccountList:
    """Every line in full. Raises what `judge` raises, and UnexpectedReply where a line lacks its id."""
    rows = _rows(endpoint, answer)
    if _are_written(rows):
        return SubaccountList(endpoint, rows, SubaccountId.of_written)
    for row in rows:
        _identified(endpoint, row)
    return SubaccountList(endpoint, rows)


def brief(endpoint: Endpoint, answer: Answer) -> tuple[ListedSubaccount, ...]:
    """Ids and addresses only, in a fraction of the time and memory; for the rest as `whole`, but a line needs both.

    The quick way knows nothing but success; whatever it cannot read, the thorough one reads or refuses.
    """
    quick = _quickly(answer)
    if quick is not None:
        return quick
    return tuple([_listed(endpoint, row) for row in _rows(endpoint, answer)])


def _rows(endpoint: Endpoint, answer: Answer) -> list[Any]:
    payload = judge(endpoint, answer)
    for key in SUBACCOUNT_LIST_KEYS:
        if isinstance(payload.get(key), list):
            rows: list[Any] = payload[key]
            if not _is_whole(rows, map(payload.get, SUBACCOUNT_TOTALS), _id_of):
                raise UnexpectedReply(endpoint.path, detail="a part of the list only")
            return rows
    raise UnexpectedReply(endpoint.path, detail="no list in the reply")


def _is_whole(rows: Sequence[Any], totals: Iterable[object], id_of: Callable[[Any], object]) -> bool:
    """Whether there are as many accounts as the vendor counts, where it does: one that is listed twice is one."""
    counted = max(number_of(total) or 0 for total in totals)
    if counted <= 0:
        return True
    if counted > len(rows):
        return False
    try:
        found = {str(number).removeprefix(SubaccountId.prefix) for number in map(id_of, rows)}
    except (KeyError, TypeError):
        return True  # a line without an id, for which the list is refused in any case
    return counted <= len(found)


def _are_written(rows: list[Any]) -> bool:
    """Whether each line has its id in writing, as almost every answer has: seen without a loop of our own."""
    try:
        return all(map(SubaccountId.is_written, map(_id_of, rows)))
    except (KeyError, TypeError):
        return False


def _identified(endpoint: Endpoint, row: Any) -> SubaccountId:
    try:
        return SubaccountId(row["ID"])
    except (KeyError, TypeError, ValueError):
        pass
    raise UnexpectedReply(endpoint.path, detail="a line without id")


def _listed(endpoint: Endpoint, row: Any) -> ListedSubaccount:
    written_id = _identified(endpoint, row)
    if not isinstance(row.get("email"), str):
        raise UnexpectedReply(endpoint.path, detail="a line without address")
    return ListedSubaccount(written_id, row["email"].strip())


def _quickly(answer: Answer) -> tuple[ListedSubaccount, ...] | None:
    if _has_nan(answer.body):
        return None
    try:
        listing: Any = _Brief.model_validate_json(answer.body)
    except ValidationError:
        return None
    if not is_success(answer.status, {"status": listing.status, "errors": listing.errors}):
        return None
    found: list[tuple[ListedSubaccount, ...] | None] = [getattr(listing, key) for key in SUBACCOUNT_LIST_KEYS]
    rows = next((rows for rows in found if rows is not None), None)
    totals = (getattr(listing, key) for key in SUBACCOUNT_TOTALS)
    if rows is None or not _is_whole(rows, totals, _written_id_of):
        return None
    has_nul = b"\\u0000" in answer.body and any("\x00" in row.email for row in rows)
    return None if has_nul else rows


def _has_nan(body: bytes) -> bool:
    """Whether NaN or Infinity stands outside a text: no JSON, and the quick reader takes it all the same.

    By the quotes before it, which is quick: a company may be called so.
    """
    words = [word for word in (b"NaN", b"Infinity") if word in body]
    if not words:
        return False
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    for word in words:
        quotes = 0
        for before in plain.split(word)[:-1]:
            quotes += before.count(b'"')
            if quotes % 2 == 0:
                return True
    return False
