"""What the round trips share: a wire with both sides in hand, what goes over it, and how the client has it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from coupontools_api.client import Coupontools
from coupontools_api.sandbox import Sandbox
from coupontools_api.sandbox.vendor import Vendor

OWNER = "acc_1"
PAGE = 3
WAYS = {
    "prefixed ids": {"id_style": "prefixed", "list_key": "subaccounts", "other_lists": "singular"},
    "bare ids": {"id_style": "bare", "list_key": "subaccounts", "other_lists": "singular"},
    "other keys": {"id_style": "prefixed", "list_key": "subaccount", "other_lists": "plural"},
    "bare ids, other keys": {"id_style": "bare", "list_key": "subaccount", "other_lists": "plural"},
}


@dataclass(frozen=True)
class Wire:
    """What stands behind the sandbox's socket, and a client before it."""

    sandbox: Sandbox
    vendor: Vendor
    client: Coupontools
    is_bare: bool

    def shown(self, id_: str) -> str:
        return id_.rpartition("_")[2] if self.is_bare else id_

    def emptied(self) -> "Wire":
        with self.vendor.database.transaction():
            self.vendor.campaigns.remove_all(OWNER)
            self.vendor.records.remove_all(OWNER)
            for subaccount in self.vendor.state.subaccounts():
                self.vendor.remove_subaccount(subaccount.number)
        return self


Test = TypeVar("Test", bound=Callable[..., None])


def with_any(*strategies: st.SearchStrategy[Any]) -> Callable[[Test], Test]:
    """`given`, on machines of any pace."""
    pace = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: pace(given(*strategies)(test))


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
some_text = any_text.filter(lambda text: text.strip() != "")
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda when: f"{when:%Y-%m-%d %H:%M:%S}")
maybe_moment = moments | st.just("")
counts = st.integers(-(10**15), 10**15)
bits = st.sampled_from(["0", "1"])
people = {"email": any_text, "first_name": any_text, "last_name": any_text, "phone": any_text}


def clean(text: str) -> str:
    """A text as the client has it: no blanks around it, and U+FFFD for the NUL that no database takes."""
    return text.replace("\x00", "\ufffd").strip()


def cleaned(fields: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: clean(fields.get(name, "")) for name in names}


def moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def in_utc(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def values(model: BaseModel) -> dict[str, Any]:
    """Every field of a model, `raw` apart."""
    return {name: getattr(model, name) for name in type(model).model_fields if name != "raw"}
