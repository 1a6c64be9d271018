import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import vendor_accounts
from accounts.errors import NotAllowed
from accounts.models import Host


class Command(BaseCommand):
    help = "Stores the vendor credentials of an agency: the first ones, or a new secret."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", required=True, help="A host name of the agency.")
        parser.add_argument("--client-id", required=True)
        parser.add_argument("--client-secret-env", required=True, help="Environment variable that holds the secret.")

    def handle(self, *args: Any, host: str, client_id: str, client_secret_env: str, **options: Any) -> None:
        found = Host.objects.filter(name=host.lower()).select_related("agency").first()
        if found is None:
            raise CommandError(f"There is no agency at {host}.")
        secret = os.environ.get(client_secret_env, "")
        if not secret:
            raise CommandError(f"{client_secret_env} is not set.")
        try:
            vendor_accounts.connect(found.agency, client_id=client_id, client_secret=secret)
        except NotAllowed as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"{found.agency.name} is connected. Waiting customers go on within a minute.")
