"""Every kind of event has a sentence of its own."""

import ast
from pathlib import Path

import pytest

from accounts.identity import Deed
from accounts.states import State
from coupontools_api import errors
from portal.wording_events import FOR_MEMBERS, OUTCOMES, SENTENCES, event_sentence, member_sentence

RECORDERS = ("Event.objects.record", "_record", "_record_with_reason", "audit.record", "_save")
STAFF_LAUNCHES = ("staff_launch", "account_launch", "teammate_launch")
ACCOUNTS = Path(__file__).parents[2] / "accounts"


def recorded_kinds() -> set[str]:
    """The kinds that code in accounts/ writes down in full, and one for every state that a wish moves to."""
    kinds = {f"subaccount.{state.value}" for state in State} | {"subaccount.create_given_back"}
    kinds |= {deed.value for deed in Deed} | {"launch", "password_link", *STAFF_LAUNCHES}
    for file in ACCOUNTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in RECORDERS:
                kinds |= {str(word.value) for word in node.args[:2] if _is_kind(word)}
    return kinds


def _is_kind(word: ast.expr) -> bool:
    return isinstance(word, ast.Constant) and "." in str(word.value)


def test_every_kind_that_is_recorded_has_a_sentence():
    assert recorded_kinds() - set(SENTENCES) == set()


@pytest.mark.parametrize(
    ("kind", "outcome", "data", "sentence"),
    [
        ("launch", "opened", {"page": "statistics"}, "Panel opened (results)"),
        ("launch", "credentials", {}, "Panel opened: did not work, the vendor refused the account or the credentials"),
        (
            "launch",
            "not_asked:unreachable",
            {},
            "Panel opened: did not work, the vendor was not asked at that moment",
        ),
        ("launch", "NoAnswer", {}, "Panel opened: did not work, the vendor did not answer in time"),
        ("invitation.sent", "done", {"staff_role": "admin"}, "Invitation sent (admin)"),
        (
            "staff.role_changed",
            "done",
            {"was": "admin", "role": "support"},
            "Role of a staff member changed (admin to support)",
        ),
        ("subaccount.active", "done", {"was": "creating", "cause": ""}, "Account made and linked"),
        ("moon.phase_changed", "done", {}, "Moon: phase changed"),
    ],
)
def test_an_event_reads_as_a_sentence(kind: str, outcome: str, data: dict[str, str], sentence: str):
    assert event_sentence(kind, data, outcome) == sentence


def test_every_way_in_which_a_call_fails_has_words_of_its_own():
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.CoupontoolsError)
    }
    assert kinds - {"CoupontoolsError", "Refused"} - set(OUTCOMES) == set()


def test_a_failure_without_words_is_not_said_to_be_silence():
    assert event_sentence("launch", {}, "MoonPhase") == "Panel opened: did not work, the reason is not known"


def test_members_read_their_own_words():
    assert set(FOR_MEMBERS) <= set(SENTENCES)
    assert member_sentence("staff_launch", {"page": "campaigns"}, "opened") == "Opened your editor (coupons)"
    assert member_sentence("staff_launch", {}, "NoAnswer") == "Opened your editor: did not work"
    assert not [kind for kind, words in FOR_MEMBERS.items() if "vendor" in str(words).lower()]
