"""The sandbox as an object: start it, set the stage, break things, read what happened."""

import threading
from types import TracebackType
from typing import Any, Self, Unpack

from . import control, webhooks
from .ledger import LedgerRequest
from .replies import Json
from .server import Server, loopback
from .settings import Settings
from .state import AccountFields, SubaccountFields, number_of
from .vendor import Vendor


class Sandbox:
    """A stand-in for the Coupontools API and its panel, on a loopback port of this machine.

    `port` 0 takes a free one. `state` is a SQLite file or ":memory:". `panel_url` is the origin
    that sign-on links name (default: the sandbox's own). `tls` is a certificate and a key file.

    Raises ValueError for a host that is not loopback; `start` raises OSError for a busy port.
    """

    def __init__(
        self,
        port: int = 0,
        state: str = ":memory:",
        panel_url: str | None = None,
        *,
        host: str = "127.0.0.1",
        tls: tuple[str, str] | None = None,
    ) -> None:
        self._address = (loopback(host), port)
        self._tls = tls
        self._panel_url = panel_url
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._vendor = Vendor(state)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._vendor.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        self._server = Server(self._address, self._vendor, self._tls)
        self._vendor.panel_url = (self._panel_url or self.url).rstrip("/")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop at once, also in the middle of a hang; effects still to come are dropped."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None
        self._vendor.close()

    @property
    def url(self) -> str:
        """The origin of the API."""
        if self._server is None:
            raise RuntimeError("The sandbox has not been started.")
        host, port = self._server.server_name, self._server.server_port
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def panel_host(self) -> str:
        """`host:port` of the panel."""
        return (self._panel_url or self.url).rstrip("/").partition("://")[2]

    # The stage

    def add_account(self, client_id: str, client_secret: str, **fields: Unpack[AccountFields]) -> None:
        """Add an account, or change what is given of it. No packages: every package is unknown."""
        account = {"client_id": client_id, "client_secret": client_secret, **fields}
        control.put_state(self._vendor, {"accounts": [account]})

    def add_subaccount(self, client_id: str, *, email: str, **fields: Unpack[SubaccountFields]) -> str:
        """Add a subaccount or change the one with this address; answers its id.

        Leaves no trace in the ledger.
        """
        row = {"client_id": client_id, "email": email, **fields}
        ids: list[str] = control.put_state(self._vendor, {"subaccounts": [row]})["subaccounts"]
        return ids[0]

    def add_campaign(self, subaccount: str, *, name: str, status: str = "active", **details: str) -> str:
        """Add a campaign to a subaccount, with any of `campaign_store.DETAILS`; answers its id."""
        number = number_of(subaccount, "sub")
        with self._vendor.database.transaction():
            if self._vendor.state.subaccount(number) is None:
                raise ValueError(f"There is no subaccount {subaccount}.")
            return self._vendor.campaigns.put(f"sub_{number}", {"name": name, "status": status, **details}).id

    def remove_subaccount(self, subaccount: str) -> None:
        """Make a subaccount vanish. Raises ValueError if there is none."""
        with self._vendor.database.transaction():
            if not self._vendor.remove_subaccount(number_of(subaccount, "sub")):
                raise ValueError(f"There is no subaccount {subaccount}.")

    def settings(self, **changes: Any) -> Settings:
        """Move switches; answers all of them. See `Settings`."""
        with self._vendor.database.transaction():
            return self._vendor.state.change_settings(changes)

    def reset(self) -> None:
        """Everything gone: stage, tokens, ledger, faults, settings, effects still to come."""
        self._vendor.reset()

    # Faults

    def fault(
        self,
        path: str,
        kind: str,
        *,
        call: int = 1,
        times: int | None = 1,
        client_id: str | None = None,
        **parameters: Any,
    ) -> None:
        """Let the `call`-th call of a path from now on go wrong, and those after it.

        `times` of them in all, None for ever. Kinds and parameters: `faults.KINDS`.
        """
        what = {"path": path, "kind": kind, "call": call, "times": times, "client_id": client_id}
        self._vendor.faults.add([{**parameters, **what}])

    def faults(self) -> list[Json]:
        """The faults that are still to come."""
        return self._vendor.faults.listed()

    def clear_faults(self) -> None:
        self._vendor.faults.clear()

    # Webhooks

    def events(self) -> list[Json]:
        """What webhooks could tell of, the oldest first."""
        return control.events(self._vendor)

    def deliver_webhook(self, **what: str) -> Json:
        """Post an event to its owner's endpoint: `event`, or `campaign`, `session` and `type`.

        See `webhooks.deliver`.
        """
        return webhooks.deliver(self._vendor, what)

    # What happened

    def requests(self, path: str | None = None) -> list[LedgerRequest]:
        return self._vendor.ledger.requests(path)

    def effects(self, kind: str | None = None) -> list[Json]:
        return self._vendor.ledger.effects(kind)

    def clear_ledger(self) -> None:
        self._vendor.ledger.clear()

    def subaccounts(self, client_id: str | None = None) -> list[Json]:
        """What the vendor holds, campaigns included, keys left out."""
        with self._vendor.database.transaction():
            rows = self._vendor.state.subaccounts(client_id)
            return [control.shown_subaccount(self._vendor, row) for row in rows]
