"""A worker's connections to PostgreSQL: one for each hand, and what is asked again and again is planned once.

That halves what the server does for a sign-up. Pages do without: where a migration changes a type under them, each
connection would fail once.
"""

from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections
from django.db.backends.signals import connection_created

from accounts.forks import let_go_of_databases

PLANNED_AFTER = 5  # times; psycopg's own default


def provide(number: int) -> None:
    """Before the first hand. Each holds one while the vendor answers: with fewer the others would wait in vain."""
    options = connections[DEFAULT_DB_ALIAS].settings_dict["OPTIONS"]
    if pool := options.get("pool"):
        let_go_of_databases()
        del connections[DEFAULT_DB_ALIAS]  # it has looked at the options
        pool["max_size"] = max(number, pool["max_size"])
        options |= {"server_side_binding": True, "prepare_threshold": PLANNED_AFTER}
        connection_created.connect(_watch, dispatch_uid=__name__)


def _watch(connection: Any, **_: Any) -> None:
    if _forget_stale_plans not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _forget_stale_plans)


def _forget_stale_plans(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A connection whose plan answers with a type that is another by now is not used again: the pool makes a new one.

    The step that meets it is lost, and taken again: later, as after any fault of ours, or after its lease.
    """
    try:
        return execute(sql, params, many, context)
    except NotSupportedError:  # "cached plan must not change result type"
        connection = context["connection"]
        connection.connection.close()
        if not connection.in_atomic_block:  # else its end does it
            connection.close()
        raise
