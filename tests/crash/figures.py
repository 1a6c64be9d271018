"""What a run prints: a line a profile, the histogram over the fail-points, and the sum."""

from collections import Counter
from collections.abc import Sequence

from tests.crash.failpoints import POINTS, RANDOM, unreached
from tests.crash.kills import Outcome
from tests.crash.oracle import Verdict

MAIL_PROMISE = (
    "Mails: at least once; a second time only if the mail server's word that it took it is lost or comes too late, or"
    " the worker dies, loses the database, or is held up past its lease before it has noted it."
)


def line(verdict: Verdict, kills: int, stops: int, seconds: float) -> str:
    return (
        f"{kills:,} kills, {stops} stops, {verdict.intents:,} intents, {verdict.lost} lost, {verdict.doubled} doubled, "
        f"{verdict.wrongly_bound} wrongly bound, {verdict.stuck} stuck, {seconds:.0f} s; "
        f"{verdict.mails:,} mails, {verdict.mails_lost} lost, {verdict.mails_doubled} sent twice, "
        f"{verdict.mails_twice_as_promised} twice within the promise, {verdict.jobs_stuck} jobs stuck"
    )


def show(outcome: Outcome) -> None:
    stage, verdict = outcome.stage, outcome.verdict
    print(f"{outcome.title}: {line(verdict, stage.kills.total(), stage.stops, outcome.seconds)}", flush=True)
    if outcome.notes:
        print(f"    {', '.join(f'{number:,} {name}' for name, number in outcome.notes.items())}", flush=True)
    for text in verdict.examples[:20]:
        print(f"    {text}", flush=True)


def histogram(kills: Counter[str], idle: Counter[str]) -> None:
    print("Kills by fail-point (in brackets those that met no claim, which do not count):")
    longest = max([*kills.values(), 1])
    for number, point in enumerate((*POINTS, RANDOM), start=1):
        bar = "#" * round(30 * kills[point] / longest)
        print(f"  {number:2} {point:42} {kills[point]:6,} ({idle[point]:,})  {bar}")


def summary(database: str, command: str, outcomes: list[Outcome], seconds: float, *, points: Sequence[str] = ()) -> int:
    """Prints the sum over all parts, and the `command` that repeats them; 1 if anything is wrong.

    So it is if no worker came to one of these `points`.
    """
    total, kills, idle, stops = Verdict(), Counter[str](), Counter[str](), 0
    expected = 0
    for outcome in outcomes:
        total.add(outcome.verdict)
        kills += outcome.stage.kills
        idle += outcome.stage.idle_kills
        stops += outcome.stage.stops
        expected += outcome.verdict.doubled if outcome.may_double else 0
    histogram(kills, idle)
    missed = unreached(points, kills, idle)
    if missed:
        print(f"No worker came to: {', '.join(missed)}")
    print(MAIL_PROMISE)
    if expected:
        where = "addresses are not unique and effects come after the quarantine"
        print(f"{expected} doubles where {where}; {total.unseen} unseen.")
    is_clean = not missed and all(outcome.verdict.is_clean(may_double=outcome.may_double) for outcome in outcomes)
    print(f"{database}: {line(total, kills.total(), stops, seconds)}")
    print(f"{'Proved' if is_clean else 'FAILED'}: {command}", flush=True)
    return 0 if is_clean else 1
