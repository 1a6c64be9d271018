"""What operators may say."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Agency, Host, User
from portal import access_operator
from portal.forms.team import ReasonForm
from portal.wording_events import SENTENCES
from portal.wording_people import role_word


class NewAgencyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    product_name = forms.CharField(
        label=_("Name of the product"),
        max_length=120,
        required=False,
        help_text=_("What its customers call the portal. Empty: the name."),
    )
    host = forms.CharField(
        label=_("Host"),
        max_length=253,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Its main host name, without port. It must already lead to this installation."),
    )
    owner_email = forms.EmailField(
        label=_("E-mail address of its owner"),
        max_length=254,
        help_text=_("They get an invitation that works for 7 days."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def clean_host(self) -> str:
        return clean_host_name(self.cleaned_data["host"])


def clean_host_name(given: str) -> str:
    """A host name as it is stored. Raises ValidationError with a sentence that says how to mend it."""
    name = given.strip().lower().rstrip(".")
    try:
        Host._meta.get_field("name").run_validators(name)
    except ValidationError:
        raise ValidationError(_("This is not a host name: letters, digits, dots and hyphens, without port.")) from None
    if name == settings.PLATFORM_HOST or Host.objects.filter(name=name).exists():
        raise ValidationError(_("This host is already in use."))
    return name


class HostForm(forms.Form):
    name = forms.CharField(
        label=_("Another host"),
        max_length=253,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Without port. It must already lead to this installation; it redirects to the main host."),
    )

    def clean_name(self) -> str:
        return clean_host_name(self.cleaned_data["name"])


class LimitsForm(forms.Form):
    customer_limit = forms.IntegerField(
        label=_("Customers"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        help_text=_("How many open customers it may have. Empty: any number."),
    )
    daily_creates = forms.IntegerField(
        label=_("New accounts a day"),
        required=False,
        min_value=0,
        max_value=100_000,
        help_text=_("Empty: what counts for the whole installation."),
    )


class ViewAsForm(ReasonForm):
    """As whom, and why."""

    person = forms.ChoiceField(
        label=_("As whom?"),
        error_messages={"invalid_choice": _("This person does not work here any more. Please choose another one.")},
    )
    field_order = ["person", "reason"]

    def __init__(self, *args: Any, staff: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.staff = {str(person.pk): person for person in staff}
        self.fields["person"].choices = [
            (key, f"{person.get_full_name() or person.email}, {role_word(person.staff_role)}")
            for key, person in self.staff.items()
        ]

    def clean_person(self) -> User:
        return self.staff[self.cleaned_data["person"]]


class EventSearchForm(forms.Form):
    """Filters of the event search; all of them stand in the address."""

    agency = forms.ChoiceField(label=_("Agency"), required=False)
    kind = forms.ChoiceField(label=_("What"), required=False)
    customer = forms.CharField(label=_("Customer"), required=False, max_length=40, help_text=_("Its id."))
    actor = forms.CharField(label=_("Who"), required=False, max_length=254, help_text=_("An address, or an id."))
    first_day = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last_day = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agencies = {str(agency.pk): agency for agency in access_operator.agencies_by_name()}
        self.fields["agency"].choices = [("", _("All")), *((key, found.name) for key, found in self.agencies.items())]
        kinds = sorted(SENTENCES.items(), key=lambda line: str(line[1]))
        self.fields["kind"].choices = [("", _("All")), *kinds]
        for name in ("first_day", "last_day"):
            self.fields[name].input_formats = ["%Y-%m-%d"]

    def clean_agency(self) -> Agency | None:
        return self.agencies.get(self.cleaned_data["agency"])
