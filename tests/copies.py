"""Rows that most tests begin with: made once through the doors, and from then on written again as they were.

A test pays for a statement a table, and not for all that the doors do.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

KEYS_OF_OTHERS = 10_000  # what tests make gets keys that no copy has
OURS = ("accounts_", "account_", "mfa_")
Written = list[tuple[str, list[tuple[Any, ...]]]]  # statement, rows


class Copy:
    """What `make` writes into a database that holds no more than `beside`. `write` puts it there again."""

    def __init__(self, make: Callable[[], models.Model], *, beside: "tuple[Copy, ...]" = ()) -> None:
        with transaction.atomic():
            for other in beside:
                other.write()
            before = _rows()
            self.key = make().pk
            new = {
                statement: [row for row in rows if row not in before[statement]] for statement, rows in _rows().items()
            }
            self._written: Written = [(statement, rows) for statement, rows in new.items() if rows]
            transaction.set_rollback(True)

    def write(self) -> Any:
        """The key of what was made."""
        with transaction.atomic(), connection.cursor() as cursor:  # keys are checked at its end
            for statement, rows in self._written:
                cursor.executemany(statement, rows)
        return self.key


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    """By the statement that writes them, all rows of ours."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if _is_ours(model._meta.db_table):
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"SELECT * FROM {table}")
                names = [column[0] for column in cursor.description]
                columns = ", ".join(map(connection.ops.quote_name, names))
                statement = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(names))})"
                found[statement] = cursor.fetchall()
    return found


def keys_from(first: int) -> None:
    """The next keys that the database gives, in each table of rows that tests make."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            tables = [table for table in connection.introspection.table_names(cursor) if _is_ours(table)]
            cursor.executemany("DELETE FROM sqlite_sequence WHERE name = %s", [[table] for table in tables])
            cursor.executemany(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [(table, first - 1) for table in tables]
            )
        else:
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'S'")
            for (sequence,) in cursor.fetchall():
                if _is_ours(sequence):
                    cursor.execute("SELECT setval(%s::regclass, %s, false)", [sequence, first])


def _is_ours(name: str) -> bool:
    return name.startswith(OURS)
