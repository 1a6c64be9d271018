"""Sign-on of a teammate into the agency's own panel. Never for customers."""

from coupontools_api.account import StaffSignOn
from coupontools_api.assumed import TEAMMATE_KEY
from coupontools_api.endpoints import Dialect, Endpoint
from coupontools_api.ids import CampaignId, TeammateId
from coupontools_api.transport import Transport

SIGN_ON = Endpoint(
    "teammates.sign_on",
    "POST",
    "/v3/teammate/sso",
    Dialect.V3_RPC,
    "Teammate: Create single sign on",
    changes=True,
    codes=(102, 200, 301, 302, 502, 503),
)


class Teammates:
    """`client.teammates`. No call lists them: their ids are in the panel."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def sign_on(
        self, teammate: TeammateId, *, campaign: CampaignId | None = None, deadline: float | None = None
    ) -> StaffSignOn:
        """Mints a sign-on URL for one teammate of the account. `deadline` is in seconds. Never retried.

        The page speaks of a `campaign` among its errors only; what it does is not published. Raises NotFound (503; 502
        for the campaign), InvalidInput (200, 301, 302), WrongKindOfKey (102), Unauthorized (1000), AccountExpired
        (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Teammate: Create single sign on" (response, 102 and 302 not published).
        """
        arguments = {
            "teammate": TeammateId(teammate),
            "campaign": CampaignId(campaign) if campaign is not None else None,
        }
        payload = self._transport.call(SIGN_ON, arguments, deadline=deadline)
        return StaffSignOn.of(SIGN_ON, payload.get(TEAMMATE_KEY))
