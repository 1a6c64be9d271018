"""`./run vendor-check` against a vendor whose ways are turned round, one at a time."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coupontools_api import vendor_probe
from coupontools_api.sandbox import Sandbox
from coupontools_api.vendor_check import main
from coupontools_api.vendor_findings import PANEL_HOST, Verdict
from coupontools_api.vendor_opening import Opening
from tests.coupontools_api.assumptions import (
    CLIENT_ID,
    CLIENT_SECRET,
    FLIPS,
    HOST_OF_URL,
    PAGES,
    TIMES,
    TOKEN_USES,
    VERSIONS,
    WHITELABEL,
    WHOLE_LIST,
    furnish,
)
from tests.coupontools_api.scripted import Vendor, answers

VERDICTS = {verdict.value for verdict in Verdict}


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> dict[str, tuple[str, str]]:
        """Verdict and what was seen, by assumption."""
        cells = [re.split(" {2,}", line) for line in self.out.splitlines()]
        return {line[0]: (line[2], line[1]) for line in cells if line[-1] in VERDICTS}

    @property
    def verdicts(self) -> dict[str, str]:
        return {assumption: verdict for assumption, (verdict, _) in self.lines.items()}


Check = Callable[..., Outcome]


@pytest.fixture
def sandbox(furnished: Sandbox) -> Sandbox:
    return furnished


@pytest.fixture
def own_panel() -> Iterator[Sandbox]:
    """A sandbox whose sign-on URLs can be opened."""
    with Sandbox() as sandbox:
        furnish(sandbox)
        yield sandbox


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.setenv("COUPONTOOLS_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("COUPONTOOLS_CLIENT_SECRET", CLIENT_SECRET)

    def run(url: str, *arguments: str) -> Outcome:
        status = main(["--url", url, *arguments])
        printed = capsys.readouterr()
        return Outcome(status, printed.out, printed.err)

    return run


def opening(sandbox: Sandbox) -> tuple[str, ...]:
    return sandbox.url, "--open-token", "--panel-host", sandbox.panel_host


def test_on_a_vendor_as_we_assume_it_everything_holds(check: Check, own_panel: Sandbox):
    done = check(*opening(own_panel))

    assert done.status == 0
    assert set(done.verdicts.values()) == {"holds", "information"}
    assert "16 assumptions hold, 0 do not, 0 were not seen." in done.out


@pytest.mark.parametrize(("assumption", "switches"), FLIPS, ids=[str(switches) for _, switches in FLIPS])
def test_it_names_the_one_assumption_that_does_not_hold(
    check: Check, sandbox: Sandbox, assumption: str, switches: dict[str, Any]
):
    before = check(sandbox.url)
    sandbox.settings(**switches)

    after = check(sandbox.url)

    assert (before.status, before.verdicts[assumption]) == (0, "holds")
    assert (after.status, after.verdicts) == (1, {**before.verdicts, assumption: "DOES NOT HOLD"})


def test_it_names_a_panel_at_another_host(check: Check, sandbox: Sandbox):
    before = check(sandbox.url)
    with Sandbox(panel_url="https://panel.elsewhere.test") as moved:
        furnish(moved)
        after = check(moved.url)

    assert (after.status, after.verdicts) == (1, {**before.verdicts, HOST_OF_URL: "DOES NOT HOLD"})
    assert after.lines[HOST_OF_URL][1] == "panel.elsewhere.test"


def test_it_names_a_sign_on_url_that_works_twice(check: Check, own_panel: Sandbox):
    before = check(*opening(own_panel))
    own_panel.settings(token_uses=2)

    after = check(*opening(own_panel))

    assert (after.status, after.verdicts) == (1, {**before.verdicts, TOKEN_USES: "DOES NOT HOLD"})


def test_an_outage_is_no_second_open(check: Check, own_panel: Sandbox, monkeypatch: pytest.MonkeyPatch):
    results = iter([Opening(True, "HTTP 200"), Opening(False, "HTTP 503", is_answer=False)])
    monkeypatch.setattr(vendor_probe, "opened", lambda _url: next(results))

    verdict, seen = check(*opening(own_panel)).lines[TOKEN_USES]

    assert (verdict, seen) == ("not seen", "the second open had no answer (HTTP 503)")


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_where_one_version_is_missing_the_rest_is_as_before_or_not_seen(check: Check, sandbox: Sandbox, version: str):
    before = check(sandbox.url).verdicts
    sandbox.settings(versions=version)

    after = check(sandbox.url)

    changed = {assumption for assumption in before if after.verdicts[assumption] != before[assumption]}
    assert after.status == 1
    assert after.verdicts[VERSIONS] == "DOES NOT HOLD"
    assert {after.verdicts[assumption] for assumption in changed - {VERSIONS}} == {"not seen"}


def test_without_a_named_subaccount_the_first_one_is_asked_about_and_named(check: Check, sandbox: Sandbox):
    first, second, _ = (row["ID"] for row in sandbox.subaccounts())

    assert f"Subaccount asked about: {first} (the first one listed" in check(sandbox.url).out
    assert {effect["subaccount"] for effect in sandbox.effects("sign_on")} == {first}
    sandbox.clear_ledger()
    assert f"Subaccount asked about: {second} (as named)" in check(sandbox.url, "--subaccount", second).out
    assert {effect["subaccount"] for effect in sandbox.effects("sign_on")} == {second}


def test_nothing_is_created_or_changed(check: Check, sandbox: Sandbox):
    before = sandbox.subaccounts()

    check(sandbox.url)

    assert sandbox.subaccounts() == before
    assert {effect["kind"] for effect in sandbox.effects()} == {"sign_on"}


def test_no_sign_on_url_is_opened_unless_it_is_asked_for(check: Check, own_panel: Sandbox):
    url, _, *panel = opening(own_panel)

    assert check(url, *panel).verdicts[TOKEN_USES] == "not seen"
    assert own_panel.effects("token_used") == []


def test_no_sign_on_url_is_opened_at_a_host_that_is_not_expected(check: Check, own_panel: Sandbox):
    assert check(own_panel.url, "--open-token").verdicts[TOKEN_USES] == "not seen"
    assert own_panel.effects("token_used") == []


def test_a_page_of_a_campaign_is_not_tried_where_there_is_none(check: Check, sandbox: Sandbox):
    without_campaign = sandbox.subaccounts()[1]["ID"]

    done = check(sandbox.url, "--subaccount", without_campaign)

    assert done.status == 0
    assert done.lines[PAGES] == ("not seen", "4 of 5 taken; update_campaign not tried: there is no campaign")


def test_that_every_page_is_taken_tells_nothing_where_any_page_is(check: Check, script: Vendor):
    subaccount = {"ID": "sub_1", "token": "a-token", "campaigns": [{"ID": "cam_1"}]}
    script.plays(answers({"status": {"status": "OK"}, "subaccounts": [subaccount], "subaccount": subaccount}))

    assert check(script.url).lines[PAGES] == ("not seen", "a page that does not exist is taken as well")


@pytest.mark.parametrize("filters", ["obeyed", "ignored", "nothing"])
def test_where_there_is_no_session_to_leave_out_it_is_not_seen(check: Check, sandbox: Sandbox, filters: str):
    sandbox.settings(world_seed=None, date_filters=filters)
    sandbox._vendor.campaigns.add("acc_1", {"name": "Nobody has it"})

    done = check(sandbox.url)

    assert (done.status, done.lines[TIMES]) == (0, ("not seen", "taken; there is no session to leave out"))


def test_a_time_to_come_that_is_refused_is_no_finding(check: Check, sandbox: Sandbox):
    sandbox.fault("/v3/campaign/data", "status", call=4, codes=[303])

    assert check(sandbox.url).lines[TIMES] == ("not seen", "taken; then HTTP 422, code 303")


def test_what_an_account_without_subaccounts_cannot_show_is_not_seen(check: Check, sandbox: Sandbox):
    for row in sandbox.subaccounts():
        sandbox.remove_subaccount(row["ID"])

    done = check(sandbox.url)

    assert (done.status, done.verdicts[VERSIONS], done.verdicts[WHOLE_LIST]) == (0, "holds", "not seen")
    assert done.lines[HOST_OF_URL] == ("not seen", "the account has no subaccount that could be asked about")


@pytest.mark.parametrize(("lines", "verdict"), [(5, "holds"), (10, "not seen"), (24, "holds"), (25, "not seen")])
def test_a_round_number_of_subaccounts_may_be_a_full_page(check: Check, sandbox: Sandbox, lines: int, verdict: str):
    for number in range(lines - len(sandbox.subaccounts())):
        sandbox.add_subaccount(CLIENT_ID, email=f"{number}@bakery.test")

    seen = (
        f"exactly {lines} lines: may be a full page"
        if verdict == "not seen"
        else f"{lines} lines, the same with `page`"
    )
    assert check(sandbox.url).lines[WHOLE_LIST] == (verdict, seen)


@pytest.mark.parametrize(
    ("blank", "seen"), [("absent", "absent"), (None, "null"), ("", "empty")], ids=["absent", "null", "empty"]
)
def test_it_tells_how_a_missing_white_label_url_looks(check: Check, sandbox: Sandbox, blank: str | None, seen: str):
    sandbox.settings(whitelabel_blank=blank)

    assert check(sandbox.url).lines[WHITELABEL] == ("information", seen)


def test_it_tells_where_a_white_label_url_leads(check: Check, sandbox: Sandbox):
    sandbox.add_account(CLIENT_ID, CLIENT_SECRET, whitelabel_host="login.north.test")

    assert check(sandbox.url).lines[WHITELABEL] == ("information", "at login.north.test")


def test_an_outage_in_between_is_no_finding(check: Check, sandbox: Sandbox):
    sandbox.fault("/v3/subaccount/sso", "html", times=None)

    done = check(sandbox.url)

    assert done.status == 0
    assert done.lines[PAGES] == ("not seen", "not answered now: HTTP 502")


# What must be found nowhere: credentials, addresses, names, and whatever is as long as a token or a key.
SECRET = re.compile(rf"{CLIENT_ID}|{CLIENT_SECRET}|@bakery|Bakery|Bread|[A-Za-z0-9]{{24,}}")


def test_it_prints_no_secret(check: Check, own_panel: Sandbox):
    done = check(*opening(own_panel))

    assert SECRET.findall(done.out + done.err) == []


def recorded(folder: Path) -> dict[str, Any]:
    return {path.name[:2]: json.loads(path.read_text()) for path in sorted(folder.iterdir())}


def test_the_record_holds_no_secret_no_address_and_no_id(check: Check, sandbox: Sandbox, tmp_path: Path):
    sandbox.add_account(CLIENT_ID, CLIENT_SECRET, whitelabel_host="login.north.test")
    sandbox.settings(rpc_credentials="body")
    rows = sandbox.subaccounts()
    ids = [row["ID"] for row in rows] + [campaign["ID"] for campaign in rows[0]["campaigns"]]

    check(sandbox.url, "--record", str(tmp_path))

    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert '"token": ' in text
    assert SECRET.findall(text) == []
    assert [known for known in (*ids, "north.test", PANEL_HOST) if known in text] == []


def test_the_record_keeps_lengths_types_and_what_is_equal(check: Check, sandbox: Sandbox, tmp_path: Path):
    check(sandbox.url, "--record", str(tmp_path))

    listed, details, sign_on = (
        next(
            answer["body"]
            for answer in recorded(tmp_path).values()
            if answer["path"] == path and answer["status"] == 200
        )
        for path in ("/v4/subaccount/list", "/v4/subaccount", "/v3/subaccount/sso")
    )
    assert not any("key-" in path.read_text() for path in tmp_path.iterdir())
    first, facts, link = listed["subaccounts"][0], details["subaccount"], sign_on["subaccount"]
    assert (listed["amount_of_subaccounts"], len(listed["subaccounts"])) == ("3", 3)
    assert first["ID"] == facts["ID"] == link["ID"] != listed["subaccounts"][1]["ID"]
    assert re.fullmatch("sub_[0-9]+", first["ID"])
    assert first["email"] == facts["email"] == facts["username"]
    assert (facts["access_dashboard"], facts["access_directory"], facts["expiry_date"]) == (True, "0", "")
    assert link["url"].endswith(f"/index.php?action=login&logintype=sso&token={link['token']}")


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"client_secret": "another"}, "refuses these credentials, in headers and in the body (HTTP 401, code 1000)"),
        ({"client_secret": CLIENT_SECRET, "expired": True}, "the account has expired (101)"),
    ],
)
def test_it_cannot_run_with_credentials_that_do_not_work(
    check: Check, sandbox: Sandbox, account: dict[str, Any], said: str
):
    sandbox.add_account(CLIENT_ID, **account)

    done = check(sandbox.url)

    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_it_cannot_run_without_credentials(check: Check, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COUPONTOOLS_CLIENT_SECRET")

    done = check(sandbox.url)

    assert (done.status, done.out, sandbox.requests()) == (2, "", [])
    assert "COUPONTOOLS_CLIENT_SECRET have to be set" in done.err


def test_it_cannot_run_where_nobody_answers(check: Check):
    with Sandbox() as gone:
        url = gone.url

    done = check(url)

    assert (done.status, done.out) == (2, "")
    assert "The vendor is not reached (no answer: NotSent" in done.err


def test_it_sends_no_credentials_over_plain_http_to_another_machine(check: Check):
    done = check("http://vendor.test")

    assert done.status == 2
    assert "base_url must be https" in done.err


def test_it_cannot_run_about_a_subaccount_that_the_account_does_not_have(check: Check, sandbox: Sandbox):
    done = check(sandbox.url, "--subaccount", "sub_4321")

    assert (done.status, done.out) == (2, "")
    assert "does not answer about sub_4321 (HTTP 422, code 510)" in done.err


def test_it_cannot_run_where_something_else_answers(check: Check, script: Vendor):
    script.plays(answers(b"<h1>It works</h1>"))

    done = check(script.url)

    assert (done.status, done.out) == (2, "")
    assert "not as the vendor's API does (HTTP 200, not JSON)" in done.err


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"status": "OK", "errors": ["x"]},
        {"status": {"status": "failed"}, "subaccounts": [{"ID": "sub_1"}]},
        {"status": {"status": "OK"}, "subaccounts": [None, 3, {"ID": []}, {"ID": 1}], "subaccount": [1]},
        {
            "status": {"status": "OK"},
            "subaccounts": [{"ID": "sub_1"}],
            "subaccount": {"ID": {}, "token": [], "url": "https://[", "url_whitelabel": {}, "campaigns": [1, {}]},
        },
    ],
    ids=str,
)
def test_an_answer_of_an_odd_form_is_a_finding_and_no_crash(check: Check, script: Vendor, tmp_path: Path, body: Any):
    script.plays(answers(body))

    done = check(script.url, "--record", str(tmp_path))

    assert done.status == 1
    assert len(done.lines) == 17
