"""Every kind of event has a sentence of its own."""

import ast
from pathlib import Path

import pytest

from accounts.states import State
from portal.wording_events import FOR_MEMBERS, SENTENCES, event_sentence, member_sentence

ACCOUNTS = Path(__file__).parents[2] / "accounts"


def recorded_kinds() -> set[str]:
    """The kinds that code in accounts/ writes down in full, and one for every state that a wish moves to."""
    kinds = {f"subaccount.{state.value}" for state in State} | {"subaccount.create_given_back"}
    for file in ACCOUNTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Event.objects.record", "_record"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant):
                    kinds.add(str(first.value))
    return kinds


def test_every_kind_that_is_recorded_has_a_sentence():
    assert recorded_kinds() - set(SENTENCES) == set()


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("launch", {"outcome": "opened", "page": "statistics"}, "Panel opened (results)"),
        ("launch", {"outcome": "credentials"}, "Panel opened: did not work, the vendor refused the credentials"),
        (
            "launch",
            {"outcome": "not_asked:unreachable"},
            "Panel opened: did not work, the vendor was not asked at that moment",
        ),
        ("launch", {"outcome": "NoAnswer"}, "Panel opened: did not work, the vendor did not answer in time"),
        ("invitation.sent", {"staff_role": "admin"}, "Invitation sent (admin)"),
        (
            "staff.role_changed",
            {"was": "admin", "role": "support"},
            "Role of a staff member changed (admin to support)",
        ),
        ("subaccount.active", {"was": "creating", "cause": ""}, "Account made and linked"),
        ("moon.phase_changed", {}, "Moon: phase changed"),
    ],
)
def test_an_event_reads_as_a_sentence(kind: str, data: dict[str, str], sentence: str):
    assert event_sentence(kind, data) == sentence


def test_members_read_their_own_words():
    assert set(FOR_MEMBERS) <= set(SENTENCES)
    assert member_sentence("staff_launch", {"outcome": "opened", "page": "campaigns"}) == "Opened your editor (coupons)"
    assert member_sentence("staff_launch", {"outcome": "NoAnswer"}) == "Opened your editor: did not work"
    assert not [kind for kind, words in FOR_MEMBERS.items() if "vendor" in str(words).lower()]
