"""The client: one attribute per resource."""

from coupontools_api.sign_ons import Account, Teammates
from coupontools_api.subaccounts import Subaccounts
from coupontools_api.transport import Transport


class Coupontools:
    """A client for one vendor account; make one per account and process, and keep it.

    `deadline` (seconds) bounds each call in whole, `list_deadline` the list of subaccounts.
    `subaccount_update_path` is for the call that the vendor does not document.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        base_url: str = "https://api.coupontools.com",
        deadline: float = 15,
        list_deadline: float = 60,
        subaccount_update_path: str | None = None,
        verify: str | bool = True,
    ) -> None:
        self._transport = Transport(
            client_id=client_id, client_secret=client_secret, base_url=base_url, deadline=deadline, verify=verify
        )
        self.account = Account(self._transport)
        self.teammates = Teammates(self._transport)
        self.subaccounts = Subaccounts(self._transport, list_deadline=list_deadline, update_path=subaccount_update_path)

    def __repr__(self) -> str:
        return f"Coupontools({self._transport!r})"

    def close(self) -> None:
        """Closes the kept connections."""
        self._transport.close()
