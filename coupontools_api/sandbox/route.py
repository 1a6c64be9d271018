"""What the tables of endpoints are made of."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import shapes
from .arguments import Call
from .replies import Json
from .state import Owner
from .vendor import Vendor

DOCUMENTED, THIRD_PARTY, INFERRED = "documented", "third party", "inferred"
RPC, REST = "rpc", "rest"
CUSTOM_FIELDS = "customfield1 customfield2 customfield3 customfield4 customfield5 customfield6 customfield7"
Run = Callable[[Vendor, Owner, Call], Json | list[Json]]


@dataclass(frozen=True)
class Route:
    """One endpoint.

    path       names in braces are ids
    evidence   of path and parameters, the weaker of both: "documented", "third party" or "inferred"
    pages      the lines of the vendor's menus that it stands for
    codes      the errors that a caller's input can bring about, besides those of credentials
    envelope   of its errors
    manages    whether it is about subaccounts and sign-ons, where a subaccount's own keys get 102
    """

    method: str
    path: str
    run: Run
    evidence: str
    pages: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    codes: tuple[int, ...]
    dialect: str
    envelope: str = shapes.E_VALID
    manages: bool = False

    def ids(self, path: str) -> Json | None:
        """The ids in a path, None for a path that is not this one's."""
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path), path)
        return None if found is None else found.groupdict()


def rpc(
    path: str,
    run: Run,
    evidence: str,
    pages: str,
    *,
    required: str = "",
    optional: str = "",
    codes: tuple[int, ...] = (),
    envelope: str = shapes.E_VALID,
    manages: bool = False,
) -> Route:
    """A row of the RPC dialect: POST, a `status` in every answer."""
    names = (tuple(pages.split(" / ")), tuple(required.split()), tuple(optional.split()))
    return Route("POST", path, run, evidence, *names, codes, RPC, envelope, manages)


def rest(
    method: str,
    path: str,
    run: Run,
    evidence: str,
    pages: str,
    *,
    required: str = "",
    optional: str = "",
    codes: tuple[int, ...] = (),
) -> Route:
    """A row of the v4 REST dialect: bare answers, ids in the path."""
    names = (tuple(pages.split(" / ")), tuple(required.split()), tuple(optional.split()))
    return Route(method, path, run, evidence, *names, codes, REST)
