"""What came of it all. The sandbox's ledger is the oracle: it knows what the vendor really did, and for whom."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from datetime import datetime

from accounts import reconcile
from accounts.models import Cause, Finding, Job, State, Subaccount
from tests.crash.outbox import HandedOver, handed_over
from tests.crash.stage import WORKING, Stage


@dataclass
class Verdict:
    """Numbers, and for each that is not nought the rows that make it."""

    intents: int = 0
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    wrongly_bound: int = 0
    stuck: int = 0
    unseen: int = 0
    mails: int = 0
    mails_lost: int = 0
    mails_twice_as_promised: int = 0
    mails_doubled: int = 0
    jobs_stuck: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Verdict") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def is_clean(self, *, may_double: bool = False) -> bool:
        wrong = self.lost + self.wrongly_bound + self.stuck + self.unseen
        wrong += self.mails_lost + self.mails_doubled + self.jobs_stuck
        return wrong == 0 and (may_double or self.doubled == 0)


def judge(stage: Stage, *, may_double: bool) -> Verdict:
    verdict = Verdict()
    _judge_subaccounts(stage, verdict, may_double)
    _judge_jobs(stage, verdict)
    return verdict


def _judge_subaccounts(stage: Stage, verdict: Verdict, may_double: bool) -> None:
    keys = {
        agency.pk: agency.vendor_account.active_credential.client_id
        for agency in type(stage.agencies[0]).objects.filter(pk__in=[agency.pk for agency in stage.agencies])
    }
    made: dict[tuple[str, str], list[str]] = defaultdict(list)
    for effect in stage.sandbox.created():
        made[effect["client_id"], effect["email"]].append(effect["subaccount"])
    rows = list(stage.subaccounts.select_related("agency").order_by("pk"))
    holders = Counter((row.vendor_account_id, row.vendor_id) for row in rows if row.vendor_id)
    verdict.intents, verdict.effects = stage.wished, sum(len(ids) for ids in made.values())
    if len(rows) != stage.wished:
        verdict.lost += abs(stage.wished - len(rows))
        verdict.examples.append(f"{stage.wished} wishes went in, {len(rows)} are there")
    doubles: dict[Subaccount, list[str]] = {}
    for row in rows:
        ids = made[keys[row.agency_id], row.email]
        is_seen_double = row.state == State.NEEDS_REVIEW and row.cause == Cause.LISTED_TWICE and len(ids) > 1
        line = f"{row.email} {row.state} {row.cause or '-'} attempts {row.attempts} bound {row.vendor_id} made {ids}"
        line += f" due {row.run_at} held by {row.lease_owner or '-'} until {row.lease_until}"
        if len(ids) > 1:
            verdict.doubled += len(ids) - 1
            if not is_seen_double:
                doubles[row] = ids
            if not may_double:
                verdict.examples.append(f"doubled: {line}")
        if row.vendor_id and (row.vendor_id not in ids or holders[row.vendor_account_id, row.vendor_id] > 1):
            verdict.wrongly_bound += 1
            verdict.examples.append(f"wrongly bound: {line}")
        if row.state == State.ACTIVE and not ids:
            verdict.lost += 1
            verdict.examples.append(f"lost: {line}")
        elif row.state in WORKING and row.run_at is None:
            verdict.lost += 1
            verdict.examples.append(f"lost, nobody will look at it: {line}")
        elif row.state != State.ACTIVE and not (may_double and is_seen_double):
            verdict.stuck += 1
            verdict.examples.append(f"stuck: {line}")
    wanted = {(keys[row.agency_id], row.email) for row in rows}
    for strange in made.keys() - wanted:
        verdict.wrongly_bound += 1
        verdict.examples.append(f"made for nobody: {strange}")
    if doubles:
        verdict.unseen = _unseen(doubles)


def _unseen(doubles: dict[Subaccount, list[str]]) -> int:
    """Doubles that one comparison with the vendor's list does not put on the attention list."""
    unseen = 0
    for agency in {row.agency for row in doubles}:
        reconcile.run(agency)
    for row, ids in doubles.items():
        shown = Finding.objects.for_agency(row.agency).to_decide().filter(kind=Finding.Kind.TWICE, subaccount=row)
        unseen += not set(ids) - {row.vendor_id} <= set(shown.values_list("vendor_id", flat=True))
    return unseen


def _judge_jobs(stage: Stage, verdict: Verdict) -> None:
    sent = handed_over()
    kinds: dict[tuple[str, int], int] = Counter()
    for job in stage.jobs.order_by("pk"):
        line = f"job {job.pk} {job.kind} {job.payload} attempts {job.attempts} {job.last_error}"
        if job.kind == Job.Kind.REFRESH:
            kinds["refresh", job.payload["subaccount"]] += 1
        elif job.payload["mail"] == "account_ready":
            kinds["account_ready", job.payload["customer"]] += 1
        if job.done_at is None:
            verdict.jobs_stuck += 1
            verdict.examples.append(f"not done: {line}")
        if job.kind == Job.Kind.MAIL:
            _judge_mail(job, line, sent.get(job.pk, []), stage.cut_short[job.pk], verdict)
    for row in stage.subaccounts.filter(state=State.ACTIVE):
        for what in (("account_ready", row.customer_id), ("refresh", row.pk)):
            if kinds[what] != 1:
                verdict.mails_lost += kinds[what] == 0
                verdict.mails_doubled += kinds[what] > 1
                verdict.examples.append(f"{kinds[what]} jobs {what} of {row.email}")


def _judge_mail(job: Job, line: str, hands: list[HandedOver], cut_short: dict[str, datetime], verdict: Verdict) -> None:
    """Each handing over but one has to be by a worker that died, or was held up past its lease, before it was noted."""
    verdict.mails += 1
    if not hands:
        verdict.mails_lost += 1
        verdict.examples.append(f"mail never sent: {line}")

    def is_excused(hand: HandedOver) -> bool:
        """Not where it was taken up again when it was noted already. Who wakes then has held it since before."""
        held_until = cut_short.get(hand.worker)
        return held_until is not None and (job.done_at is None or min(hand.at, held_until) <= job.done_at)

    excused, extra = sum(map(is_excused, hands)), max(0, len(hands) - 1)
    verdict.mails_twice_as_promised += min(extra, excused)
    if extra > excused:
        verdict.mails_doubled += extra - excused
        verdict.examples.append(f"mail sent {len(hands)} times by {hands}: {line}")
