"""What staff type in the console about customers."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from accounts.customer_list import Filters, Launch, Step, Trial
from accounts.models import Customer, Package
from accounts.panel import PAGES, UPDATE_CAMPAIGN
from coupontools_api.ids import SubaccountId
from portal.forms.lines import LinesField
from portal.forms.packages import CHOICE_ERRORS, COUNTRY_ERRORS

STATE_CHOICES = [
    ("", gettext_lazy("Any")),
    ("active", gettext_lazy("Active")),
    ("awaiting_email", gettext_lazy("Waiting for e-mail")),
    ("awaiting_approval", gettext_lazy("Waiting to be let in")),
    ("being_made", gettext_lazy("Being set up")),
    ("requested", gettext_lazy("Queued")),
    ("creating", gettext_lazy("Being made")),
    ("uncertain", gettext_lazy("Being checked")),
    ("needs_review", gettext_lazy("Needs a person")),
    ("missing", gettext_lazy("Missing")),
    ("paused", gettext_lazy("Paused")),
    ("closed", gettext_lazy("Closed")),
]
STATE_WORDS = dict(STATE_CHOICES)
TRIAL_CHOICES = [
    ("", gettext_lazy("Any")),
    (Trial.WEEK, gettext_lazy("Within 7 days")),
    (Trial.TWO_WEEKS, gettext_lazy("Within 14 days")),
    (Trial.MONTH, gettext_lazy("Within 30 days")),
    (Trial.RUNNING, gettext_lazy("Still running")),
    (Trial.OVER, gettext_lazy("Already over")),
]
LAUNCH_CHOICES = [
    ("", gettext_lazy("Any")),
    (Launch.WEEK, gettext_lazy("In the last 7 days")),
    (Launch.MONTH, gettext_lazy("In the last 30 days")),
    (Launch.LONG_AGO, gettext_lazy("Longer than 30 days ago")),
    (Launch.NEVER, gettext_lazy("Never")),
]
STEP_CHOICES = [
    ("", gettext_lazy("Anywhere")),
    (Step.NO_SIGN_IN, gettext_lazy("Never signed in")),
    (Step.NO_LAUNCH, gettext_lazy("Never opened the editor")),
    (Step.NO_CAMPAIGN, gettext_lazy("No coupon yet")),
]


class FilterForm(forms.Form):
    """The filters of the list, as they stand in the address. What makes no sense narrows nothing."""

    q = forms.CharField(required=False, max_length=120, strip=True)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, choices=STATE_CHOICES)
    package = forms.ChoiceField(label=gettext_lazy("Package"), required=False)
    trial = forms.ChoiceField(label=gettext_lazy("Trial ends"), required=False, choices=TRIAL_CHOICES)
    expiry = forms.ChoiceField(label=gettext_lazy("Ends at the vendor"), required=False, choices=TRIAL_CHOICES)
    launch = forms.ChoiceField(label=gettext_lazy("Last launch"), required=False, choices=LAUNCH_CHOICES)
    step = forms.ChoiceField(label=gettext_lazy("Got stuck"), required=False, choices=STEP_CHOICES)
    attention = forms.BooleanField(label=gettext_lazy("Needs attention"), required=False)

    def __init__(self, *args: Any, packages: list[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].choices = [
            ("", _("Any")),
            *((str(package.public_id), package.name) for package in packages),
        ]
        self.packages = {str(package.public_id): package.public_id for package in packages}

    @property
    def filters(self) -> Filters:
        """What was understood."""
        self.is_valid()
        data = self.cleaned_data
        return Filters(
            q=data.get("q", ""),
            state=data.get("state", ""),
            package=self.packages.get(data.get("package", "")),
            trial=Trial(data["trial"]) if data.get("trial") else None,
            expiry=Trial(data["expiry"]) if data.get("expiry") else None,
            launch=Launch(data["launch"]) if data.get("launch") else None,
            step=Step(data["step"]) if data.get("step") else None,
            attention=bool(data.get("attention")),
        )


class NewCustomerForm(forms.Form):
    """A customer made by hand; an invitation goes to the address."""

    company_name = forms.CharField(label=gettext_lazy("Name of the shop or company"), max_length=120)
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=60)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=60)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("An invitation goes there. The account is made once it is accepted."),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        choices=lambda: [("", _("Choose…")), *countries],
        error_messages=COUNTRY_ERRORS,
    )
    package = forms.ChoiceField(label=gettext_lazy("Package"), error_messages=CHOICE_ERRORS)

    def __init__(self, *args: Any, packages: list[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.packages = {str(package.public_id): package for package in packages}
        self.fields["package"].choices = [("", _("Choose…")), *((key, p.name) for key, p in self.packages.items())]

    def clean_package(self) -> Package:
        return self.packages[self.cleaned_data["package"]]


class NoteForm(forms.Form):
    """A note, for staff only."""

    REFUSED = gettext_lazy("A note has one to a thousand characters. Nothing was saved.")
    text = LinesField(
        label=gettext_lazy("Add a note"),
        max_length=1000,
        error_messages={"required": REFUSED, "max_length": REFUSED},
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Only staff can read it."),
    )


class _MessageForm(forms.Form):
    message = LinesField(
        label=gettext_lazy("What the customer reads"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One or two sentences, shown on their page and in a mail."),
    )


class PauseForm(_MessageForm):
    """Pausing, with a sentence to the customer."""


class DeclineForm(_MessageForm):
    """Declining a sign-up, with a sentence to the customer."""


class CloseForm(_MessageForm):
    """Closing a customer, with a sentence to them and their name typed once."""

    confirm = forms.CharField(
        label=gettext_lazy("Type the name of the customer"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    field_order = ["message", "confirm"]

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if " ".join(typed.split()).casefold() != " ".join(self.customer.company_name.split()).casefold():
            raise ValidationError(_("This is not the name of this customer: %s") % self.customer.company_name)
        return typed


class ExtendForm(forms.Form):
    """A later last day of the trial, with the reason."""

    last_day = forms.DateField(
        label=gettext_lazy("Last day of the trial"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = LinesField(
        label=gettext_lazy("Why?"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the timeline with your name."),
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer

    def clean_last_day(self) -> Any:
        last_day = self.cleaned_data["last_day"]
        today = timezone.localdate()
        was = self.customer.trial_ends_on
        if was and last_day < was:
            raise ValidationError(_("Please choose a day after the present last day."))
        if last_day < today:
            raise ValidationError(_("This day is over."))
        if last_day > today + timedelta(days=730):
            raise ValidationError(_("Please choose a day within two years."))
        return last_day


class PackageChoiceForm(forms.Form):
    """Another package."""

    package = forms.ChoiceField(label=gettext_lazy("Package"), error_messages=CHOICE_ERRORS)

    def __init__(self, *args: Any, packages: list[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.packages = {str(package.public_id): package for package in packages}
        self.fields["package"].choices = [(key, package.name) for key, package in self.packages.items()]

    def clean_package(self) -> Package:
        return self.packages[self.cleaned_data["package"]]


class AddressForm(forms.Form):
    """Another e-mail address for an account that could not be made."""

    email = forms.EmailField(
        label=gettext_lazy("New e-mail address"),
        help_text=gettext_lazy("It has to be confirmed first: an invitation goes there."),
    )


class LinkForm(forms.Form):
    """Which vendor account to link, typed, and how the person knows."""

    vendor_id = forms.CharField(
        label=gettext_lazy("Type the number to confirm"),
        max_length=24,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "sub_…"}),
    )
    reason = LinesField(
        label=gettext_lazy("How do you know that it is theirs?"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the timeline with your name."),
    )

    def clean_vendor_id(self) -> str:
        try:
            return SubaccountId(self.cleaned_data["vendor_id"].strip())
        except ValueError:
            raise ValidationError(_("This is not a number of a vendor account. It looks like sub_12345.")) from None


PAGE_LABELS = {
    "": gettext_lazy("Where it was left"),
    "campaigns": gettext_lazy("Coupons"),
    "add_campaign": gettext_lazy("New coupon"),
    "statistics": gettext_lazy("Results"),
    "distribution": gettext_lazy("Share"),
}


class StaffLaunchForm(forms.Form):
    """Why staff open a customer's panel, and where."""

    reason = LinesField(
        label=gettext_lazy("Why do you need to?"),
        min_length=10,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Write it as the customer may read it: “You asked us on the phone to fix the end date.”"
        ),
    )
    page = forms.ChoiceField(
        label=gettext_lazy("Open at"),
        required=False,
        choices=[(page, PAGE_LABELS[page]) for page in ("", *PAGES) if page != UPDATE_CAMPAIGN],
    )


class _PickField(forms.MultipleChoiceField):
    def valid_value(self, value: str) -> bool:
        """Who waits no longer is no error: the form counts them."""
        return True


class PickForm(forms.Form):
    """Several customers picked from a list of those that wait. `moved_on`: how many of them wait no longer."""

    customer = _PickField(required=True, error_messages={"required": gettext_lazy("Please pick some.")})

    def __init__(self, *args: Any, waiting: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = waiting
        self.moved_on = 0

    def clean_customer(self) -> list[Any]:
        keys = dict.fromkeys(self.cleaned_data["customer"])
        picked = [self.waiting[key] for key in keys if key in self.waiting]
        self.moved_on = len(keys) - len(picked)
        return picked
