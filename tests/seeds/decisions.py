"""Faults of what decides who may: conditions that refuse, functions that permit, and the parts of both.

A part is one that makes the whole more lenient by itself: of `a or b` that refuses, `a` is never so.
"""

import ast
from collections.abc import Iterator

from tests.seeds.planting import Change, forced, switch
from tests.seeds.words import GATES, IN_THE_WAY, OVER, REFUSALS, SOMEBODY, WHERE, WHO, permits

Found = tuple[ast.AST, str, str, Change]


def of_decisions(function: ast.FunctionDef | ast.Lambda, file: str) -> Iterator[Found]:
    """Every place in a function that decides who may."""
    is_permit = isinstance(function, ast.FunctionDef) and _is_permit(function)
    if is_permit:
        assert isinstance(function, ast.FunctionDef)
        yield function, "answer", "always yes", _always_yes(function)
    weighed: set[ast.AST] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.If) and (_refuses(node, file) or (is_permit and _answers_no(node))):
            weighed.update(ast.walk(node.test))
            yield node, "check", f"never: if {ast.unparse(node.test)}", _never(node)
            yield from _parts(node.test, wanted=False, file=file)
        elif isinstance(node, ast.Return) and is_permit and node.value is not None:
            weighed.update(ast.walk(node.value))
            yield from _parts(node.value, wanted=True, file=file, are_all=True)
        elif isinstance(node, ast.IfExp):
            yield from _of_expression(node, file)
    if not is_permit:
        for node in ast.walk(function):
            if isinstance(node, ast.Compare) and node not in weighed and _is_of_somebody(node):
                for to, word in ((True, "always"), (False, "never")):
                    yield node, f"same-{word}", f"{word}: {ast.unparse(node)}", _compared(node, to=to)


def _is_permit(function: ast.FunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns) == "bool" and permits(function.name)


def _answers_no(node: ast.If) -> bool:
    """`if …: return False`"""
    last = node.body[-1]
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Constant) and last.value.value is False


def _refuses(node: ast.If, file: str) -> bool:
    """Checks that refuse, for who asks or for what is over; in the gates, every condition about who or where."""
    raised = {
        name.id
        for statement in node.body
        if isinstance(statement, ast.Raise) and statement.exc is not None
        for name in ast.walk(statement.exc)
        if isinstance(name, ast.Name)
    }
    if raised & REFUSALS:
        return file.startswith("portal/") or _is_about_who(node.test)
    return file in GATES and bool(_words(node.test) & WHERE)


def _words(test: ast.AST) -> set[str]:
    words = {part.attr for part in ast.walk(test) if isinstance(part, ast.Attribute)}
    return words | {part.id for part in ast.walk(test) if isinstance(part, ast.Name)}


def _is_about_who(test: ast.AST) -> bool:
    words = _words(test)
    compared = any(_compares_keys(part) for part in ast.walk(test))
    return bool(words & (WHO | OVER | IN_THE_WAY)) or compared or any(permits(word) for word in words)


def _compares_keys(node: ast.AST) -> bool:
    """`row.pk == own.pk`"""
    return isinstance(node, ast.Compare) and all(
        isinstance(side, ast.Attribute) and (side.attr == "pk" or side.attr.endswith("_id"))
        for side in (node.left, *node.comparators)
    )


def _is_of_somebody(node: ast.Compare) -> bool:
    """`who.pk == request.user.pk`: whether somebody is the one who asks, or the one whom a row names."""
    sides = [side for side in (node.left, *node.comparators) if isinstance(side, ast.Attribute)]
    named = {word.removesuffix("_id") for side in sides for word in _words(side)}
    return isinstance(node.ops[0], ast.Eq) and _compares_keys(node) and bool(named & (SOMEBODY | WHO))


def _parts(test: ast.expr, *, wanted: bool, file: str, are_all: bool = False) -> Iterator[Found]:
    """The parts of a condition that refuses as long as it is not `wanted`, each of which can make it `wanted`
    where it would not be; those about who or where, or all.

    Not `row is None`: where nobody is there, nobody can be let in.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _parts(test.operand, wanted=not wanted, file=file, are_all=are_all)
    elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And if wanted else ast.Or):
        for place, part in enumerate(test.values):
            is_about_who = are_all or _is_about_who(part) or (file in GATES and bool(_words(part) & WHERE))
            asks_for_nobody = isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.IsNot if wanted else ast.Is)
            if is_about_who and not asks_for_nobody:
                word = "always" if wanted else "never"
                yield part, f"part-{word}", f"{word}: {ast.unparse(part)}", _part(test, place, to=wanted)
            yield from _parts(part, wanted=wanted, file=file, are_all=are_all)


def _of_expression(node: ast.IfExp, file: str) -> Iterator[Found]:
    """`person if is_right else None`: in the gates, and wherever somebody is asked about who may: nobody is refused.

    Not where it is asked whether there is anybody at all, or what kind of value it is.
    """
    if not isinstance(node.orelse, ast.Constant) or node.orelse.value or isinstance(node.test, ast.Name):
        return
    asked = [ast.unparse(part.func).rpartition(".")[2] for part in ast.walk(node.test) if isinstance(part, ast.Call)]
    if "isinstance" not in asked and (file in GATES or any(permits(name) for name in asked)):

        def always(number: int) -> None:
            node.test = forced(node.test, to=True, number=number)

        yield node, "check", f"always: {ast.unparse(node)}", always


def _never(node: ast.If) -> Change:
    def change(number: int) -> None:
        node.test = forced(node.test, to=False, number=number)

    return change


def _part(whole: ast.BoolOp, place: int, *, to: bool) -> Change:
    def change(number: int) -> None:
        whole.values[place] = forced(whole.values[place], to=to, number=number)

    return change


def _compared(node: ast.Compare, *, to: bool) -> Change:
    """`(a == b or …) == True`: the comparison stays the node that it is."""

    def change(number: int) -> None:
        before = ast.Compare(node.left, node.ops, node.comparators)
        node.left, node.ops = forced(before, to=to, number=number), [ast.Eq()]
        node.comparators = [ast.Constant(True)]

    return change


def _always_yes(function: ast.FunctionDef) -> Change:
    def change(number: int) -> None:
        yes = ast.If(ast.UnaryOp(ast.Not(), switch("is_off", number)), [ast.Return(ast.Constant(True))], [])
        function.body.insert(0, yes)

    return change
