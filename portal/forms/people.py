"""Sign-in, sign-up and the invitation. allauth's forms, told that an address belongs to one agency."""

import uuid
from typing import Any

from allauth.account import forms
from allauth.account.fields import EmailField, PasswordField
from allauth.core import context
from django import forms as django_forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from accounts import customers
from accounts.models import Package, User
from portal import access
from portal.forms.packages import CHOICE_ERRORS, COUNTRY_ERRORS


def login_key_here(email: str) -> str:
    """The login name that an address has at the agency of this request's host."""
    return User(agency=access.agency_of(context.request), email=email).login_key


class LoginForm(forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField(label=_("E-mail address"))
        self.fields["login"].widget.attrs.pop("placeholder", None)
        self.fields["password"].widget.attrs.pop("placeholder", None)
        self.fields["password"].help_text = ""
        self.fields["remember"].label = _("Stay signed in on this device")

    def user_credentials(self) -> dict[str, str]:
        # The address goes along so that a password reset lifts the lock that failed tries leave on it.
        email, password = self.cleaned_data["login"], self.cleaned_data["password"]
        return {"username": login_key_here(email), "email": email, "password": password}


class PackageField(django_forms.ChoiceField):
    """One of the packages that this agency has on offer, by public id."""

    def to_python(self, value: Any) -> str:
        return str(value or "")


class SignupForm(forms.SignupForm):
    package = PackageField(label=_("Package"), error_messages=CHOICE_ERRORS)
    company_name = django_forms.CharField(
        label=_("Name of your shop or company"),
        max_length=120,
        widget=django_forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    first_name = django_forms.CharField(
        label=_("First name"), max_length=60, widget=django_forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = django_forms.CharField(
        label=_("Last name"), max_length=60, widget=django_forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    country = django_forms.ChoiceField(
        label=_("Country"),
        choices=lambda: [("", _("Choose…")), *countries],
        widget=django_forms.Select(attrs={"autocomplete": "country"}),
        error_messages=COUNTRY_ERRORS,
    )
    field_order = ["package", "company_name", "first_name", "last_name", "country", "email", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].choices = [(str(p.public_id), p.name) for p in self.packages]
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].help_text = _("We send your code here. You sign in with it later.")
        self.fields["password1"].label = _("Choose a password")
        self.fields["password1"].help_text = password_validation.password_validators_help_texts()[0]
        for name in ("email", "password1"):
            self.fields[name].widget.attrs.pop("placeholder", None)
        if len(self.packages) == 1:
            self.fields["package"].initial = str(self.packages[0].public_id)

    @cached_property
    def packages(self) -> list[Package]:
        agency = access.agency_of(context.request)
        return access.packages_on_offer(agency) if agency else []

    @property
    def chosen_package(self) -> Package | None:
        """The package that was chosen before this form (in the address) or in it."""
        chosen = self["package"].value()
        return next((package for package in self.packages if str(package.public_id) == str(chosen)), None)

    def clean_package(self) -> Package:
        return next(package for package in self.packages if str(package.public_id) == self.cleaned_data["package"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        agency = access.agency_of(context.request)
        if agency is not None and not customers.has_room(agency):
            # Before the address is looked at: what happens here must not depend on whether it signs in already.
            raise ValidationError(
                _(
                    "We cannot take new customers at the moment. Please write to %(email)s, and we tell you when we"
                    " can."
                ),
                params={"email": agency.support_email},
            )
        return data

    def try_save(self, request: HttpRequest) -> Any:
        """Person, customer and wish in one transaction. A taken address looks like a free one, and mails its owner."""
        if self._is_taken():
            self._rehearse(request)
            self.account_already_exists = True
            return super().try_save(request)
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            if not self._is_taken():
                raise
            self.account_already_exists = True  # somebody was faster
        return super().try_save(request)

    def _is_taken(self) -> bool:
        return bool(User.objects.filter(username=login_key_here(self.cleaned_data["email"])).exists())

    def _rehearse(self, request: HttpRequest) -> None:
        """The work of a sign-up, undone at once: how long the answer takes must not say that the address is taken."""
        email = self.cleaned_data["email"]
        self.cleaned_data["email"] = f"{uuid.uuid4().hex}@taken.invalid"
        try:
            with transaction.atomic():
                person, _response = super().try_save(request)
                # What allauth reads before it mails a code.
                addresses = person.emailaddress_set
                list(addresses.all()), addresses.get_verified(person), list(addresses.filter(email=person.email))
                User.objects.get(pk=person.pk)
                transaction.set_rollback(True)
        finally:
            self.cleaned_data["email"] = email

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        """allauth's hook once the person is saved."""
        super().custom_signup(request, user)
        data = self.cleaned_data
        customers.sign_up(
            agency=access.agency_of(request),
            package=data["package"],
            company_name=data["company_name"],
            first_name=data["first_name"],
            last_name=data["last_name"],
            country=data["country"],
            terms_accepted_at=timezone.now(),
            acting_user=user,
        )


class ResetPasswordForm(forms.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs.pop("placeholder", None)

    def clean_email(self) -> str:
        """By login key, not by address: else what happens here would depend on other agencies."""
        email: str = self.cleaned_data["email"]
        self.users = list(User.objects.filter(username=login_key_here(email), is_active=True))
        return email


class AcceptInvitationForm(django_forms.Form):
    first_name = django_forms.CharField(
        label=_("First name"), max_length=60, widget=django_forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = django_forms.CharField(
        label=_("Last name"), max_length=60, widget=django_forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    password = PasswordField(label=_("Choose a password"), autocomplete="new-password")

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = password_validation.password_validators_help_texts()[0]
        self.fields["password"].widget.attrs.pop("placeholder", None)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, User(email=self.email))
        return password
