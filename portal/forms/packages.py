"""What staff may say about a package."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Package
from coupontools_api.ids import PackageId

CURRENCIES = ("EUR", "GBP", "USD", "CHF", "DKK", "NOK", "PLN", "SEK")
MOST_POINTS, LONGEST_POINT = 8, 80
EVERYBODY, BY_HAND = "everybody", "by_hand"
WHO: list[tuple[str, str | Promise]] = [
    (EVERYBODY, gettext_lazy("Everybody, on the sign-up page")),
    (BY_HAND, gettext_lazy("Nobody: staff give it to a customer by hand")),
]
# For every form that lets somebody choose a package: one may be archived between loading and sending.
COUNTRY_ERRORS = {"invalid_choice": gettext_lazy("Please choose a country from the list.")}
CHOICE_ERRORS = {"invalid_choice": gettext_lazy("This package is no longer offered. Please choose another one.")}


class PackageForm(forms.Form):
    """Every field that staff may set, and no other."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    text = forms.CharField(
        label=gettext_lazy("One line"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("For whom it is, in one sentence."),
    )
    points = forms.CharField(
        label=gettext_lazy("What is included"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "One line each, at most eight. What the vendor's package allows: the portal shows it only."
        ),
    )
    is_recommended = forms.BooleanField(
        label=gettext_lazy("Mark as recommended"),
        required=False,
        help_text=gettext_lazy("One package at a time: another one that is marked loses its mark."),
    )
    price = forms.DecimalField(
        label=gettext_lazy("Price a month"),
        required=False,
        min_value=0,
        max_digits=9,
        decimal_places=2,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": gettext_lazy("Please enter an amount, such as 39 or 39.50.")},
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    trial_days = forms.IntegerField(
        label=gettext_lazy("Free days"),
        min_value=0,
        max_value=365,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": gettext_lazy("Please enter whole days; 0 means no free trial.")},
    )
    vendor_package_id = forms.RegexField(
        rf"\A{PackageId.prefix}(?:{PackageId.body})\Z",
        label=gettext_lazy("Vendor package"),
        help_text=gettext_lazy("Found in the vendor's panel under Packages. It starts with pac_."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "invalid": gettext_lazy("This is no vendor package. It is pac_ with a number, such as pac_12."),
        },
    )
    who = forms.ChoiceField(
        label=gettext_lazy("Who can choose it"),
        choices=WHO,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    sends_expiry_date = forms.BooleanField(
        label=gettext_lazy("Send the end of the trial to the vendor as an expiry date"), required=False
    )

    def __init__(self, *args: Any, package: Package | None = None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_values(package) if package else NEW, **kwargs)
        known = [package.currency] if package and package.currency not in CURRENCIES else []
        self.fields["currency"].choices = [(code, code) for code in (*CURRENCIES, *known)]

    def clean_points(self) -> list[str]:
        points = [line.strip() for line in self.cleaned_data["points"].splitlines() if line.strip()]
        if len(points) > MOST_POINTS:
            raise ValidationError(
                _("These are %(count)s lines. Please use %(most)s or fewer.")
                % {"count": len(points), "most": MOST_POINTS}
            )
        for point in points:
            if len(point) > LONGEST_POINT:
                raise ValidationError(
                    _("“%(start)s…” has %(count)s characters. Please use %(most)s or fewer.")
                    % {"start": point[:20], "count": len(point), "most": LONGEST_POINT}
                )
        return points

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("sends_expiry_date") and data.get("trial_days") == 0:
            self.add_error(
                "sends_expiry_date", _("Without free days there is no date to send. Enter days, or switch this off.")
            )
        return data

    @property
    def facts(self) -> dict[str, Any]:
        """What the door takes, once the form is valid."""
        data = dict(self.cleaned_data)
        data["is_visible"] = data.pop("who") == EVERYBODY
        return data


NEW = {"currency": "EUR", "trial_days": 14, "who": EVERYBODY}


def _values(package: Package) -> dict[str, Any]:
    return {
        "name": package.name,
        "text": package.text,
        "points": "\n".join(package.points),
        "is_recommended": package.is_recommended,
        "price": package.price,
        "currency": package.currency,
        "trial_days": package.trial_days,
        "vendor_package_id": package.vendor_package_id,
        "who": EVERYBODY if package.is_visible else BY_HAND,
        "sends_expiry_date": package.sends_expiry_date,
    }
