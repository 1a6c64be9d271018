"""`python -m tests.coverage_table` writes docs/coupontools-api.md: every endpoint, from the code of both sides.

The portal's use is read from the calls that `accounts` really makes: `client.<resource>.<method>(…)`.
"""

import ast
import re
from pathlib import Path

from coupontools_api.coverage import ENDPOINTS
from coupontools_api.endpoints import Endpoint
from coupontools_api.sandbox.routes import ROUTES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/coupontools-api.md"
NONE = "—"
INTRODUCTION = """# The vendor's API, and what there is of it

<!-- Written by `python -m tests.coverage_table`; a test compares it with the code. -->

Every endpoint that the client has a method for: all that the menus of the vendor's two documents list, and more.
*Evidence* is where path and parameters are known from: the vendor's documents, the published code of third parties, or
a guess after a menu line (*inferred*); all but what is documented is called only with `allow_undocumented`. Answers are
often not published even where the endpoint is: what we go by all the same is in `coupontools_api/assumed.py`, and for
the sandbox in `coupontools_api/sandbox/assumed.py`. *Portal* is the part of the portal that makes the call, by the
first words of its module.

"""
HEAD = ("Endpoint", "HTTP", "Path", "Evidence", "Source page", "Sandbox", "Portal")


def text() -> str:
    """The whole page."""
    used, answered = portal_calls(), {(route.method, route.path) for route in ROUTES}
    rows = [_row(endpoint, (endpoint.http_method, endpoint.path) in answered, used) for endpoint in ENDPOINTS]
    table = "\n".join(map(_line, (HEAD, ["---"] * len(HEAD), *rows)))
    further = sorted(f"`{method} {path}`" for method, path in answered - {(e.http_method, e.path) for e in ENDPOINTS})
    return f"{INTRODUCTION}{table}\n\nThe sandbox also answers, and no method calls: {', '.join(further)}.\n"


def portal_calls() -> dict[str, list[str]]:
    """The modules of `accounts` that call each endpoint, by its name, in the order of the alphabet."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "accounts").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for name in sorted(_called(ast.parse(file.read_text())) & {endpoint.name for endpoint in ENDPOINTS}):
            found.setdefault(name, []).append(module)
    return found


def _called(tree: ast.AST) -> set[str]:
    """What is called on something by the name of `client`: `subaccounts.get`."""
    chains = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {chain.removeprefix("client.") for chain in chains if chain.startswith("client.")}


def _row(endpoint: Endpoint, is_answered: bool, used: dict[str, list[str]]) -> tuple[str, ...]:
    return (
        f"`{endpoint.name}`",
        endpoint.http_method,
        f"`{endpoint.path}`",
        endpoint.evidence,
        endpoint.source,
        "yes" if is_answered else "no",
        "; ".join(f"{_about(module)} (`{module}`)" for module in used.get(endpoint.name, [])) or NONE,
    )


def _about(module: str) -> str:
    """The first words of a module's docstring, up to the first colon or full stop."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    return re.split("[:.]", ast.get_docstring(tree) or "", maxsplit=1)[0]


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(text())
