"""What is typed before something is erased for ever."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


class ConfirmForm(forms.Form):
    """A word to type, so that nobody erases the wrong one by a slip: an address, a name."""

    confirm = forms.CharField(max_length=320, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, label: str | Promise, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"].label = label
        self.expected = expected

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if _plain(typed) != _plain(self.expected):
            raise ValidationError(_("This is not %s") % self.expected)
        return typed
