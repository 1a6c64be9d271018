"""Coupon sessions: one visitor's use of one coupon, from the opened page to the validation."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from coupontools_api.assumed import SEARCH_PARAMETER, SESSION_ACTION_PARAMETER, SEVERAL_SESSIONS_PARAMETER
from coupontools_api.contents import whole_list
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.fields import BlankIsNone, Flag, MomentInUtc, Number, Text, block
from coupontools_api.ids import CampaignId, SessionCode
from coupontools_api.replies import Reply, check_session
from coupontools_api.transport import Transport

GET = Endpoint(
    "sessions.get",
    "POST",
    "/v3/couponsession/data",
    Dialect.V3_RPC,
    "Retrieve all data from one coupon session",
    is_form=True,
    codes=(200, 505),
)
UPDATE = Endpoint(
    "sessions.update",
    "POST",
    "/v3/couponsession/update",
    Dialect.V3_RPC,
    "Update data from a coupon session",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 300, 302, 305, 505),
)
UPDATE_MANY = Endpoint(
    "sessions.update_many",
    "POST",
    "/v3/multiplecouponsession/update",
    Dialect.V3_RPC,
    "Update data from multiple coupon sessions",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 300, 302, 305, 505),
)
SEARCH = Endpoint(
    "sessions.search",
    "POST",
    "/v3/couponsession/search",
    Dialect.V3_RPC,
    "Search coupon session",
    Evidence.INFERRED,
    is_long=True,
    codes=(200,),
)
SEARCH_IN_CAMPAIGN = Endpoint(
    "sessions.search_in_campaign",
    "POST",
    "/v3/couponsession/search",
    Dialect.V3_RPC,
    "Search coupon session from a campaign",
    Evidence.INFERRED,
    is_long=True,
    codes=(200, 301, 502),
)


class SessionAction(StrEnum):
    """What an update makes of a session. The vendor's text speaks of voiding, claiming and validating; not documented
    as values."""

    VOID = "void"
    CLAIM = "claim"
    VALIDATE = "validate"


class SessionStatus(Reply):
    """How far a session has come. Times are in UTC, None where it has not come that far."""

    created_at: MomentInUtc = Field(default=None, alias="created_date_utc")
    opened_at: MomentInUtc = Field(default=None, alias="open_date_utc")
    played_at: MomentInUtc = Field(default=None, alias="played_date_utc")
    claimed_at: MomentInUtc = Field(default=None, alias="claim_date_utc")
    validated_at: MomentInUtc = Field(default=None, alias="validation_date_utc")
    voided_at: MomentInUtc = Field(default=None, alias="voided_date_utc")
    is_opened: Flag = Field(default=None, alias="opened")
    is_played: Flag = Field(default=None, alias="played")
    is_claimed: Flag = Field(default=None, alias="claimed")
    is_saved_to_wallet: Flag = Field(default=None, alias="saved_to_passbook")
    is_locked: Flag = Field(default=None, alias="locked")
    claim_type: Text = Field(default="", alias="claimtype")
    validation_value: Text = ""
    value: Text = ""
    own_validation_code: Text = ""


class SessionLine(Reply):
    """A session as lists have it."""

    session: SessionCode
    sequence_id: Number = Field(default=None, validation_alias=AliasChoices("sequenceid", "sequence_id"))
    status: Annotated[SessionStatus, block] = SessionStatus()


class SessionData(Reply):
    """The blocks of one session; those besides the status are in `.raw`."""

    status: Annotated[SessionStatus, block] = SessionStatus()


class Session(Reply):
    """All that the vendor tells of one session."""

    session: SessionCode
    campaign: Annotated[CampaignId | None, BlankIsNone] = None
    url: Text = Field(default="", alias="session_url")
    sequence_id: Number = Field(default=None, validation_alias=AliasChoices("sequenceid", "sequence_id"))
    custom_id: Text = Field(default="", alias="customid")
    data: Annotated[SessionData, block] = SessionData()

    @property
    def status(self) -> SessionStatus:
        return self.data.status


class Sessions:
    """`client.sessions`. A session is named by its code, or the first six characters of it where a call says so."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, session: SessionCode) -> Session:
        """All data of one session.

        Raises NotFound (505), InvalidInput (200), Unauthorized (1000), AccountExpired (101), Throttled, NotSent,
        NoAnswer; UnexpectedReply also if the answer is about another session.

        Source: "Retrieve all data from one coupon session" (errors not published).
        """
        code = SessionCode(session)
        found = Session.of(GET, self._transport.call(GET, {"couponsession": code}))
        check_session(GET, code, found.session)
        return found

    def update(self, session: SessionCode, *, action: SessionAction | None = None, **fields: str) -> Reply:
        """Voids, claims or validates a session, or sets other fields, which are sent as they are named. Never retried.

        `session` may be the first six characters; `action` is `void`, `claim` or `validate`. Raises Undocumented unless
        the client allows it: the names and values of the parameters are not published. NotFound (505), InvalidEmail
        (305), InvalidInput (200, 300, 302), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: "Update data from a coupon session" (errors not published).
        """
        arguments = {**fields, "couponsession": SessionCode(session), SESSION_ACTION_PARAMETER: _action(action)}
        found = Reply.of(UPDATE, self._transport.call(UPDATE, arguments))
        check_session(UPDATE, SessionCode(session), found.raw.get("session"))
        return found

    def update_many(
        self, sessions: Sequence[SessionCode], *, action: SessionAction | None = None, **fields: str
    ) -> Reply:
        """The same change to several sessions in one call. Never retried.

        `action` is `void`, `claim` or `validate`. Raises Undocumented unless the client allows it: neither path nor
        parameters are published. ValueError for no session at all; NotFound (505), InvalidEmail (305), InvalidInput
        (200, 300, 302), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may
        have happened.

        Source: menu line "Update data from multiple coupon sessions" (errors not published).
        """
        codes = [SessionCode(session) for session in sessions]
        if not codes:
            raise ValueError("no session")
        arguments = {**fields, SEVERAL_SESSIONS_PARAMETER: codes, SESSION_ACTION_PARAMETER: _action(action)}
        return Reply.of(UPDATE_MANY, self._transport.call(UPDATE_MANY, arguments))

    def search(self, text: str) -> tuple[SessionLine, ...]:
        """Sessions by own validation code, phone number or e-mail address.

        Raises Undocumented unless the client allows it: the name of the parameter is not published. ValueError for a
        blank text; InvalidInput (200), Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer,
        UnexpectedReply.

        Source: "Search coupon session" (errors not published).
        """
        return self._found(SEARCH, {SEARCH_PARAMETER: _wanted(text)})

    def search_in_campaign(self, campaign: CampaignId, text: str) -> tuple[SessionLine, ...]:
        """The same within one campaign.

        Raises Undocumented unless the client allows it: neither path nor parameters are published. ValueError for a
        blank text; NotFound (502), InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled,
        NotSent, NoAnswer, UnexpectedReply.

        Source: menu line "Search coupon session from a campaign" (errors not published).
        """
        return self._found(SEARCH_IN_CAMPAIGN, {"campaign": CampaignId(campaign), SEARCH_PARAMETER: _wanted(text)})

    def _found(self, endpoint: Endpoint, arguments: dict[str, Any]) -> tuple[SessionLine, ...]:
        payload = self._transport.call(endpoint, arguments)
        return whole_list(endpoint, payload, SessionLine, "session", "sessions")


def _wanted(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing to search for")
    return text


def _action(action: SessionAction | None) -> SessionAction | None:
    return None if action is None else SessionAction(action)
