"""What an endpoint is: all that decides how it is called. Each resource declares its own beside its methods."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Dialect(StrEnum):
    """How the vendor speaks at an endpoint. Not by version: subaccounts have v4 in their path and speak RPC."""

    V3_RPC = "v3 RPC"
    """POST, `X-Client-*` headers, a `status` beside the payload."""
    V4_RPC = "v4 RPC"
    """The same under `/v4/`."""
    V4_REST = "v4 REST"
    """Ids in the path, `x-api-*` headers, the bare payload."""


class Evidence(StrEnum):
    """Where path and parameters of an endpoint are known from; the weaker of both counts.

    All but what is documented needs `allow_undocumented`.
    """

    DOCUMENTED = "documented"
    THIRD_PARTY = "third party"
    """From the published code of somebody who calls it."""
    INFERRED = "inferred"
    """The vendor's menu lists the call; path or parameters are a guess."""


@dataclass(frozen=True)
class Endpoint:
    """One endpoint as it is really called: the transport takes this and nothing else."""

    name: str
    """Resource and method, as on the client: `campaigns.push`."""
    http_method: Literal["GET", "POST", "DELETE"]
    path: str
    """The ids of REST in braces: `/v4/directory/{directory}`."""
    dialect: Dialect
    source: str
    """The title of the vendor's page or menu line."""
    evidence: Evidence = Evidence.DOCUMENTED
    changes: bool = False
    """Whether it changes or sends anything, or mints a link. Such calls are never retried."""
    is_long: bool = False
    """Whether the answer is a list of any length: the wide cap and `list_deadline` go for it."""
    is_form: bool = False
    """Form encoding instead of JSON, where that is all that is known to work."""
    codes: tuple[int, ...] = ()
    """The error codes that are documented or assumed, besides 1000 and 101, which any call may bring.

    Of v4 REST, which publishes none, those that say more than the HTTP status would.
    """
