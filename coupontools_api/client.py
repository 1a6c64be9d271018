"""The client: one attribute per resource."""

import re
from collections.abc import Mapping
from typing import Self

from coupontools_api.account import Account
from coupontools_api.assumed import USAGE_TIME_FORMAT
from coupontools_api.campaigns import Campaigns
from coupontools_api.coverage import ENDPOINTS
from coupontools_api.directories import Directories
from coupontools_api.loyalty import Loyalty
from coupontools_api.messages import Messages
from coupontools_api.sessions import Sessions
from coupontools_api.single_use import SingleUses
from coupontools_api.subaccounts import Subaccounts
from coupontools_api.teammates import Teammates
from coupontools_api.transport import Transport
from coupontools_api.webhooks import Webhooks

BASE_URL = "https://api.coupontools.com"


class Coupontools:
    """A client for one vendor account; make one per account and process, and keep it: connections stay open.

        with Coupontools(client_id="…", client_secret="…") as vendor:
            for subaccount in vendor.subaccounts.list():
                print(subaccount.id, subaccount.email)

    `deadline` (seconds) bounds each call in whole, `list_deadline` the calls whose answer is a list of any length; only
    the look-up of the host's name, which the system does, may take longer, and then nothing is sent.
    Every call may raise the kinds of `coupontools_api.errors.CoupontoolsError`; each says whether the vendor
    may have done it all the same. Ids of the wrong form are a ValueError before any call.

    `allow_undocumented` opens the calls whose path or parameters the vendor does not publish; they raise
    Undocumented without it. `paths` sets the path of endpoints by their name, where the vendor's is another than
    ours: `{"subaccounts.update": "/v4/subaccount/edit"}`. The names are in `coupontools_api.coverage`.

    Two more settings, for a vendor that differs from what we assume (`./run vendor-check` tells): `sends_all_headers`
    sends the credentials of v4 REST under both kinds of names, `time_format` is how `start` and `end` are written.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        base_url: str = BASE_URL,
        deadline: float = 15,
        list_deadline: float = 60,
        allow_undocumented: bool = False,
        paths: Mapping[str, str] | None = None,
        verify: str | bool = True,
        sends_all_headers: bool = False,
        time_format: str = USAGE_TIME_FORMAT,
    ) -> None:
        _check(paths or {})
        self._transport = Transport(
            client_id=client_id,
            client_secret=client_secret,
            base_url=base_url,
            deadline=deadline,
            list_deadline=list_deadline,
            allow_undocumented=allow_undocumented,
            paths=paths,
            verify=verify,
            sends_all_headers=sends_all_headers,
        )
        self.account = Account(self._transport)
        self.teammates = Teammates(self._transport)
        self.subaccounts = Subaccounts(self._transport)
        self.campaigns = Campaigns(self._transport, time_format)
        self.sessions = Sessions(self._transport)
        self.loyalty = Loyalty(self._transport)
        self.directories = Directories(self._transport)
        self.single_use = SingleUses(self._transport)
        self.messages = Messages(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __repr__(self) -> str:
        return f"Coupontools({self._transport!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the kept connections."""
        self._transport.close()


def _check(paths: Mapping[str, str]) -> None:
    """Raises ValueError for a name that no endpoint has, and for a path that could lead to another host, or has other
    ids in braces than the endpoint's own."""
    ours = {endpoint.name: endpoint.path for endpoint in ENDPOINTS}
    for name, path in paths.items():
        if name not in ours:
            raise ValueError(f"no endpoint {name}")
        if not re.match("/(?!/)", path):
            raise ValueError(f"a path starts with one slash, unlike {path!r}")
        if sorted(re.findall("{.*?}", path)) != sorted(re.findall("{.*?}", ours[name])):
            raise ValueError(f"other ids than in {ours[name]}")
