"""Sign-on into the agency's own panel. Never for customers."""

from coupontools_api.assumed import ACCOUNT_KEY
from coupontools_api.endpoints import Dialect, Endpoint
from coupontools_api.fields import NeededSecret, Secret
from coupontools_api.replies import Reply
from coupontools_api.transport import Transport

SIGN_ON = Endpoint(
    "account.sign_on",
    "POST",
    "/v3/account/sso",
    Dialect.V3_RPC,
    "Account: Create single sign on",
    changes=True,
    codes=(102,),
)


class StaffSignOn(Reply):
    """A one-time way into the agency's own panel."""

    token: NeededSecret
    url: NeededSecret
    url_whitelabel: Secret = None


class Account:
    """`client.account`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def sign_on(self, *, deadline: float | None = None) -> StaffSignOn:
        """Mints a sign-on URL for the account that the credentials belong to. `deadline` is in seconds. Never retried.

        Raises WrongKindOfKey (102), Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer,
        UnexpectedReply.

        Source: "Account: Create single sign on" (response and 102 not published).
        """
        payload = self._transport.call(SIGN_ON, deadline=deadline)
        return StaffSignOn.of(SIGN_ON, payload.get(ACCOUNT_KEY))
