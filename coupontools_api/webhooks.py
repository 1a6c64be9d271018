"""Deliveries of webhooks. No signature is published: a delivery is a hint until it is verified here."""

from typing import Annotated, Literal

from pydantic import Field

from coupontools_api.endpoints import Dialect, Endpoint
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import BlankIsNone, Moment, Text, Trimmed
from coupontools_api.ids import CampaignId, EventId, SessionCode
from coupontools_api.replies import Reply
from coupontools_api.transport import Transport

VERIFY = Endpoint(
    "webhooks.verify", "POST", "/v3/webhook/verification", Dialect.V3_RPC, "Webhook verification", codes=(200, 509)
)


class Verification(Reply):
    """What the vendor knows of a delivery that it made. `type` is a word such as `coupon_validated`."""

    result: Annotated[Literal["valid"], Trimmed]
    event: EventId = Field(alias="webhook")
    happened_at: Moment = Field(default=None, alias="date")
    campaign: Annotated[CampaignId | None, BlankIsNone] = None
    session: SessionCode
    type: Text = ""


class Webhooks:
    """`client.webhooks`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def verify(self, event: EventId, session: SessionCode) -> Verification:
        """Asks whether the vendor made a delivery; returning at all means that it did.

        `session` is the whole code: its first six characters are documented for updates and push messages, not here. A
        delivery without a session cannot be verified, as the call requires one.

        Raises NotFound (509) if it did not; InvalidInput (200), Unauthorized (1000), AccountExpired (101), Throttled,
        NotSent, NoAnswer; UnexpectedReply also if the answer is about another event or session.

        Source: "Webhook verification" (200 not published).
        """
        event, session = EventId(event), SessionCode(session)
        found = Verification.of(VERIFY, self._transport.call(VERIFY, {"webhook": event, "session": session}))
        if found.event != event:
            raise UnexpectedReply(VERIFY.path, detail="about another event")
        if found.session != session:
            raise UnexpectedReply(VERIFY.path, detail="about another session")
        return found
