"""What an agency may say about its brand."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import logos
from accounts.brands import ABOUT
from accounts.logos import LogoRefused
from accounts.models import Agency

GREYS = [("cool", _("Cool")), ("plain", _("Plain")), ("warm", _("Warm"))]
CORNERS = [(4, _("Square")), (8, _("Soft")), (12, _("Round"))]
LOGO_PROBLEMS: dict[str, str | Promise] = {
    "svg": _("This is an SVG, which can hold scripts. Please export it as PNG, about 512 pixels wide."),
    "too_large": _("This file is larger than 2 MB. Please make it smaller."),
    "too_many_pixels": _("This picture has more than 16 million pixels. A logo needs about 512 by 256."),
    "unreadable": _("We cannot read this picture. Please use a PNG, JPEG, WebP or GIF."),
}


def _web_address(label: str | Promise) -> forms.URLField:
    field = forms.URLField(
        label=label,
        required=False,
        max_length=200,
        assume_scheme="https",
        error_messages={"invalid": _("Please enter a whole web address, such as https://agency.example/terms.")},
    )
    field.validators = [URLValidator(schemes=["https", "http"]), *field.validators[1:]]
    return field


class LooksForm(forms.Form):
    """The three choices that a style sheet is made of."""

    colour = forms.RegexField(
        r"\A#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z",
        label=_("Your colour"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": _("This is no colour. It is # with six digits or letters a to f: #0f5f5c.")},
    )
    grey = forms.ChoiceField(
        label=_("Greys"), choices=GREYS, widget=forms.RadioSelect(attrs={"class": "form-selectgroup-input"})
    )
    corner = forms.TypedChoiceField(
        label=_("Corners"),
        choices=CORNERS,
        coerce=int,
        widget=forms.RadioSelect(attrs={"class": "form-selectgroup-input"}),
    )

    def clean_colour(self) -> str:
        digits = self.cleaned_data["colour"].lstrip("#").lower()
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


class BrandForm(LooksForm):
    """Every field that managers may set, and no other."""

    name = forms.CharField(
        label=_("Name of your agency"), max_length=120, help_text=_("In mails and where customers read who helps them.")
    )
    product_name = forms.CharField(
        label=_("Product name"), max_length=120, help_text=_("In titles, mails and on the sign-in page.")
    )
    tagline = forms.CharField(
        label=_("One sentence on the sign-in page"),
        max_length=120,
        required=False,
        help_text=_("Up to 120 characters."),
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        max_length=255,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
        help_text=_("PNG, JPEG, WebP or GIF, up to 2 MB. Shown 30 pixels high."),
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    support_email = forms.EmailField(
        label=_("E-mail address"), help_text=_("Answers to our mails and messages for your staff go here.")
    )
    support_phone = forms.CharField(
        label=_("Telephone"), max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    support_hours = forms.CharField(
        label=_("When somebody answers"),
        max_length=80,
        required=False,
        help_text=_("Such as: Monday to Friday, 9:00 to 17:00."),
    )
    outage_message = forms.CharField(
        label=_("When the editor does not answer"),
        max_length=300,
        required=False,
        help_text=_("One calm sentence that your customers read then. Empty: ours."),
    )
    terms_url = _web_address(_("Your terms"))
    privacy_url = _web_address(_("Your privacy statement"))
    sender_name = forms.CharField(
        label=_("Sender of mails"), max_length=120, required=False, help_text=_("Empty: the name of your agency.")
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("For people who have not chosen one themselves.")
    )

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        brand = agency.brand
        values = {name: getattr(agency, name) for name in ABOUT}
        initial = values | {"colour": brand.colour, "grey": brand.grey, "corner": brand.corner}
        super().__init__(*args, initial=initial, **kwargs)
        if not brand.logo:
            del self.fields["remove_logo"]

    def clean_logo(self) -> bytes | None:
        upload = self.cleaned_data["logo"]
        if upload is None:
            return None
        if upload.size > logos.MAX_BYTES:
            raise ValidationError(LOGO_PROBLEMS["too_large"])
        try:
            return logos.encoded(upload.read())
        except LogoRefused as refused:
            raise ValidationError(LOGO_PROBLEMS[refused.reason]) from None

    @property
    def facts(self) -> dict[str, Any]:
        """What the door takes, once the form is valid. A new picture wins over "remove"."""
        data = dict(self.cleaned_data)
        if data.pop("remove_logo", False) and data["logo"] is None:
            data["logo"] = b""
        return data
