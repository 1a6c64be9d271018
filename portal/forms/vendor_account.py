"""What owners may say about the vendor account."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

HOST = r"\A(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[0-9]{1,5})?\Z"
PRINTABLE = RegexValidator(r"\A[\x21-\x7e]+\Z", _("This has a space or another character that no key has in it."))


class PairForm(forms.Form):
    """A client id with its secret. The secret is never shown again, not even in a refused form."""

    client_id = forms.CharField(
        label=_("Client id"),
        max_length=200,
        validators=[PRINTABLE],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label=_("Secret"),
        max_length=500,
        validators=[PRINTABLE],
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Sealed when saved. Nobody can read it again, you neither."),
    )


class PanelHostForm(forms.Form):
    """The white-label host of the vendor's panel; empty takes it back."""

    host = forms.CharField(
        label=_("Your panel host"),
        max_length=260,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
        help_text=_("Such as login.agency.example. Empty: launches go to the vendor's own address."),
    )

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].lower().removeprefix("https://").rstrip("/").rstrip(".")
        if host:
            RegexValidator(HOST, _("This is no host name. It has no path: login.agency.example."))(host)
        return host


class SwitchesForm(forms.Form):
    """Two things that the portal does or leaves."""

    offers_pages = forms.BooleanField(
        label=_("Customers can open single pages"),
        required=False,
        help_text=_(
            "Campaigns, new campaign, statistics and so on. Off, if the vendor refuses pages: then they get one button."
        ),
    )
    reads_statistics = forms.BooleanField(
        label=_("Read results of coupons"),
        required=False,
        help_text=_(
            "The vendor tells results only to a customer's own pair of keys. On, the portal keeps those pairs, sealed; "
            "off, it drops them unread."
        ),
    )
