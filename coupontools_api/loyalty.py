"""Loyalty cards of the v3 calls, and the people who hold them. What v4 adds is under `client.loyalty.v4`."""

from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import Field

from coupontools_api.assumed import LOYALTY_ACTION_PARAMETER, POINTS_PARAMETER, SEARCH_PARAMETER
from coupontools_api.contents import only_object, whole_list
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.fields import Flag, Number, Text, written_day
from coupontools_api.ids import LoyaltyCardId, LoyaltyUserId
from coupontools_api.loyalty_v4 import LoyaltyV4
from coupontools_api.replies import Reply, check_about, check_within
from coupontools_api.transport import Transport

LIST = Endpoint(
    "loyalty.list",
    "POST",
    "/v3/loyalty/list",
    Dialect.V3_RPC,
    "Retrieve a list of your loyalty cards",
    is_long=True,
    codes=(302,),
)
GET = Endpoint(
    "loyalty.get",
    "POST",
    "/v3/loyalty/info",
    Dialect.V3_RPC,
    "Loyalty card info",
    codes=(200, 301, 507),
)
USERS = Endpoint(
    "loyalty.users",
    "POST",
    "/v3/loyaltyusers/list",
    Dialect.V3_RPC,
    "Retrieve a list of users from a loyalty card",
    is_long=True,
    codes=(200, 301, 505),
)
UPDATE_USER = Endpoint(
    "loyalty.update_user",
    "POST",
    "/v3/loyaltyusers/update",
    Dialect.V3_RPC,
    "Update loyalty card user",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 301, 302, 505),
)
CREATE_USER = Endpoint(
    "loyalty.create_user",
    "POST",
    "/v3/loyaltyusers/create",
    Dialect.V3_RPC,
    "Create loyalty card user",
    changes=True,
    codes=(200, 302, 303, 304, 305),
)
SEARCH_USERS = Endpoint(
    "loyalty.search_users",
    "POST",
    "/v3/loyaltyusers/search",
    Dialect.V3_RPC,
    "Search loyalty card users",
    is_long=True,
    codes=(200, 300, 301, 505),
)
PUSH = Endpoint(
    "loyalty.push",
    "POST",
    "/v3/loyalty/pushnotification/single",
    Dialect.V3_RPC,
    "Send single push notification",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 301, 505),
)
PUSH_ALL = Endpoint(
    "loyalty.push_all",
    "POST",
    "/v3/loyalty/pushnotification/all",
    Dialect.V3_RPC,
    "Send push notification to all",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 301, 505),
)
SHORTEST_SEARCH = 3


class Sorting(StrEnum):
    """By the day of creation: oldest first, or newest first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Gender(StrEnum):
    """Source: "Create loyalty card user", parameter `gender`."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class LoyaltyCard(Reply):
    """A loyalty card. `type` is a word of the vendor's, such as `stamp` or `membership`."""

    id: LoyaltyCardId = Field(alias="ID")
    code: Text = ""
    name: Text = ""
    type: Text = ""
    status: Text = ""


class LoyaltyUser(Reply):
    """Somebody who holds a card. No form of it is published: what else there is, is in `.raw`."""

    id: LoyaltyUserId = Field(alias="ID")
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    points: Number = None
    stamps: Number = None
    is_voided: Flag = Field(default=None, alias="voided")


class Loyalty:
    """`client.loyalty`; its `v4` has the REST calls."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.v4 = LoyaltyV4(transport)

    def list(self, *, only_active: bool | None = None, sorting: Sorting | None = None) -> tuple[LoyaltyCard, ...]:
        """The loyalty cards of the account. `sorting` is `asc`, the oldest first, or `desc`, the newest first.

        Raises InvalidInput (302), Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer,
        UnexpectedReply.

        Source: "Retrieve a list of your loyalty cards" (response and 302 not published).
        """
        arguments = {"only_active": only_active, "sorting": None if sorting is None else Sorting(sorting)}
        return whole_list(LIST, self._transport.call(LIST, arguments), LoyaltyCard, "loyaltycard", "loyaltycards")

    def get(self, card: LoyaltyCardId) -> LoyaltyCard:
        """One card.

        Raises NotFound (507), InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Loyalty card info" (response and 301 not published).
        """
        payload = self._transport.call(GET, {"loyaltycard": LoyaltyCardId(card)})
        found = LoyaltyCard.of(GET, only_object(GET, payload))
        check_about(GET, LoyaltyCardId(card), found.id)
        return found

    def users(self, card: LoyaltyCardId) -> tuple[LoyaltyUser, ...]:
        """Everybody who holds a card.

        Raises NotFound (505), InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Retrieve a list of users from a loyalty card" (response and 200 not published).
        """
        payload = self._transport.call(USERS, {"loyaltycard": LoyaltyCardId(card)})
        return whole_list(USERS, payload, LoyaltyUser)

    def update_user(
        self,
        card: LoyaltyCardId,
        *,
        user: LoyaltyUserId,
        amount: int | None = None,
        action: str | None = None,
        **fields: str,
    ) -> Reply:
        """Gives points or stamps (`amount`), or sets other fields, which are sent as they are named. Never retried.

        Raises Undocumented unless the client allows it: neither the names of the parameters nor the values of `action`
        are published. NotFound (505), InvalidInput (200, 301, 302), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Update loyalty card user" (errors not published).
        """
        arguments: dict[str, Any] = {
            **fields,
            **_holder(card, user),
            POINTS_PARAMETER: amount,
            LOYALTY_ACTION_PARAMETER: action,
        }
        payload = self._transport.call(UPDATE_USER, arguments)
        check_within(UPDATE_USER, LoyaltyCardId(card), payload, "loyaltycard")
        check_within(UPDATE_USER, LoyaltyUserId(user), payload, "user")
        return Reply.of(UPDATE_USER, payload)

    def create_user(
        self,
        *,
        email: str,
        password: str,
        phone: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        gender: Gender | None = None,
        birthday: date | None = None,
        city: str | None = None,
    ) -> Reply:
        """Makes a user, who holds no card yet; what the vendor says of it is in `.raw`. Never retried.

        `gender` is `male`, `female` or `unknown`; `birthday` is a day. Raises EmailTaken (304), InvalidEmail (305),
        InvalidInput (200, 302, 303), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: "Create loyalty card user" (response and errors but 200 not published).
        """
        arguments = {
            "email": email,
            "password": password,
            "phone": phone,
            "first_name": first_name,
            "last_name": last_name,
            "gender": None if gender is None else Gender(gender),
            "birthday": written_day(birthday),
            "city": city,
        }
        return Reply.of(CREATE_USER, self._transport.call(CREATE_USER, arguments))

    def search_users(self, card: LoyaltyCardId, text: str) -> tuple[LoyaltyUser, ...]:
        """Who holds a card and matches: at least three of the characters a-z, A-Z, 0-9, `-`, `_` and `@`.

        Raises ValueError for a shorter text; NotFound (505), InvalidInput (200, 300, 301), Unauthorized (1000),
        AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Search loyalty card users" (response and errors cut).
        """
        if len(text) < SHORTEST_SEARCH:
            raise ValueError("a search has at least three characters")
        arguments = {"loyaltycard": LoyaltyCardId(card), SEARCH_PARAMETER: text}
        return whole_list(SEARCH_USERS, self._transport.call(SEARCH_USERS, arguments), LoyaltyUser)

    def push(self, card: LoyaltyCardId, *, user: LoyaltyUserId, message: str) -> None:
        """Sends a message to one who holds the card. Never retried.

        Raises Undocumented unless the client allows it: neither path nor parameters are published. NotFound (505),
        InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: menu line "Send single push notification" of loyalty cards (errors not published).
        """
        self._transport.call(PUSH, {**_holder(card, user), "message": message})

    def push_all(self, card: LoyaltyCardId, *, message: str) -> None:
        """Sends a message to everybody who holds the card. Never retried.

        Raises Undocumented unless the client allows it: neither path nor parameters are published. NotFound (505),
        InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: menu line "Send push notification to all" of loyalty cards (errors not published).
        """
        self._transport.call(PUSH_ALL, {"loyaltycard": LoyaltyCardId(card), "message": message})


def _holder(card: LoyaltyCardId, user: LoyaltyUserId) -> dict[str, str]:
    return {"loyaltycard": LoyaltyCardId(card), "user": LoyaltyUserId(user)}
