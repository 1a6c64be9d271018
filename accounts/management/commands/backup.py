from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import backups


class Command(BaseCommand):
    help = "Writes a copy of the whole database into a new file, while everything runs on."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backups.backup(file)
        except backups.Refused as problem:
            raise CommandError(str(problem)) from None
        size = file.stat().st_size / 1_000_000
        self.stdout.write(f"{file} holds everything ({size:.1f} MB). It opens only together with SEALING_KEYS.")
