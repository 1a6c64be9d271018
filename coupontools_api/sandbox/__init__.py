"""The vendor sandbox: the Coupontools API and panel on a loopback port, with faults
on demand and a ledger of all that happened.

Standard library only. Shares no code with the client, so that a misreading of the documents cannot
hide in both.

    with Sandbox() as sandbox:
        sandbox.add_account("id", "secret", packages=["pac_1"])
        sandbox.fault("/v4/subaccount/create", "reset_after")
        ...
        assert len(sandbox.effects("subaccount_created")) == 1
"""

from .ledger import LedgerRequest
from .sandbox import Sandbox
from .settings import Settings

__all__ = ["LedgerRequest", "Sandbox", "Settings"]
