"""Faults of isolation, generated from the syntax tree: every place that keeps agencies, customers or roles apart.

Nothing here is picked by hand. A new scoping filter, decorator, check or choice makes a new fault by itself. All of
them are planted together, each behind a switch of its own that is off; the proof (`./run prove`) throws one at a time,
and some test has to fail. What a switch does is in `switches.py`.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.seeds.decisions import of_decisions
from tests.seeds.planting import Change, switch
from tests.seeds.words import FEWER, keeps_apart, pins

ROOT = Path(__file__).resolve().parents[2]
# Every page, form and door; not what makes demo data, commands of the operator's shell, or the schema's history.
SOURCES = sorted(
    path
    for package in ("portal", "accounts")
    for path in (ROOT / package).rglob("*.py")
    if not {"migrations", "management", "formats"} & set(path.parts) and not path.name.startswith("demo")
)


@dataclass(frozen=True)
class Fault:
    """One place and what is wrong there."""

    file: str
    line: int
    column: int
    kind: str
    function: str
    what: str

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}:{self.column}:{self.kind}"

    @property
    def lasting_name(self) -> str:
        """Stays the same when other lines of the file move."""
        return f"{self.file} {self.function} {self.kind}: {self.what}"


def faults() -> list[Fault]:
    """Every fault there is, in the order of the files; its place in this list is the number of its switch."""
    return [fault for path in SOURCES for fault, _change in _places(path, ast.parse(path.read_text()))]


def planted() -> dict[Path, ast.Module]:
    """The syntax trees of the files that have faults, with the switches of all of them in place."""
    trees: dict[Path, ast.Module] = {}
    number = 0
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        places = list(_places(path, tree))
        for _fault, change in places:
            change(number)
            number += 1
        if places:
            trees[path] = ast.fix_missing_locations(tree)
    return trees


def functions_of(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.Lambda]]:
    """The functions, methods and lambdas of a module, outermost only: a closure runs with what it closes over."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.Lambda):
            yield f"{prefix}lambda", node
        else:
            yield from functions_of(node, f"{prefix}{node.name}." if isinstance(node, ast.ClassDef) else prefix)


def _places(path: Path, tree: ast.Module) -> Iterator[tuple[Fault, Change]]:
    file = str(path.relative_to(ROOT))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # From `rows.for_agency(…)` on to the `.filter(…)` behind it.
            node.func.value.chain = node
    for function, outer in functions_of(tree):
        for decorator in getattr(outer, "decorator_list", ()):
            for kind, what, change in _of_decorator(outer, decorator):
                yield Fault(file, decorator.lineno, decorator.col_offset, kind, function, what), change
        for node, kind, what, change in of_decisions(outer, file):
            yield Fault(file, node.lineno, node.col_offset, kind, function, what), change
        for node in ast.walk(outer):
            for kind, what, change in (*_of_call(node, outer), *_of_q(node), *_of_choices(node)):
                yield Fault(file, node.lineno, node.col_offset, kind, function, what), change


def _of_decorator(outer: ast.FunctionDef, decorator: ast.expr) -> Iterator[tuple[str, str, Change]]:
    text = ast.unparse(decorator)
    if not text.startswith(("access.", "staff_required", "person_required", "operator_required")):
        return

    def replace(instead: ast.expr) -> Change:
        def change(number: int) -> None:
            at = next(i for i, given in enumerate(outer.decorator_list) if decorator in ast.walk(given))
            outer.decorator_list[at] = switch("decorator", number, outer.decorator_list[at], instead)

        return change

    yield "decorator", f"without @{text}", replace(ast.parse("lambda view: view", mode="eval").body)
    if isinstance(decorator, ast.Call) and any(name in text for name in FEWER):
        wider = ast.parse(text, mode="eval").body
        for node in ast.walk(wider):
            if isinstance(node, ast.Attribute) and node.attr in FEWER:
                node.attr = "ANY_STAFF"
        yield "role", f"@{text} for any staff", replace(wider)


def _of_call(node: ast.AST, function: ast.FunctionDef | ast.Lambda) -> Iterator[tuple[str, str, Change]]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    call, method = node, node.func
    if method.attr == "for_agency" and not _is_pinned(call, function):

        def unscope(number: int) -> None:
            scoped = switch("scope", number, method.value, *call.args)
            call.func, call.args = scoped.func, scoped.args

        yield "scope", f"{_short(_whole(call))} over all agencies", unscope
    if method.attr in ("filter", "get", "exclude"):
        for keyword in call.keywords:
            is_oneself = method.attr == "exclude" and keyword.arg == "pk"
            if is_oneself or keeps_apart(keyword.arg, is_constant=isinstance(keyword.value, ast.Constant)):
                yield f"filter-{keyword.arg}", f"{_short(call)} without {keyword.arg}", _without(keyword)


def _of_q(node: ast.AST) -> Iterator[tuple[str, str, Change]]:
    """`Q(person=person)` in a filter: without it every row is meant."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
        for keyword in node.keywords:
            if keeps_apart(keyword.arg, is_constant=isinstance(keyword.value, ast.Constant)):
                change = _without(keyword) if len(node.keywords) > 1 else _every_row(node)
                yield f"q-{keyword.arg}", f"{_short(node)} without {keyword.arg}", change


def _without(keyword: ast.keyword) -> Change:
    """`**({"customer": customer} if … else {})`"""

    def drop(number: int) -> None:
        kept = ast.Dict([ast.Constant(keyword.arg)], [keyword.value])
        keyword.value = ast.IfExp(switch("is_off", number), kept, ast.Dict([], []))
        keyword.arg = None

    return drop


def _every_row(q: ast.Call) -> Change:
    """A Q object with nothing in it would mean no row more where it stands beside others: `Q() | Q(contact=person)`."""

    def widen(number: int) -> None:
        asked = switch("q", number, ast.Call(q.func, [], q.keywords))
        q.func, q.args, q.keywords = asked.func, asked.args, []

    return widen


def _is_pinned(call: ast.Call, function: ast.FunctionDef | ast.Lambda) -> bool:
    """Whether the chain asks for rows of one thing that is at hand: `for_agency(row.agency).filter(customer=row)`.

    The thing was found within its agency before, and its key finds the same rows with the agency named or not.
    (That the key is asked for is a fault of its own.) What a request names is never at hand: it is looked up.
    A chain may go on by way of a name: then each that goes on from there has to be pinned.
    """
    if not call.args or ast.unparse(call.args[0]).startswith(("request.", "OuterRef")):
        return False
    link, end = getattr(call, "chain", None), call
    while link is not None:
        if _names_a_key(link, function):
            return True
        link, end = getattr(link, "chain", None), link
    given = next((node for node in ast.walk(function) if isinstance(node, ast.Assign) and node.value is end), None)
    if given is None or not isinstance(given.targets[0], ast.Name):
        return False
    uses = [use for use in ast.walk(function) if isinstance(use, ast.Name) and use.id == given.targets[0].id]
    return all(_goes_on_pinned(use, function) for use in uses if isinstance(use.ctx, ast.Load))


def _goes_on_pinned(use: ast.Name, function: ast.FunctionDef | ast.Lambda) -> bool:
    """`rows` in `rows.select_related(…).filter(customer=row)`."""
    link = getattr(use, "chain", None)
    while link is not None:
        if _names_a_key(link, function):
            return True
        link = getattr(link, "chain", None)
    return False


def _names_a_key(link: ast.Call, function: ast.FunctionDef | ast.Lambda) -> bool:
    """Whether this call of a chain asks by the key of something at hand, in keywords or in each of its Q objects."""
    assert isinstance(link.func, ast.Attribute)
    if link.func.attr == "bulk_update":
        return True  # finds the rows that it was given by their keys
    if link.func.attr == "exclude":
        return False
    if any(pins(keyword.arg) and _is_at_hand(keyword.value) for keyword in link.keywords):
        return True
    asked = [
        part
        for argument in link.args
        for part in ast.walk(_assigned(argument, function))
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "Q" and part.keywords
    ]
    return bool(asked) and all(
        any(pins(keyword.arg) and _is_at_hand(keyword.value) for keyword in part.keywords) for part in asked
    )


def _assigned(argument: ast.expr, function: ast.FunctionDef | ast.Lambda) -> ast.expr:
    """What a name stands for in the function, where it was given a value once."""
    if isinstance(argument, ast.Name):
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == argument.id:
                return node.value
    return argument


def _is_at_hand(value: ast.expr) -> bool:
    """A name, an attribute, a function of one, or a choice of columns of one; nothing that a request brought."""
    while isinstance(value, ast.Call):
        is_columns = isinstance(value.func, ast.Attribute) and value.func.attr == "values"
        is_function = isinstance(value.func, ast.Name) and len(value.args) == 1 and not value.keywords
        if not (is_function or is_columns):
            return False
        value = value.args[0] if is_function else value.func.value
    parts = [part.value for part in ast.walk(value) if isinstance(part, ast.FormattedValue)]
    if isinstance(value, ast.JoinedStr):  # `f"vendor_trouble:{account.pk}:"`
        return bool(parts) and all(_is_at_hand(part) for part in parts)
    return isinstance(value, (ast.Name, ast.Attribute)) and not ast.unparse(value).startswith("request.")


def _of_choices(node: ast.AST) -> Iterator[tuple[str, str, Change]]:
    """`self.fields[…].choices = …`: the field takes whatever comes."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)):
        return
    target = node.targets[0]
    if target.attr != "choices":
        return

    def anything(number: int) -> None:
        node.value = switch("choices", number, ast.parse(ast.unparse(target.value), mode="eval").body, node.value)

    yield "choice", f"{ast.unparse(target)} takes anything", anything


def _whole(call: ast.Call) -> ast.Call:
    """The chain of calls that this one begins."""
    while (link := getattr(call, "chain", None)) is not None:
        call = link
    return call


def _short(call: ast.Call) -> str:
    text = ast.unparse(call)
    return text if len(text) < 90 else f"{text[:40]} … {text[-45:]}"
