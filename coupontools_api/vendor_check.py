"""`./run vendor-check`: which of our assumptions about the vendor hold, asked of a real account.

Credentials come from COUPONTOOLS_CLIENT_ID and COUPONTOOLS_CLIENT_SECRET. Reads, and mints sign-on URLs of one
subaccount; nothing is created or changed. Prints a line per assumption and the latency, never a secret, a token or
an address. Exit status: 0 what was seen holds, 1 some of it does not, 2 it could not be run.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from coupontools_api.client import BASE_URL
from coupontools_api.ids import SubaccountId
from coupontools_api.vendor_findings import PANEL_HOST, Finding, Verdict, findings
from coupontools_api.vendor_probe import CannotRun, Facts, Probe
from coupontools_api.vendor_record import record

HEADINGS = ("We assume that", "Seen", "")


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run vendor-check",
        description="Which of our assumptions hold on the live vendor. Nothing is created or changed there.",
        epilog="Credentials: COUPONTOOLS_CLIENT_ID and COUPONTOOLS_CLIENT_SECRET.",
    )
    parser.add_argument(
        "--url",
        default=os.environ.get("COUPONTOOLS_API_URL") or BASE_URL,
        help=f"origin of the API; default: COUPONTOOLS_API_URL, or {BASE_URL}",
    )
    parser.add_argument(
        "--subaccount",
        type=SubaccountId,
        metavar="sub_…",
        help="whose details and sign-on to ask for; default: the first one listed",
    )
    parser.add_argument(
        "--open-token",
        action="store_true",
        help="open a sign-on URL twice, to see whether it works once; the vendor counts that as a login",
    )
    parser.add_argument(
        "--panel-host",
        default=PANEL_HOST,
        metavar="HOST",
        help=f"where sign-on URLs should lead; default: {PANEL_HOST}",
    )
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="write the answers there, redacted, as fixtures")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    try:
        return check(arguments(given))
    except (CannotRun, OSError) as problem:
        print(f"Could not be run. {problem}", file=sys.stderr)
        return 2


def check(given: argparse.Namespace) -> int:
    """Raises CannotRun; OSError if the record cannot be written."""
    client_id, client_secret = (
        os.environ.get(name, "") for name in ("COUPONTOOLS_CLIENT_ID", "COUPONTOOLS_CLIENT_SECRET")
    )
    if not client_id or not client_secret:
        raise CannotRun("COUPONTOOLS_CLIENT_ID and COUPONTOOLS_CLIENT_SECRET have to be set in the environment.")
    try:
        probe = Probe(client_id=client_id, client_secret=client_secret, base_url=given.url)
    except ValueError as problem:
        raise CannotRun(f"Of the origin of the API: {problem}.") from None
    try:
        facts = probe.look(given.subaccount, open_token_at=given.panel_host.lower() if given.open_token else None)
    finally:
        probe.close()
    lines = findings(facts, panel_host=given.panel_host)
    print(chosen(facts, given.subaccount))
    print(table(lines))
    print(latency(probe))
    if given.record is not None:
        print(f"{record(given.record, probe.exchanges)} answers are written to {given.record}, redacted.")
    print(verdict(lines))
    return 1 if any(line.verdict is Verdict.DIFFERS for line in lines) else 0


def chosen(facts: Facts, wanted: SubaccountId | None) -> str:
    if facts.subaccount is None:
        return "No subaccount was asked about: none is listed, and none was named with --subaccount."
    how = "as named" if wanted else "the first one listed; --subaccount names another"
    return f"Subaccount asked about: {facts.subaccount.id} ({how})."


def table(lines: list[Finding]) -> str:
    rows = [HEADINGS, *((line.assumption, line.seen, line.verdict.value) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        f"{assumption:{widths[0]}}  {seen:{widths[1]}}  {verdict}".rstrip() for assumption, seen, verdict in rows
    )


def latency(probe: Probe) -> str:
    medians = [f"{name} {seconds * 1000:.0f} ms of {calls}" for name, (seconds, calls) in probe.medians().items()]
    return f"Median latency: {', '.join(medians) or 'no good answer came'}."


def verdict(lines: list[Finding]) -> str:
    count = Counter(line.verdict for line in lines)
    return (
        f"{count[Verdict.HOLDS]} assumptions hold, {count[Verdict.DIFFERS]} do not,"
        f" {count[Verdict.NOT_SEEN]} were not seen."
    )


if __name__ == "__main__":
    sys.exit(main())
