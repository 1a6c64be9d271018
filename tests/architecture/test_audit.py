"""No door without an event: read from the text of accounts, so that a new door that forgets one is named here."""

import ast
from pathlib import Path

ACCOUNTS = Path(__file__).parents[2] / "accounts"
RECORDS = "Event.objects.record"
# Doors by their signature that change nothing: they answer a question, or prepare what another door does.
ANSWERS = {"may_change"}


def functions() -> dict[str, tuple[ast.FunctionDef, set[str]]]:
    """Every function and method in accounts, as `module.name`, with the names that it calls."""
    found = {}
    for file in ACCOUNTS.rglob("*.py"):
        if "migrations" in file.parts or "models" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                calls = {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
                found[f"{file.stem}.{node.name}"] = node, calls
    return found


def recording() -> set[str]:
    """The functions that record an event, themselves or through what they call."""
    known = functions()
    found = {name for name, (_, calls) in known.items() if RECORDS in calls}
    while True:
        more = {name for name, (_, calls) in known.items() if any(_is_one_of(call, name, found) for call in calls)}
        if more <= found:
            return found
        found |= more


def _is_one_of(call: str, caller: str, names: set[str]) -> bool:
    """Whether `call`, as it is written in `caller`, means one of those functions."""
    module, _, name = call.rpartition(".")
    if module in ("", "self", "this", "claimed", "step"):
        here = caller.split(".")[0]
        imported = {"_record": "audit.record", "move": "states.move", "record": "handoff.record"}
        return f"{here}.{name}" in names or imported.get(name) in names
    return f"{module.rpartition('.')[2]}.{name}" in names


def doors() -> list[str]:
    return [
        name
        for name, (node, _) in functions().items()
        if not node.name.startswith("_")
        and any(argument.arg == "acting_user" for argument in (*node.args.args, *node.args.kwonlyargs))
        and node.name not in ANSWERS
    ]


def test_every_door_leaves_an_event():
    found = doors()

    assert len(found) > 60
    assert sorted(set(found) - recording()) == []
