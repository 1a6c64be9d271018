"""Loyalty cards of the v4 REST calls. Ids are plain numbers; answers have no envelope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from coupontools_api.contents import rest_lines
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import Flag, Number, Text
from coupontools_api.ids import PlainId
from coupontools_api.replies import Reply, check_about
from coupontools_api.single_use import numbered
from coupontools_api.transport import Transport

CARDS = "/v4/loyalty/loyalty-cards"
LIST = Endpoint("loyalty.v4.list", "GET", CARDS, Dialect.V4_REST, "Loyalty v4: list loyalty cards", is_long=True)
COPY = Endpoint(
    "loyalty.v4.copy", "POST", f"{CARDS}/{{card}}/copy", Dialect.V4_REST, "Loyalty v4: copy card", changes=True
)
USERS = Endpoint(
    "loyalty.v4.users", "GET", f"{CARDS}/{{card}}/stats", Dialect.V4_REST, "Loyalty v4: list users", is_long=True
)
USER = Endpoint("loyalty.v4.user", "GET", f"{CARDS}/{{card}}/stats/{{user}}", Dialect.V4_REST, "Loyalty v4: get user")
CREATE_USER = Endpoint(
    "loyalty.v4.create_user",
    "POST",
    f"{CARDS}/{{card}}/stats",
    Dialect.V4_REST,
    "Loyalty v4: create user",
    changes=True,
    codes=(305,),
)
CREATE_USERS = Endpoint(
    "loyalty.v4.create_users",
    "POST",
    f"{CARDS}/{{card}}/stats/bulk",
    Dialect.V4_REST,
    "Loyalty v4: create users",
    Evidence.INFERRED,
    changes=True,
    is_long=True,
    codes=(305,),
)
UPDATE_USER = Endpoint(
    "loyalty.v4.update_user",
    "POST",
    f"{CARDS}/{{card}}/stats/{{user}}",
    Dialect.V4_REST,
    "Loyalty v4: update user",
    Evidence.INFERRED,
    changes=True,
    codes=(305,),
)
ADD_STAMPS = Endpoint(
    "loyalty.v4.add_stamps",
    "POST",
    f"{CARDS}/{{card}}/stats/{{user}}/stamps",
    Dialect.V4_REST,
    "Loyalty v4: add stamps",
    Evidence.INFERRED,
    changes=True,
)
MAX_CUSTOM = 8
MAX_NAME = 50


class LoyaltyCardV4(Reply):
    """A loyalty card. `type` is `membership` or `stamp`; `domain` is where customers open it."""

    id: PlainId
    code: Text = ""
    name: Text = ""
    domain: Text = ""
    type: Text = ""


class LoyaltyUserV4(Reply):
    """Somebody who holds a card. No form of it is published: what else there is, is in `.raw`."""

    id: PlainId
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    stamps: Number = None
    points: Number = None
    is_voided: Flag = Field(default=None, alias="voided")


@dataclass(frozen=True, kw_only=True)
class NewLoyaltyUser:
    """Somebody who is to hold a card; everything is optional. At most eight of `custom`."""

    first_name: str | None = None
    last_name: str | None = None
    address: str | None = None
    zip_code: str | None = None
    city: str | None = None
    phone: str | None = None
    email: str | None = None
    custom: Sequence[str] = ()

    def arguments(self) -> dict[str, str]:
        """As the wire has them; ValueError for too many of `custom`."""
        given = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "address": self.address,
            "zip": self.zip_code,
            "city": self.city,
            "phone": self.phone,
            "email": self.email,
        }
        kept = {name: value for name, value in given.items() if value is not None}
        return kept | numbered("custom_", self.custom, MAX_CUSTOM)


class LoyaltyV4:
    """`client.loyalty.v4`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> tuple[LoyaltyCardV4, ...]:
        """The loyalty cards of the account.

        Raises Unauthorized (401), AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Loyalty v4: list loyalty cards".
        """
        return rest_lines(LIST, self._transport.call_rest(LIST), LoyaltyCardV4)

    def copy(self, card: PlainId, *, name: str | None = None) -> LoyaltyCardV4:
        """Makes a copy of a card and returns it; `name` has at most 50 characters (ValueError). Never retried.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent;
        NoAnswer and UnexpectedReply may have happened.

        Source: "Loyalty v4: copy card".
        """
        if len(name or "") > MAX_NAME:
            raise ValueError(f"a name has at most {MAX_NAME} characters")
        return LoyaltyCardV4.of(COPY, self._transport.call_rest(COPY, {"name": name}, ids={"card": PlainId(card)}))

    def users(
        self,
        card: PlainId,
        *,
        filters: Mapping[str, Any] | None = None,
        pagination: Mapping[str, Any] | None = None,
        include_voided: bool | None = None,
    ) -> tuple[LoyaltyUserV4, ...]:
        """Who holds a card. The keys of `filters` and `pagination` are not published and sent as they are given; how
        many the vendor gives at once is not known, so this may be the first page of them.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Loyalty v4: list users" (response not published).
        """
        arguments = {"filter": filters, "pagination": pagination, "include_voided": include_voided}
        return rest_lines(
            USERS, self._transport.call_rest(USERS, arguments, ids={"card": PlainId(card)}), LoyaltyUserV4
        )

    def user(self, card: PlainId, user: PlainId) -> LoyaltyUserV4:
        """One who holds a card.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Loyalty v4: get user" (response and errors not published).
        """
        return self._one(USER, card, user)

    def create_user(self, card: PlainId, user: NewLoyaltyUser) -> LoyaltyUserV4:
        """Gives somebody a card. Never retried.

        Raises NotFound (404), InvalidEmail (305), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101),
        Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Loyalty v4: create user" (response and errors not published).
        """
        found = self._transport.call_rest(CREATE_USER, user.arguments(), ids={"card": PlainId(card)})
        return LoyaltyUserV4.of(CREATE_USER, found)

    def create_users(self, card: PlainId, users: Sequence[NewLoyaltyUser]) -> tuple[LoyaltyUserV4, ...]:
        """Gives a card to many at once. Never retried.

        Raises Undocumented unless the client allows it: how the batch is written is not published. ValueError for
        nobody at all; NotFound (404), InvalidEmail (305), InvalidInput (400, 422), Unauthorized (401), AccountExpired
        (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Loyalty v4: create users" (response and errors not published).
        """
        if not users:
            raise ValueError("nobody to create")
        batch = [user.arguments() for user in users]
        found = self._transport.call_rest(CREATE_USERS, batch, ids={"card": PlainId(card)})
        made = rest_lines(CREATE_USERS, found, LoyaltyUserV4)
        if len(made) != len(users):
            raise UnexpectedReply(CREATE_USERS.path, detail=f"{len(made)} of {len(users)} in the reply")
        return made

    def update_user(self, card: PlainId, user: PlainId, changes: NewLoyaltyUser) -> LoyaltyUserV4:
        """Changes what is known of somebody; what is None stays. Never retried.

        Raises Undocumented unless the client allows it: the path is not published. NotFound (404), InvalidEmail (305),
        InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: "Loyalty v4: update user" (cut).
        """
        return self._one(UPDATE_USER, card, user, changes.arguments())

    def add_stamps(self, card: PlainId, user: PlainId, *, amount: int) -> LoyaltyUserV4:
        """Gives somebody stamps. Never retried.

        Raises Undocumented unless the client allows it: neither path nor parameters are published. ValueError for fewer
        than one; NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent;
        NoAnswer and UnexpectedReply may have happened.

        Source: "Loyalty v4: add stamps" (not published; a third party lists it).
        """
        if amount < 1:
            raise ValueError("at least one stamp")
        return self._one(ADD_STAMPS, card, user, {"amount": amount})

    def _one(
        self, endpoint: Endpoint, card: PlainId, user: PlainId, arguments: Mapping[str, Any] | None = None
    ) -> LoyaltyUserV4:
        answer = self._transport.call_rest(endpoint, arguments, ids={"card": PlainId(card), "user": PlainId(user)})
        found = LoyaltyUserV4.of(endpoint, answer)
        check_about(endpoint, PlainId(user), found.id)
        return found
