"""Sign-on into the agency's own panel: the account's and a teammate's. Never for customers."""

from pydantic import SecretStr

from coupontools_api.assumed import ACCOUNT_KEY, TEAMMATE_KEY
from coupontools_api.ids import TeammateId
from coupontools_api.replies import Reply
from coupontools_api.transport import Transport


class StaffSignOn(Reply):
    """A one-time way into the agency's own panel."""

    token: SecretStr
    url: SecretStr
    url_whitelabel: SecretStr | None = None


class Account:
    """`client.account`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def sign_on(self, *, deadline: float | None = None) -> StaffSignOn:
        """Mints a sign-on URL for the account that the credentials belong to. Never retried.

        Raises Unauthorized, NotSent, NoAnswer, UnexpectedReply.

        Source: POST /v3/account/sso, "Account, Create single sign on" (response not published).
        """
        path = "/v3/account/sso"
        payload = self._transport.write(path, {}, deadline=deadline)
        return StaffSignOn.of(path, payload.get(ACCOUNT_KEY))


class Teammates:
    """`client.teammates`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def sign_on(self, teammate: TeammateId, *, deadline: float | None = None) -> StaffSignOn:
        """Mints a sign-on URL for one teammate of the account. Never retried.

        Raises NotFound (503), InvalidInput (200, 301), Unauthorized, NotSent, NoAnswer, UnexpectedReply.

        Source: POST /v3/teammate/sso, "Teammate, Create single sign on" (response not published).
        """
        path = "/v3/teammate/sso"
        payload = self._transport.write(path, {"teammate": teammate}, deadline=deadline)
        return StaffSignOn.of(path, payload.get(TEAMMATE_KEY))
