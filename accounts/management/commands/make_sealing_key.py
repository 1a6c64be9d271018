from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    requires_system_checks = ()  # it helps where they fail
    help = "Prints a new key for SEALING_KEYS. Put it first; keep the old ones behind it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
