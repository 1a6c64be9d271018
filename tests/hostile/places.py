"""Every form of the project that takes text or a file: where it is sent, by whom, and with what else.

`FORMS` is checked against the forms themselves: a field that nobody listed fails the suite.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.forms import brand, console, operator, packages, people, personal_data, team, vendor_account
from tests.factories import PASSWORD

CHOOSES = (forms.ChoiceField, forms.TypedChoiceField, forms.MultipleChoiceField)
Fit = Callable[[str], object]


@dataclass(frozen=True)
class Place:
    """One form. `values` are what else it needs; every field in `text` gets the payload, once as it is in all of
    them, and once, where `fits` knows how, in the shape that the field accepts."""

    form: type[forms.BaseForm]
    path: str
    who: str
    text: tuple[str, ...]
    values: dict[str, object] = field(default_factory=dict)
    fits: dict[str, Fit] = field(default_factory=dict)
    method: str = "post"


def printable(payload: str) -> str:
    """What of a payload may stand in quotes before an @."""
    return "".join(letter for letter in payload if "!" <= letter <= "~" and letter not in '"\\')


def as_email(payload: str) -> str:
    """An address that most checks accept: everything may stand between quotes."""
    return f'"{printable(payload)[:60] or "x"}"@shop.example'


def as_url(payload: str) -> str:
    return f"https://a.example/{''.join(payload.split())[:150]}"


def as_picture(payload: str) -> SimpleUploadedFile:
    """A file with a name and a content that mean harm."""
    return SimpleUploadedFile(f"{payload[:200] or 'x'}.png", payload.encode(errors="replace"), content_type="text/html")


PERSON: dict[str, object] = {"first_name": "Bo", "last_name": "Bakker"}
LOOKS: dict[str, object] = {"colour": "#0f5f5c", "grey": "cool", "corner": "8"}
URLS: dict[str, Fit] = {"terms_url": as_url, "privacy_url": as_url}
LATER = (date.today() + timedelta(days=40)).isoformat()

FORMS = [
    Place(
        people.SignupForm,
        "/account/signup/",
        "anonymous",
        ("company_name", "first_name", "last_name", "email", "password1", "package", "country"),
        {"package": "{package}", "country": "NL", "password1": PASSWORD},
        {"email": as_email},
    ),
    Place(people.LoginForm, "/account/login/", "anonymous", ("login", "password")),
    Place(people.ResetPasswordForm, "/account/password/reset/", "anonymous", ("email",), {}, {"email": as_email}),
    Place(
        people.AcceptInvitationForm,
        "{invitation}",
        "anonymous",
        ("first_name", "last_name", "password"),
        {"password": PASSWORD},
        {"password": lambda payload: PASSWORD},
    ),
    Place(team.ProfileForm, "/account/profile/", "member", ("first_name", "last_name"), {"language": "en"}),
    Place(personal_data.ConfirmForm, "/account/data/erase/", "member", ("confirm",)),  # never the address: a refusal
    Place(team.InviteMemberForm, "{bos}people/invite/", "member", ("email",), {"role": "viewer"}, {"email": as_email}),
    Place(
        console.NewCustomerForm,
        "/console/customers/new/",
        "staff",
        ("company_name", "first_name", "last_name", "email"),
        {"country": "NL", "package": "{package}"},
        {"email": as_email},
    ),
    Place(console.NoteForm, "{active}note/", "staff", ("text",)),
    Place(console.PauseForm, "{pausing}pause/", "staff", ("message",)),
    Place(console.DeclineForm, "{waiting}decline/", "staff", ("message",)),
    Place(
        console.CloseForm,
        "{closing}close/",
        "staff",
        ("message", "confirm"),
        {},
        {"confirm": lambda payload: "Closing"},
    ),
    Place(console.ExtendForm, "{active}extend/", "staff", ("reason",), {"last_day": LATER}),
    Place(console.AddressForm, "{invited}address/", "staff", ("email",), {}, {"email": as_email}),
    Place(
        console.LinkForm,
        "{review}link/",
        "staff",
        ("vendor_id", "reason"),
        {},
        {"vendor_id": lambda payload: "sub_777"},
    ),
    Place(console.StaffLaunchForm, "{active}launch/", "staff", ("reason",), {"page": "campaigns"}),
    Place(
        packages.PackageForm,
        "/console/packages/new/",
        "staff",
        ("name", "text", "points", "vendor_package_id"),
        {"currency": "EUR", "trial_days": "14", "who": packages.EVERYBODY},
        {"vendor_package_id": lambda payload: "pac_1"},
    ),
    Place(
        brand.BrandForm,
        "/console/brand/",
        "staff",
        (
            *("name", "product_name", "tagline", "support_email", "support_phone", "support_hours"),
            *("terms_url", "privacy_url", "sender_name", "colour", "logo", "outage_message"),
        ),
        LOOKS | {"language": "en"},
        URLS | {"support_email": as_email, "colour": lambda payload: "#0f5f5c", "logo": lambda payload: ""},
    ),
    Place(brand.LooksForm, "/console/brand/preview.css", "staff", ("colour",), LOOKS, {}, "get"),
    Place(vendor_account.PairForm, "/console/connection/pair/", "staff", ("client_id", "client_secret")),
    Place(
        vendor_account.PanelHostForm,
        "/console/connection/panel-host/",
        "staff",
        ("host",),
        {},
        {"host": lambda payload: "panel.a.example"},
    ),
    Place(
        team.InviteStaffForm, "/console/staff/invite/", "staff", ("email",), {"role": "support"}, {"email": as_email}
    ),
    Place(team.TeammateForm, "{colleague}teammate/", "staff", ("teammate_id",)),
    Place(team.ReasonForm, "{missing}make-new/", "staff", ("reason",)),
    Place(console.FilterForm, "/console/customers/", "staff", ("q",), {}, {}, "get"),
    Place(
        operator.NewAgencyForm,
        "/operator/agencies/new/",
        "operator",
        ("name", "product_name", "host", "owner_email"),
        {},
        {"host": lambda payload: "another.example", "owner_email": as_email},
    ),
    Place(operator.HostForm, "{agency}hosts/", "operator", ("name",), {}, {"name": lambda payload: "second.example"}),
    Place(operator.ViewAsForm, "{agency}view-as/", "operator", ("reason",), {"person": "{ada}"}),
    Place(operator.EventSearchForm, "/operator/events/", "operator", ("customer", "actor"), {}, {}, "get"),
]


def text_fields(form: type[forms.BaseForm]) -> set[str]:
    """The fields of a form that take text or a file."""
    fields: dict[str, Any] = form.base_fields
    return {
        name
        for name, found in fields.items()
        if isinstance(found, forms.CharField | forms.FileField) and not isinstance(found, CHOOSES)
    }
