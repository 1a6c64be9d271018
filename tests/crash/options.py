"""What the harness is told, and the command that tells it the same once more."""

import argparse
import shlex

from tests.crash.profiles import CAUTIONS

PARTS = ("profiles", "stops", "pool", "sign-ups", "races")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run crash", description="Kills workers and counts what came of it.")
    parser.add_argument("--database", choices=("sqlite", "postgres"), help="one of the two; else both, one by one")
    parser.add_argument("--kills", type=int, default=10_000, help="on each database, over all vendor profiles")
    parser.add_argument("--pool-kills", type=int, default=200, help="of children of Celery's pool")
    parser.add_argument("--sign-ups", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=1_000, help="of each race")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", default="", help="only vendor profiles whose name holds this")
    parser.add_argument("--without", default="", choices=CAUTIONS, help="a control: what has to print FAILED then")
    parser.add_argument("--only", default=",".join(PARTS), help=f"comma-separated: {', '.join(PARTS)}")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the workers' log")
    return parser


def repeat(given: argparse.Namespace) -> str:
    """Everything that the choice of fail-points, faults and profiles depends on: a seed alone repeats nothing."""
    named = {name: value for name, value in vars(given).items() if value not in ("", None) and name != "keep"}
    options = [text for name, value in named.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    return f"./run crash {shlex.join(options)}"
