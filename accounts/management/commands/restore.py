from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import backups


class Command(BaseCommand):
    help = "Makes the database what a copy holds. Stop every process first. No account is created until you allow it."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="Give up what the database holds now.")

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        try:
            paused = backups.restore(file, replace=replace)
        except backups.Refused as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(
            f"Restored from {file}. Provisioning is paused for {paused} agencies: start every process, and look at "
            "the differences of each on the operators' pages (Health). Everybody has to sign in again."
        )
