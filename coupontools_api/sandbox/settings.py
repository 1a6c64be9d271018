"""The switches: things the vendor's documents leave open."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .replies import Json

CHOICES: dict[str, tuple[Any, ...]] = {
    "email_unique": ("per_account", "per_vendor", "none"),
    "real_status": (True, False),
    "allow_get": (False, True),
    "whitelabel_blank": ("absent", None, ""),
    "id_style": ("prefixed", "bare"),
    "list_key": ("subaccounts", "subaccount"),
}


@dataclass(frozen=True)
class Settings:
    """The defaults are what the documents come closest to saying.

    email_unique      an address exists once per account, once at the vendor, or any number of times
    real_status       errors carry the HTTP status that they name, or always 200
    allow_get         the RPC paths answer GET too
    whitelabel_blank  how url_whitelabel looks without a white-label host: absent, null or ""
    id_style          ids in answers are sub_1234 or 1234
    list_key          the key that holds the rows of "list subaccounts"
    """

    email_unique: str = "per_account"
    real_status: bool = True
    allow_get: bool = False
    whitelabel_blank: str | None = "absent"
    id_style: str = "prefixed"
    list_key: str = "subaccounts"

    def changed(self, changes: Json) -> "Settings":
        """A copy with some switches moved. Raises ValueError for an unknown switch or position."""
        known = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"There is no setting {name!r}; there are {', '.join(sorted(known))}.")
            if not any(value is choice or (value == choice and type(value) is str) for choice in CHOICES[name]):
                raise ValueError(f"{name} is one of {CHOICES[name]}, not {value!r}.")
        return replace(self, **changes)

    def as_json(self) -> Json:
        return asdict(self)
