from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import sealing


class Command(BaseCommand):
    help = (
        "Seals every secret in the database with the first of SEALING_KEYS. May be stopped and started again at any"
        " moment, beside a running portal. docs/operations.md says when."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; say whether an old key is needed.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        left, unreadable = 0, 0
        for place in sealing.places():
            if not check:
                # Again until there is nothing to do: rows that somebody held are left out the first time.
                while sealing.rotate(place, progress=partial(self._say, place)):
                    pass
            now = sealing.standing(place)
            self.stdout.write(
                f"{place}: {now.current} with the first key, {now.old} with an older one,"
                f" {len(now.unreadable)} with none of them."
            )
            if now.unreadable:
                self.stdout.write(f"  These rows open with no key: {', '.join(map(str, now.unreadable[:20]))}")
            left += now.old
            unreadable += len(now.unreadable)
        if left:
            raise CommandError(f"An older key is still needed: {left} left. Run this without --check, or again.")
        if unreadable:
            raise CommandError(
                f"{unreadable} secrets open with no key of SEALING_KEYS. Bring the key back, or enter them again;"
                " do not remove any key before."
            )
        self.stdout.write("Nothing is left: only the first key is needed, the others may be removed.")

    def _say(self, place: sealing.Place, rows: int) -> None:
        self.stdout.write(f"{place}: {rows} sealed anew …")
