"""What a request did to the database, row by row, and whose rows those are."""

from collections import deque
from typing import Any

from django.apps import apps
from django.db import models

from accounts.models import Agency, Customer, User

Rows = dict[str, dict[Any, dict[str, Any]]]  # table → primary key → column → value
Owners = dict[str, dict[Any, tuple[Any, ...]]]
KEPT_BY_DJANGO = ("contenttypes", "admin", "sessions", "auth")  # no rows of agencies, or keyed by what nobody knows
BY_NUMBER = {"accounts_event": "customer_id", "accounts_job": "customer_id"}  # a customer's key without a relation


def ours() -> list[type[models.Model]]:
    """Every model with rows of people and agencies."""
    return [model for model in apps.get_models() if model._meta.app_label not in KEPT_BY_DJANGO]


def path_to(model: type[models.Model], target: type[models.Model]) -> str | None:
    """The shortest way along foreign keys from a model to the agency (or customer) that a row belongs to."""
    if model is target:
        return "pk"
    queue: deque[tuple[type[models.Model], str]] = deque([(model, "")])
    seen = {model}
    while queue:
        here, path = queue.popleft()
        for field in here._meta.get_fields():
            if not isinstance(field, models.ForeignKey):
                continue
            way = f"{path}{field.name}"
            if field.related_model is target:
                return way
            if field.related_model not in seen:
                seen.add(field.related_model)
                queue.append((field.related_model, f"{way}__"))
    return None


def all_rows() -> Rows:
    """Every row of every model, as it is now."""
    found: Rows = {}
    for model in ours():
        columns = [field.attname for field in model._meta.concrete_fields]
        key = model._meta.pk.attname
        found[model._meta.db_table] = {
            row[columns.index(key)]: dict(zip(columns, row, strict=True))
            for row in model._base_manager.values_list(*columns)
        }
    return found


def owners_of_rows() -> Owners:
    """Table → primary key → the keys of the agency, the customer and the person that the row belongs to."""
    found: Owners = {}
    for model in ours():
        table = model._meta.db_table
        to_customer = BY_NUMBER.get(table) or path_to(model, Customer)
        paths = (path_to(model, Agency), to_customer, path_to(model, User))
        rows = model._base_manager.values_list("pk", *(path or "pk" for path in paths))
        found[table] = {
            pk: tuple(value if path else None for path, value in zip(paths, keys, strict=True)) for pk, *keys in rows
        }
    return found


def changes(before: Rows, after: Rows) -> list[tuple[str, str, Any, dict[str, Any]]]:
    """(table, verb, key, columns with their new values) of every row that is not as it was."""
    found = []
    for table, was in before.items():
        now = after[table]
        for key in sorted(was.keys() | now.keys()):  # numbers as numbers: 9 came before 10
            if key not in now:
                found.append((table, "delete", key, {}))
            elif key not in was:
                found.append((table, "insert", key, now[key]))
            elif was[key] != now[key]:
                columns = {name: value for name, value in now[key].items() if was[key][name] != value}
                found.append((table, "update", key, columns))
    return found


def names(changed: list[tuple[str, str, Any, dict[str, Any]]]) -> set[str]:
    """The same without values: `+table`, `-table`, `table.column`; of events the kind, `+event agency.stopped`."""
    found: set[str] = set()
    for table, verb, _key, columns in changed:
        if (table, verb) == ("accounts_event", "insert"):
            found.add(f"+event {columns['kind']}")
        elif verb == "update":
            found |= {f"{table}.{column}" for column in columns}
        else:
            found.add(f"{'+' if verb == 'insert' else '-'}{table}")
    return found
