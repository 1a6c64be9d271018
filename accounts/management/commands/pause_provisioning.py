from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import pausing
from accounts.models import Host


class Command(BaseCommand):
    help = "Stops creates until an operator has seen the differences. For a database that was restored by other means."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default="", help="Only the agency of this host; left out, all of them.")

    def handle(self, *args: Any, host: str, **options: Any) -> None:
        agency = None
        if host:
            found = Host.objects.select_related("agency").filter(name=host).first()
            if found is None:
                raise CommandError(f"No agency answers on {host}.")
            agency = found.agency
        number = pausing.pause(why=pausing.BY_COMMAND, agency=agency)
        self.stdout.write(f"Provisioning is paused for {number} agencies. The operators' pages list the differences.")
