from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from accounts.personal_data import TABLES
from accounts.retention import RULES

INTRODUCTION = """# Personal data

Written by `./run manage describe_personal_data > docs/personal-data.md` from `accounts/personal_data.py`, where every
column of every table is classified; a test compares both, and fails where a column is missing.

* **Export.** Everybody downloads their own data under "Your data" of their profile; owners and admins of an agency
  hand out a member's, owners also their staff's. One JSON file, by table, without secrets. Notes among staff are in
  it only where staff hand it out.
* **Erasure.** Everybody may erase themselves, an agency's owner its people and its closed customers. Rows of a person
  go. Of a customer the row stays without a name, because the vendor's id must stay bound: the same account is never
  linked twice. A customer is in somebody's name by its contact or by an address that they proved, whether or not
  they belong to it. Where the vendor knows of it, a task for the vendor's panel opens, which somebody does by hand.
* **Out of our hands.** Mails that were sent, copies of the database that the operator keeps, logs that were collected
  (they name people by id), and the vendor's side until the task is done. What staff have written in notes stays with
  the customer; full names and addresses of whoever belonged to it and is erased are taken out.
* **Events** hold ids and codes and stay for ever. Once a person is erased, nothing tells whose id it was.

The worker deletes what is over every minute, in batches (`accounts/retention.py`), and writes down how many rows of
which table went; the settings and their defaults stand in `.env.example`.
"""


class Command(BaseCommand):
    help = "Prints docs/personal-data.md: every table, what is personal in it, and how long it is kept."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(describe())


def describe() -> str:
    """The page, as Markdown."""
    return "\n".join([INTRODUCTION, *_rows()])


def _rows() -> Iterator[str]:
    deleted_by_worker = {rule.table for rule in RULES}
    yield "| table | personal: what erasure does | secret | kept | deleted by the worker |"
    yield "|---|---|---|---|---|"
    for label, table in TABLES.items():
        fates: dict[str, list[str]] = {}
        for column, fate in table.personal.items():
            fates.setdefault(fate.value, []).append(f"`{column}`")
        personal = "; ".join(f"{' '.join(columns)}: {fate}" for fate, columns in fates.items())
        secret = " ".join(f"`{column}`" for column in table.never_shown.split())
        by_worker = "yes" if label in deleted_by_worker else ""
        yield f"| {label} | {personal} | {secret} | {table.kept} | {by_worker} |"
