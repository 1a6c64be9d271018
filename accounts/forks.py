"""What a process does before it makes children."""

from django.db import connections


def let_go_of_databases() -> None:
    """Closes every connection and pool of this process.

    A child that inherits an open connection shares its socket with the parent and with every other child: one reads
    the answer to another's question.
    """
    for connection in connections.all(initialized_only=True):
        connection.close()
        if close_pool := getattr(connection, "close_pool", None):  # PostgreSQL's
            close_pool()
