"""Faults of isolation, generated from the syntax tree: every place that keeps agencies, customers or roles apart.

Nothing here is picked by hand. A new scoping filter, decorator, check or choice makes a new fault by itself; the proof
(`./run prove`) plants each of them, one at a time, and some test has to fail.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Every page, form and door; not what makes demo data, commands of the operator's shell, or the schema's history.
SOURCES = sorted(
    path
    for package in ("portal", "accounts")
    for path in (ROOT / package).rglob("*.py")
    if not {"migrations", "management", "formats"} & set(path.parts) and not path.name.startswith("demo")
)
# Where requests are let in or not: here every condition about who asks, or where, counts as a check.
GATES = (
    "portal/middleware.py",
    "portal/viewing.py",
    "portal/adapter.py",
    "portal/scope.py",
    "accounts/models/scope.py",
)
OWNERS = {
    "agency",
    "customer",
    "person",
    "user",
    "vendor_account",
    "subaccount",
    "operator",
    "memberships",
    "public_id",
}
WHO = {"agency_id", "staff_role", "is_operator", "acting_user", "acting", "owners_only", "may_launch"}
WHO |= {"may_change", "may_export", "may_erase"}
PINS = {
    "pk",
    "pk__in",
    "customer",
    "customer_id",
    "person",
    "subaccount",
    "vendor_account",
    "customer__memberships__person",
}
WHERE = {
    "host",
    "served",
    "scope",
    "session",
    "view",
    "view_as",
    "person",
    "agency",
    "user",
    "PLATFORM_HOST",
    "port",
    "key",
}
REFUSALS = {"Http404", "PermissionDenied", "NotAllowed"}
FEWER = {"OWNERS", "MANAGERS", "SUPPORTERS"}


@dataclass(frozen=True)
class Fault:
    """One place and what is wrong there. `name` finds it again; `function` is what has to run for it to show."""

    file: str
    line: int
    column: int
    kind: str
    function: str
    what: str

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}:{self.column}:{self.kind}"


Change = Callable[[], None]


def faults() -> list[Fault]:
    """Every fault there is, in the order of the files."""
    found = []
    for path in SOURCES:
        found += [fault for fault, _change in _places(path, ast.parse(path.read_text()))]
    return found


def planted(name: str) -> tuple[Path, ast.Module]:
    """The syntax tree of the file that the fault is in, with the fault in it."""
    file = ROOT / name.split(":")[0]
    tree = ast.parse(file.read_text())
    for fault, change in _places(file, tree):
        if fault.name == name:
            change()
            return file, ast.fix_missing_locations(tree)
    raise KeyError(name)


def functions_by_file() -> dict[Path, set[str]]:
    """The files with faults, and the functions in them that hold some."""
    found: dict[Path, set[str]] = {}
    for fault in faults():
        found.setdefault(ROOT / fault.file, set()).add(fault.function)
    return found


def functions_of(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions and methods of a module, outermost only: a closure runs with what it closes over."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, f"{prefix}{node.name}.")


def _places(path: Path, tree: ast.Module) -> Iterator[tuple[Fault, Change]]:
    file = str(path.relative_to(ROOT))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node.func.value.chain = node  # from `rows.for_agency(…)` on to the `.filter(…)` behind it
    for function, outer in functions_of(tree):
        for decorator in outer.decorator_list:
            for kind, what, change in _of_decorator(outer, decorator):
                yield Fault(file, decorator.lineno, decorator.col_offset, kind, function, what), change
        for node in ast.walk(outer):
            for kind, what, change in (*_of_call(node), *_of_condition(node, file), *_of_choices(node)):
                yield Fault(file, node.lineno, node.col_offset, kind, function, what), change


def _of_decorator(outer: ast.FunctionDef, decorator: ast.expr) -> Iterator[tuple[str, str, Change]]:
    text = ast.unparse(decorator)
    if not text.startswith(("access.", "staff_required", "person_required", "operator_required")):
        return

    def drop() -> None:
        outer.decorator_list.remove(decorator)

    yield "decorator", f"without @{text}", drop
    if isinstance(decorator, ast.Call) and any(name in text for name in FEWER):

        def widen() -> None:
            for node in ast.walk(decorator):
                if isinstance(node, ast.Attribute) and node.attr in FEWER:
                    node.attr = "ANY_STAFF"

        yield "role", f"@{text} for any staff", widen


def _of_call(node: ast.AST) -> Iterator[tuple[str, str, Change]]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    call, method = node, node.func
    if method.attr == "for_agency" and not _is_pinned(call):

        def unscope() -> None:
            method.attr, call.args = "across_agencies", []

        yield "scope", f"{_short(call)} over all agencies", unscope
    if method.attr in ("filter", "get", "exclude"):
        for keyword in call.keywords:
            is_nobody = isinstance(keyword.value, ast.Constant)  # `customer=None` picks a kind of row, not an owner
            if keyword.arg and OWNERS.issuperset(keyword.arg.split("__")) and not is_nobody:

                def drop(keyword: ast.keyword = keyword) -> None:
                    call.keywords.remove(keyword)

                yield f"filter-{keyword.arg}", f"{_short(call)} without {keyword.arg}", drop


def _is_pinned(call: ast.Call) -> bool:
    """Whether the chain asks for rows of one thing that is at hand: `for_agency(row.agency).filter(customer=row)`.

    The thing was found within its agency before, and its key finds the same rows with the agency named or not.
    (That the key is asked for is a fault of its own.) What a request names is never at hand: it is looked up.
    """
    if not call.args or ast.unparse(call.args[0]).startswith(("request.", "OuterRef")):
        return False
    link = getattr(call, "chain", None)
    while link is not None:
        for keyword in link.keywords:
            names_a_key = keyword.arg in PINS and isinstance(keyword.value, (ast.Name, ast.Attribute))
            if names_a_key and not ast.unparse(keyword.value).startswith("request."):
                return True
        link = getattr(link, "chain", None)
    return False


def _of_condition(node: ast.AST, file: str) -> Iterator[tuple[str, str, Change]]:
    """Checks that refuse; in the gates, every condition about who or where."""
    if not isinstance(node, ast.If):
        return
    raised = {
        name.id
        for statement in node.body
        if isinstance(statement, ast.Raise) and statement.exc is not None
        for name in ast.walk(statement.exc)
        if isinstance(name, ast.Name)
    }
    words = {part.attr for part in ast.walk(node.test) if isinstance(part, ast.Attribute)}
    words |= {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
    is_access = file.startswith("portal/") and raised & REFUSALS
    if not (is_access or (file in GATES and words & WHERE) or (raised & REFUSALS and words & WHO)):
        return

    def never() -> None:
        node.test = ast.copy_location(ast.Constant(False), node.test)

    yield "check", f"never: if {ast.unparse(node.test)}", never


def _of_choices(node: ast.AST) -> Iterator[tuple[str, str, Change]]:
    """`self.fields[…].choices = …`: the field takes whatever comes."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)):
        return
    target = node.targets[0]
    if target.attr != "choices":
        return

    def anything() -> None:
        valid = ast.Attribute(value=copy.deepcopy(target.value), attr="valid_value", ctx=ast.Store())
        node.targets = [ast.Tuple([target, valid], ctx=ast.Store())]
        node.value = ast.Tuple([node.value, ast.parse("lambda value: True", mode="eval").body], ctx=ast.Load())

    yield "choice", f"{ast.unparse(target)} takes anything", anything


def _short(call: ast.Call) -> str:
    text = ast.unparse(call)
    return text if len(text) < 90 else f"{text[:40]} … {text[-45:]}"
