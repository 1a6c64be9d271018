import getpass
import os
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from accounts.models import Event, User


class Command(BaseCommand):
    help = "Makes an operator: signs in on the platform host, and sets up a second factor there first."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email")
        parser.add_argument("--password-env", default="", help="Environment variable; asked for when not given.")

    def handle(self, *args: Any, email: str, password_env: str, **options: Any) -> None:
        password = os.environ.get(password_env, "") if password_env else getpass.getpass("Password: ")
        person = User(email=email, is_staff=True)
        try:
            password_validation.validate_password(password, person)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None
        person.set_password(password)
        try:
            with transaction.atomic():
                person.save()
                EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
                Event.objects.record("operator.created", agency=None, about=person)
        except IntegrityError:
            raise CommandError(f"{email} is an operator already.") from None
        self.stdout.write(f"{person.email} can sign in on the platform host.")
