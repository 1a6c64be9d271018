"""The harness counts what it is to count: each number that it prints, on a stage where just that is falsified."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from accounts import claims, jobs, provisioning, vendor
from accounts.models import Agency, Cause, Job, State, Subaccount
from coupontools_api.ids import PackageId
from coupontools_api.sandbox import Sandbox
from coupontools_api.subaccounts import AccountStatus
from tests.conftest import NORTH_KEYS
from tests.crash import figures, oracle
from tests.crash.failpoints import Plan
from tests.crash.kills import Outcome
from tests.crash.nursery import Report, _Forks
from tests.crash.options import arguments, repeat
from tests.crash.oracle import Verdict
from tests.crash.outbox import Outbox
from tests.crash.pool_worker import plan_for, serial_in
from tests.crash.stage import Stage

pytestmark = pytest.mark.django_db
A_MAIL = {"mail": "needs_review"}
WRONG = ("lost", "wrongly_bound", "stuck", "unseen", "mails_lost", "mails_doubled", "jobs_stuck")


@pytest.fixture
def effects() -> list[dict[str, Any]]:
    """What the ledger says beside the truth."""
    return []


@pytest.fixture
def stage(sandbox: Sandbox, north: Agency, tmp_path: Path, settings: Any, effects: list[dict[str, Any]]) -> Stage:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "tests.crash.outbox.Outbox", str(tmp_path / "outbox")
    sandbox.settings(email_unique="none")

    def created() -> list[dict[str, Any]]:
        true = [{"client_id": NORTH_KEYS[0], **effect} for effect in sandbox.effects("subaccount_created")]
        return [*true, *effects]

    process: Any = SimpleNamespace(created=created)
    found = Stage(process, tmp_path, agencies=[north])
    found.wish(3)
    return found


@pytest.fixture
def done(stage: Stage) -> Stage:
    """Everything is made and sent."""
    work_off()
    return stage


def work_off() -> None:
    while provisioning.attempt() or jobs.run():
        pass


def found_in(stage: Stage, *, may_double: bool = False) -> dict[str, int]:
    """The numbers that are other than they should be."""
    verdict = oracle.judge(stage, may_double=may_double)
    clean = {"intents": 3, "effects": 3, "mails": 3}
    numbers = {field.name: getattr(verdict, field.name) for field in fields(verdict) if field.name != "examples"}
    return {name: number for name, number in numbers.items() if number != clean.get(name, 0)}


def change(row: Subaccount | Job, **values: Any) -> None:
    type(row)._default_manager.across_agencies().filter(pk=row.pk).update(**values)


def make_again(row: Subaccount) -> None:
    """A second account for this row's address, at the vendor."""
    vendor.clients.get(row.vendor_account).subaccounts.create(
        email=row.email,
        password="a long enough secret",
        package=PackageId("pac_1"),
        status=AccountStatus.CUSTOMER,
        first_name="Nova",
        last_name="Novak",
        country="NL",
        company_name="Shop",
        expiry_date=None,
        not_after=None,
    )


def mail_of(stage: Stage) -> Job:
    return stage.jobs.filter(kind=Job.Kind.MAIL).first()


def hand_over(job: Job, worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "owner_name", lambda: f"{worker}.1")
    Outbox().send_messages([EmailMessage(headers={"Message-ID": f"<job-{job.pk}@portal.example>"})])


def held_by(row: Subaccount | Job, worker: str, *, seconds: float = 100) -> None:
    change(row, lease_owner=f"{worker}.0", lease_until=timezone.now() + timedelta(seconds=seconds))


# -- accounts --------------------------------------------------------------------------------------------------------


def test_what_is_made_is_clean(done: Stage):
    assert found_in(done) == {}


def test_every_wish_and_every_effect_is_counted(done: Stage):
    done.wish(2)
    work_off()

    assert found_in(done) == {"intents": 5, "effects": 5, "mails": 5}


def test_a_wish_that_is_gone_is_lost(stage: Stage):
    Subaccount.objects.for_agency(stage.agencies[0]).filter(pk=stage.subaccounts.first().pk).delete()
    work_off()

    assert found_in(stage) == {"lost": 1, "effects": 2, "mails": 2}


def test_a_wish_that_nobody_will_look_at_is_lost(stage: Stage):
    change(stage.subaccounts.first(), run_at=None)
    work_off()

    assert found_in(stage) == {"lost": 1, "effects": 2, "mails": 2}


def test_an_account_that_was_never_made_is_lost(done: Stage):
    """And its row is bound to what is not its own."""
    row = done.subaccounts.first()
    change(row, vendor_id="sub_999", email="other@shop.example")

    assert found_in(done) == {"lost": 1, "wrongly_bound": 2}


def test_a_second_account_is_a_double_and_seen_once_it_is_listed(done: Stage):
    make_again(done.subaccounts.first())

    assert found_in(done) == {"effects": 4, "doubled": 1}
    assert found_in(done, may_double=True) == {"effects": 4, "doubled": 1}


def test_a_double_that_no_comparison_shows_is_unseen(done: Stage, effects: list[dict[str, Any]]):
    effects.append({"client_id": NORTH_KEYS[0], "email": done.subaccounts.first().email, "subaccount": "sub_999"})

    assert found_in(done) == {"effects": 4, "doubled": 1, "unseen": 1}


def test_a_row_that_shows_its_double_to_staff_is_stuck_only_where_no_double_is_expected(done: Stage):
    row = done.subaccounts.first()
    make_again(row)
    change(row, state=State.NEEDS_REVIEW, cause=Cause.LISTED_TWICE, vendor_id="")

    assert found_in(done) == {"effects": 4, "doubled": 1, "stuck": 1}
    assert found_in(done, may_double=True) == {"effects": 4, "doubled": 1}


def test_accounts_of_others_are_wrongly_bound(done: Stage):
    first, second, _ = done.subaccounts.order_by("pk")
    for row, vendor_id in ((first, "sub_999"), (second, first.vendor_id), (first, second.vendor_id)):
        change(row, vendor_id=vendor_id)

    assert found_in(done) == {"wrongly_bound": 2}


def test_an_account_that_nobody_wished_for_is_wrongly_bound(done: Stage, effects: list[dict[str, Any]]):
    effects.append({"client_id": NORTH_KEYS[0], "email": "no@body.example", "subaccount": "sub_999"})

    assert found_in(done) == {"effects": 4, "wrongly_bound": 1}


@pytest.mark.parametrize("state", [State.REQUESTED, State.CREATING, State.UNCERTAIN, State.NEEDS_REVIEW])
def test_a_wish_that_has_not_come_to_an_end_is_stuck(state: State, done: Stage):
    change(done.subaccounts.first(), state=state, run_at=timezone.now())

    assert found_in(done) == {"stuck": 1}


# -- mails and other jobs --------------------------------------------------------------------------------------------


def test_a_job_that_is_not_done_is_stuck(done: Stage):
    change(done.jobs.filter(kind=Job.Kind.REFRESH).first(), done_at=None)

    assert found_in(done) == {"jobs_stuck": 1}


def test_a_mail_that_was_handed_to_nobody_is_lost(done: Stage):
    Path(done.folder, "outbox").write_text("")

    assert found_in(done) == {"mails_lost": 3}


@pytest.mark.parametrize("kind", [Job.Kind.MAIL, Job.Kind.REFRESH])
def test_a_job_that_was_never_written_is_lost(kind: Job.Kind, done: Stage):
    Job.objects.across_agencies().filter(pk=done.jobs.filter(kind=kind).first().pk).delete()

    assert found_in(done) == {"mails_lost": 1} | ({"mails": 2} if kind == Job.Kind.MAIL else {})


@pytest.mark.parametrize("kind", [Job.Kind.MAIL, Job.Kind.REFRESH])
def test_a_job_that_was_written_twice_is_a_double(kind: Job.Kind, done: Stage, monkeypatch: pytest.MonkeyPatch):
    job = done.jobs.filter(kind=kind).first()
    job.pk = None
    job.save()
    hand_over(job, "w1", monkeypatch)

    assert found_in(done) == {"mails_doubled": 1} | ({"mails": 4} if kind == Job.Kind.MAIL else {})


def test_a_mail_that_comes_twice_is_a_double(done: Stage, monkeypatch: pytest.MonkeyPatch):
    hand_over(mail_of(done), "w1", monkeypatch)

    assert found_in(done) == {"mails_doubled": 1}


def test_a_mail_of_a_worker_that_died_before_it_noted_it_comes_twice_as_promised(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    job = Job.objects.create(agency=stage.agencies[0], kind=Job.Kind.MAIL, payload=A_MAIL)
    held_by(job, "w1")
    hand_over(job, "w1", monkeypatch)
    stage.note([Report("w1", "killed", "after the mail is handed over")])
    hand_over(job, "w2", monkeypatch)
    change(job, done_at=timezone.now(), run_at=None)
    work_off()

    assert found_in(stage) == {"mails": 4, "mails_twice_as_promised": 1}


def test_a_mail_that_was_noted_is_a_double_whoever_dies_over_it(done: Stage, monkeypatch: pytest.MonkeyPatch):
    job = mail_of(done)
    held_by(job, "w1")
    hand_over(job, "w1", monkeypatch)
    done.note([Report("w1", "killed", "after the mail is handed over")])

    assert found_in(done) == {"mails_doubled": 1}


def test_a_mail_of_a_worker_that_was_held_up_comes_twice_as_promised(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    """It was stopped before it handed the mail over, and wakes when another has done so and noted it."""
    job = Job.objects.create(agency=stage.agencies[0], kind=Job.Kind.MAIL, payload=A_MAIL)
    held_by(job, "w1")
    stage.note([Report("w1", "stopped", "before the mail is handed over")])
    hand_over(job, "w2", monkeypatch)
    change(job, done_at=timezone.now(), run_at=None)
    hand_over(job, "w1", monkeypatch)
    work_off()

    assert found_in(stage) == {"mails": 4, "mails_twice_as_promised": 1}


# -- workers ---------------------------------------------------------------------------------------------------------


def test_who_is_told_of_twice_died_once(stage: Stage):
    held_by(stage.subaccounts.first(), "w1")

    for _ in range(2):
        stage.note([Report("w1", "killed", "before the look")])

    assert (stage.kills, stage.idle_kills) == ({"before the look": 1}, {})


@pytest.mark.parametrize("seconds", [-1, -100])
def test_a_kill_after_the_lease_is_over_met_no_claim(seconds: float, stage: Stage):
    held_by(stage.subaccounts.first(), "w1", seconds=seconds)

    stage.note([Report("w1", "killed", "before the look")])

    assert (stage.kills, stage.idle_kills) == ({}, {"before the look": 1})


def test_who_was_stopped_first_and_killed_later_held_nothing_any_more(stage: Stage):
    held_by(stage.subaccounts.first(), "w1")

    stage.note([Report("w1", "stopped", "before the look"), Report("w1", "killed", "at a random moment")])

    assert (stage.stops, stage.kills, stage.idle_kills) == (1, {}, {"at a random moment": 1})


def test_who_ended_by_itself_was_not_killed(stage: Stage):
    held_by(stage.subaccounts.first(), "w1")

    stage.note([Report("w1", "ended", "")])

    assert (stage.kills, stage.idle_kills) == ({}, {})


def test_the_nursery_tells_the_killed_from_those_that_had_ended_before(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_Forks, "_reap", lambda self: None)  # it would wait for this process's other children, too
    ours, theirs = os.pipe()
    forks = _Forks(lambda serial: Plan(""), "w", 2, theirs, os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        assert ended.stdout is not None
        ended.stdout.read()  # until its end
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with subprocess.Popen(["sleep", "60"]) as living:
            forks.living = {ended.pid: ("w1", Plan("")), living.pid: ("w2", Plan(""))}
            forks.end_all()
    os.close(theirs)

    with os.fdopen(ours) as told:
        assert told.read().split("\n")[:2] == ["w1|ended|", "w2|killed|at a random moment"]


# -- what is printed -------------------------------------------------------------------------------------------------


def test_the_line_says_each_number():
    numbers = {field.name: 11 + place for place, field in enumerate(fields(Verdict)) if field.name != "examples"}
    said = figures.line(Verdict(**numbers), kills=91, stops=92, seconds=93)

    unsaid = {"effects", "unseen"}  # unseen doubles have a line of their own
    wanted = {number for name, number in numbers.items() if name not in unsaid} | {91, 92, 93}
    assert {int(number) for number in re.findall(r"\d+", said)} == wanted


def outcome(stage: Stage, *, may_double: bool = False, **numbers: int) -> Outcome:
    return Outcome("a profile", stage, replace(Verdict(), **numbers), may_double)


@pytest.mark.parametrize("name", [*WRONG, "doubled"])
def test_one_wrong_number_in_one_profile_fails_the_run(name: str, stage: Stage, capsys: pytest.CaptureFixture[str]):
    outcomes = [outcome(stage), outcome(stage, **{name: 1}), outcome(stage)]

    assert figures.summary("sqlite", "./run crash --seed 7", outcomes, 1.0) == 1
    assert "FAILED: ./run crash --seed 7" in capsys.readouterr().out


def test_doubles_are_proved_only_where_they_are_expected_and_seen(stage: Stage, capsys: pytest.CaptureFixture[str]):
    assert figures.summary("sqlite", "again", [outcome(stage, doubled=2, may_double=True)], 1.0) == 0
    assert "Proved: again" in (said := capsys.readouterr().out)
    assert "2 doubles where" in said
    assert figures.summary("sqlite", "again", [outcome(stage, doubled=2, unseen=1, may_double=True)], 1.0) == 1
    assert "1 unseen" in capsys.readouterr().out


def test_the_histogram_says_which_point_was_reached_how_often(stage: Stage, capsys: pytest.CaptureFixture[str]):
    stage.kills.update({"before the look": 3})
    stage.idle_kills.update({"before the look": 4})

    figures.histogram(stage.kills, stage.idle_kills)

    assert re.search(r"before the look +3 \(4\)", capsys.readouterr().out)


# -- a seed that failed ----------------------------------------------------------------------------------------------


def test_the_command_that_is_printed_repeats_the_run():
    told = ["--database", "sqlite", "--kills", "0", "--seed", "0", "--profile", "not unique, late", "--only", "pool"]
    given = arguments().parse_args(told)

    command = repeat(given)

    assert command.startswith("./run crash ")
    assert arguments().parse_args(shlex.split(command)[2:]) == given


def test_children_of_the_pool_are_numbered_and_end_as_the_seed_says(tmp_path: Path):
    assert [serial_in(tmp_path) for _ in range(3)] == [1, 2, 3]
    plans = [plan_for("7", serial) for serial in range(40)]
    assert plans == [plan_for("7", serial) for serial in range(40)]
    assert len(set(plans)) > 10
    assert plans != [plan_for("8", serial) for serial in range(40)]
