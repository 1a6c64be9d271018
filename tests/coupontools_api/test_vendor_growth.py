"""What `./run vendor-check` finds at an account that somebody works with meanwhile: it changes between two calls."""

from functools import partial
from typing import Any

import pytest

from coupontools_api.sandbox import Sandbox
from coupontools_api.vendor_findings import Finding, findings
from coupontools_api.vendor_probe import Probe
from tests.coupontools_api.assumptions import (
    CLIENT_ID,
    CLIENT_SECRET,
    FIRST_PAGE,
    FLIPS,
    WHOLE_LIST,
    between_calls,
    grow,
)

LIST, USAGE = "/v4/subaccount/list", "/v3/campaign/data"


@pytest.fixture
def sandbox(furnished: Sandbox) -> Sandbox:
    return furnished


def found(sandbox: Sandbox) -> dict[str, Finding]:
    probe = Probe(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, base_url=sandbox.url)
    try:
        return {line.assumption: line for line in findings(probe.look(None))}
    finally:
        probe.close()


def verdicts(sandbox: Sandbox) -> dict[str, str]:
    return {assumption: line.verdict.value for assumption, line in found(sandbox).items()}


def test_an_account_that_grows_with_each_call_is_found_as_a_quiet_one(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    quiet = verdicts(sandbox)
    between_calls(monkeypatch, partial(grow, sandbox))

    busy = verdicts(sandbox)

    assert busy == quiet
    assert (busy[WHOLE_LIST], busy[FIRST_PAGE]) == ("holds", "holds")
    assert len(sandbox.subaccounts()) > 20


@pytest.mark.parametrize("call", range(1, 13))
def test_a_change_after_any_one_call_is_no_finding(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, call: int):
    quiet = verdicts(sandbox)
    between_calls(monkeypatch, lambda made: grow(sandbox, made) if made == call else None)

    assert verdicts(sandbox) == quiet


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_subaccount_that_goes_is_no_finding(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, call: int):
    quiet = verdicts(sandbox)
    last = sandbox.subaccounts()[-1]["ID"]
    between_calls(monkeypatch, lambda made: sandbox.remove_subaccount(last) if made == call else None)

    assert verdicts(sandbox) == quiet


@pytest.mark.parametrize(("assumption", "switches"), FLIPS, ids=[str(switches) for _, switches in FLIPS])
def test_what_does_not_hold_is_named_while_the_account_grows(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, assumption: str, switches: dict[str, Any]
):
    quiet = verdicts(sandbox)
    sandbox.settings(**switches)
    between_calls(monkeypatch, partial(grow, sandbox))

    assert verdicts(sandbox) == {**quiet, assumption: "DOES NOT HOLD"}


def test_where_no_line_stays_nothing_is_seen(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    store = sandbox._vendor.campaigns

    def replace_sessions(_call: int) -> None:
        for campaign in store.campaigns("acc_1"):
            for session in store.sessions(campaign.number, "created", "0", "9"):
                store.remove(session)
            for _ in range(3):
                store.new_session(campaign, {})

    between_calls(monkeypatch, replace_sessions)

    line = found(sandbox)[FIRST_PAGE]

    assert (line.verdict.value, line.seen) == ("not seen", "3 lines, none of them still there when asked again")


def test_a_copy_of_the_vendors_that_lags_behind_is_no_finding(sandbox: Sandbox):
    sandbox.fault(LIST, "stale_list", call=2, seconds=60)
    sandbox._vendor.database.write("UPDATE history SET at = at - 3600 WHERE number = 1001")

    line = found(sandbox)[WHOLE_LIST]

    assert (line.verdict.value, line.seen) == ("not seen", "3 lines, 2 of them missing with `page`")


@pytest.mark.parametrize(("path", "assumption", "call"), [(LIST, WHOLE_LIST, 3), (USAGE, FIRST_PAGE, 5)])
def test_where_asking_again_has_no_answer_nothing_is_seen(sandbox: Sandbox, path: str, assumption: str, call: int):
    sandbox.fault(path, "html", call=call, times=3)

    line = found(sandbox)[assumption]

    assert (line.verdict.value, line.seen) == ("not seen", "not answered now: HTTP 502")
