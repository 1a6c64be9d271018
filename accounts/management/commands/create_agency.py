import os
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import agencies, vendor_accounts
from accounts.errors import NotAllowed
from coupontools_api.ids import PackageId


class Command(BaseCommand):
    help = "Makes an agency and mails its owner an invitation."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--host", required=True, help="Host name of its portal, without port.")
        parser.add_argument("--owner", required=True, help="E-mail address of its owner.")
        parser.add_argument("--client-id", default="")
        parser.add_argument("--client-secret-env", default="", help="Environment variable that holds the secret.")
        parser.add_argument("--panel-host", default="", help="Its proven white-label panel host.")
        parser.add_argument(
            "--package",
            action="append",
            default=[],
            help="pac_1:Name[:price[:currency[:trial_days]]]; may be given several times.",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        secret = ""
        if options["client_id"]:
            variable = options["client_secret_env"]
            secret = os.environ.get(variable, "") if variable else ""
            if not secret:
                raise CommandError("--client-id needs --client-secret-env, naming a variable that holds the secret.")
        try:
            agency = agencies.create(
                name=options["name"],
                host=options["host"],
                owner_email=options["owner"],
                panel_host=options["panel_host"],
                packages=[_package(text) for text in options["package"]],
            )
            if options["client_id"]:
                vendor_accounts.connect(agency, client_id=options["client_id"], client_secret=secret)
        except (NotAllowed, ValidationError) as problem:
            raise CommandError("; ".join(getattr(problem, "messages", [str(problem)]))) from None
        self.stdout.write(f"{agency.name} is there. {options['owner']} gets an invitation by mail.")


def _package(text: str) -> agencies.NewPackage:
    """Reads `pac_1:Name[:price[:currency[:trial_days]]]`."""
    parts = text.split(":")
    is_id = parts[0].startswith(PackageId.prefix) and PackageId.is_written(parts[0])
    if len(parts) < 2 or len(parts) > 5 or not is_id or not parts[1]:
        raise CommandError(f"--package {text}: expected pac_1:Name[:price[:currency[:trial_days]]].")
    vendor_package_id, name, price, currency, trial_days = [*parts, "", "", ""][:5]
    try:
        return agencies.NewPackage(
            vendor_package_id=vendor_package_id,
            name=name,
            price=Decimal(price) if price else None,
            currency=(currency or "EUR").upper(),
            trial_days=int(trial_days or 0),
        )
    except (InvalidOperation, ValueError):
        raise CommandError(f"--package {text}: price and trial days must be numbers.") from None
