"""Password rules: long enough, not the address, not a common one. No rules of composition."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class LongEnough:
    """At least `characters` characters; 64 and more are accepted, up to 1,000."""

    def __init__(self, characters: int) -> None:
        self.characters = characters

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < self.characters:
            raise ValidationError(
                ngettext(
                    "This one has %(length)d character. Please use %(wanted)d or more.",
                    "This one has %(length)d characters. Please use %(wanted)d or more.",
                    len(password),
                ),
                code="password_too_short",
                params={"length": len(password), "wanted": self.characters},
            )
        if len(password) > 1000:
            raise ValidationError(_("Please use 1,000 characters or fewer."), code="password_too_long")

    def get_help_text(self) -> str:
        return _(
            "%(wanted)d characters or more. Three or four words you will remember work well, "
            "like “oven window bicycle”. No special signs needed."
        ) % {"wanted": self.characters}


class NotTheAddress:
    """Not the e-mail address itself, nor the part before the @."""

    def validate(self, password: str, user: Any = None) -> None:
        address = (getattr(user, "email", "") or "").lower()
        if address and password.lower() in (address, address.partition("@")[0]):
            raise ValidationError(
                _("This is your e-mail address. Please choose something nobody can guess."),
                code="password_is_address",
            )

    def get_help_text(self) -> str:
        return ""
