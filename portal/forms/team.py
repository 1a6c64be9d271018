"""What may be said about people: invitations, changes of staff and members, the profile."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from coupontools_api.ids import TeammateId
from portal.forms.lines import LinesField
from portal.wording_people import MEMBER_ROLES, STAFF_ROLES

RADIO = {"class": "form-check-input"}


class _InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("They get a mail with a link that works for 7 days."),
    )
    role = forms.ChoiceField(
        widget=forms.RadioSelect(attrs=RADIO),
        error_messages={"invalid_choice": _("Please choose one of these roles.")},
    )


class InviteStaffForm(_InviteForm):
    """An address, and one of the roles that the inviting person may give."""

    def __init__(self, *args: Any, roles: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].label = _("Role")
        self.fields["role"].choices = [(role, STAFF_ROLES[role][0]) for role in roles]
        self.fields["role"].initial = "support"


class InviteMemberForm(_InviteForm):
    """An address, and one of the roles that the inviting person may give."""

    def __init__(self, *args: Any, roles: Iterable[str] = MEMBER_ROLES, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].label = _("What may they do?")
        self.fields["role"].choices = [(role, word) for role, (word, _line) in MEMBER_ROLES.items() if role in roles]
        self.fields["role"].initial = "editor"


class ChangeForm(forms.Form):
    """One change of one person: `do` says which, `role` belongs to `role`."""

    do = forms.ChoiceField(widget=forms.HiddenInput)
    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        widget=forms.RadioSelect(attrs=RADIO),
        error_messages={"invalid_choice": _("Please choose one of these roles.")},
    )

    def __init__(self, *args: Any, doings: Iterable[str], roles: Iterable[str], of_staff: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = STAFF_ROLES if of_staff else MEMBER_ROLES
        self.fields["do"].choices = [(doing, doing) for doing in doings]
        self.fields["role"].choices = [(role, words[role][0]) for role in roles]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("do") == "role" and not data.get("role") and "role" not in self.errors:
            self.add_error("role", ValidationError(_("Please choose one of these roles.")))
        return data


class ReasonForm(forms.Form):
    reason = LinesField(
        label=_("Why?"),
        min_length=5,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept with the event, for those who read it later."),
        error_messages={"min_length": _("Please say it in a few more words.")},
    )


class TeammateForm(forms.Form):
    teammate_id = forms.CharField(
        label=_("Teammate number"),
        max_length=24,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Digits only, as the vendor's panel shows it. Empty: none."),
    )

    def clean_teammate_id(self) -> str:
        given: str = self.cleaned_data["teammate_id"].strip()
        try:
            return str(TeammateId(given)) if given else ""
        except ValueError:
            raise ValidationError(_("This is not a teammate number: it has digits only.")) from None


class ProfileForm(forms.Form):
    """Name and language. Bound to nothing: only these three ever reach the row."""

    first_name = forms.CharField(
        label=_("First name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        names = ("first_name", "last_name", "language")
        super().__init__(*args, initial={name: getattr(person, name) for name in names}, **kwargs)
        self.fields["language"].choices = [("", _("The language of this site")), *settings.LANGUAGES]
