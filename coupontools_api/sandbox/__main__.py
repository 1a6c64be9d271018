"""`python -m coupontools_api.sandbox`: the sandbox in the foreground, until SIGTERM or Ctrl-C."""

import argparse
import errno
import signal
import sys
import threading

from .sandbox import Sandbox
from .state import AccountFields


def account(text: str) -> tuple[str, str, AccountFields]:
    """Take `ID:SECRET[:pac_1,pac_2]` apart."""
    client_id, _, rest = text.partition(":")
    secret, with_packages, packages = rest.partition(":")
    if not client_id or not secret:
        raise argparse.ArgumentTypeError("an account is ID:SECRET or ID:SECRET:pac_1,pac_2")
    return client_id, secret, {"packages": packages.split(",")} if with_packages else {}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m coupontools_api.sandbox",
        description="A stand-in for the Coupontools API, on loopback.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one")
    parser.add_argument(
        "--state",
        default=":memory:",
        help="SQLite file; without it everything is forgotten at the end",
    )
    parser.add_argument("--panel-url", help="origin that sign-on links name, default: the sandbox's own")
    parser.add_argument("--account", type=account, action="append", default=[], metavar="ID:SECRET[:PACKAGES]")
    parser.add_argument(
        "--world",
        type=int,
        default=1,
        metavar="SEED",
        help="what campaigns, loyalty cards and directories are made up from, default: 1",
    )
    parser.add_argument("--no-world", action="store_const", dest="world", const=None, help="nothing is made up")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="serve https")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        sandbox = Sandbox(
            given.port,
            given.state,
            given.panel_url,
            host=given.host,
            tls=tuple(given.tls) if given.tls else None,
        )
        with sandbox:
            sandbox.settings(world_seed=given.world)
            for client_id, secret, fields in given.account:
                sandbox.add_account(client_id, secret, **fields)
            print(f"Sandbox listening on {sandbox.url}", flush=True)
            ended.wait()
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        print(f"Port {given.port} on {given.host} is in use by another program.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
