"""What a row of the tests over every endpoint is, and the ids that the rows share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coupontools_api.client import Coupontools
from coupontools_api.ids import CampaignId, PlainId, SessionCode, SubaccountId

OK = {"status": {"status": "OK"}}
CAMPAIGN, SUBACCOUNT, SESSION = CampaignId("cam_50001"), SubaccountId("sub_1001"), SessionCode("a1b2c3d4e5f6g7h8i9j0K")
PLAIN, OTHER = PlainId(7), PlainId(9)
TOKEN = "token-canary"
LINK = f"https://panel.example/?token={TOKEN}"


@dataclass(frozen=True)
class Call:
    """`reads` maps a good answer's result to what must have been read; `sends` is the body, or the query of a GET."""

    ask: Callable[[Coupontools], Any]
    answer: Any = field(default_factory=lambda: OK)
    sends: Any = field(default_factory=dict)
    path: str = ""
    reads: tuple[Callable[[Any], Any], Any] = (lambda result: None, None)


def ids(found: Any) -> list[Any]:
    return [row.id for row in found]
