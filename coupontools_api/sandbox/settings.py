"""The switches: things the vendor's documents leave open."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .replies import Json

CHOICES: dict[str, tuple[Any, ...]] = {
    "email_unique": ("per_account", "per_vendor", "none"),
    "real_status": (True, False),
    "error_envelope": ("documented", "E-VALID", "E-TOP"),
    "login_envelope": ("E-AUTH", "E-VALID", "E-TOP"),
    "rpc_credentials": ("both", "body"),
    "allow_get": (False, True),
    "versions": ("v3 and v4", "v3", "v4"),
    "inferred_paths": (True, False),
    "whitelabel_blank": ("absent", None, ""),
    "id_style": ("prefixed", "bare"),
    "list_key": ("subaccounts", "subaccount"),
    "list_envelope": ("status", "bare"),
    "details": ("documented", "brief"),
    "saved_address": (True, False),
    "other_lists": ("singular", "plural"),
    "sign_on_page": (True, False),
    "token_uses": (1, 2),
    "token_in_url": (True, False),
    "first_page": (1, 0),
    "results_counted": ("total", "page"),
    "filter_time": ("both", "dash", "colon"),
    "date_filters": ("obeyed", "ignored", "nothing"),
    "rest_headers": ("both", "x-api", "x-client"),
    "rest_errors": ("bare", "status"),
    "webhook_signature": ("none", "x-hmac"),
}
SIZES = ("page_size", "directory_page_size", "world_days")
OPTIONAL_SIZES = ("subaccount_page_size",)
WORLD = "world_seed"


@dataclass(frozen=True)
class Settings:
    """The defaults are what the documents come closest to saying.

    email_unique         an address exists once per account, once at the vendor, or any number of times
    real_status          errors of the RPC dialect carry the HTTP status that they name, or always 200
    error_envelope       errors as each page shows them, or all with `errors` inside or beside `status`
    login_envelope       the envelope of wrong credentials, and with it their HTTP status
    rpc_credentials      the RPC dialect takes credentials in headers or body, or in the body only
    allow_get            the RPC paths answer GET too
    versions             the host answers on /v3 and /v4, or on one of them
    inferred_paths       paths that no document names answer, or are not found
    whitelabel_blank     how url_whitelabel looks without a white-label host: absent, null or ""
    id_style             ids in answers are sub_1234 or 1234
    list_key             the key that holds the rows of "list subaccounts"
    list_envelope        "list subaccounts" answers with `status`, or a bare array
    details              "get subaccount" answers all its fields, or only ID, email and campaigns
    saved_address        create and update answer the address beside the id, or the id alone
    other_lists          rows of lists without a published answer stand under `directory` or `directories`
    sign_on_page         sign-on takes `page` and `campaign`, or refuses them
    token_uses           how many times a sign-on URL works
    token_in_url         the token that a sign-on answers is the one in its URL, or another
    first_page           the number of the first page
    results_counted      amount_of_results counts all pages, or the page that is sent
    filter_time          how a time is written in start_date and end_date: hh-mm, hh:mm, or either
    date_filters         start_date and end_date narrow a list, are passed over, or leave nothing of it
    rest_headers         v4 REST takes X-Api-*, X-Client-*, or both
    rest_errors          errors of v4 REST are a bare object, or come in the RPC dialect's envelope
    webhook_signature    deliveries carry an X-Hmac header, or nothing
    subaccount_page_size subaccounts on a page of their list; None: the list is whole
    page_size            sessions on a page of usage data
    directory_page_size  users on a page of a directory
    world_seed           what campaigns, cards and directories are made up from; None: there are none
    world_days           how far back their past goes
    """

    email_unique: str = "per_account"
    real_status: bool = True
    error_envelope: str = "documented"
    login_envelope: str = "E-AUTH"
    rpc_credentials: str = "both"
    allow_get: bool = False
    versions: str = "v3 and v4"
    inferred_paths: bool = True
    whitelabel_blank: str | None = "absent"
    id_style: str = "prefixed"
    list_key: str = "subaccounts"
    list_envelope: str = "status"
    details: str = "documented"
    saved_address: bool = True
    other_lists: str = "singular"
    sign_on_page: bool = True
    token_uses: int = 1
    token_in_url: bool = True
    first_page: int = 1
    results_counted: str = "total"
    filter_time: str = "both"
    date_filters: str = "obeyed"
    rest_headers: str = "both"
    rest_errors: str = "bare"
    webhook_signature: str = "none"
    subaccount_page_size: int | None = None
    page_size: int = 5000
    directory_page_size: int = 100
    world_seed: int | None = None
    world_days: int = 180

    def changed(self, changes: Json) -> "Settings":
        """A copy with some switches moved. Raises ValueError for an unknown switch or position."""
        known = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"There is no setting {name!r}; there are {', '.join(sorted(known))}.")
            _check(name, value)
        return replace(self, **changes)

    def as_json(self) -> Json:
        return asdict(self)


def _check(name: str, value: object) -> None:
    number = isinstance(value, int) and not isinstance(value, bool)
    if name in OPTIONAL_SIZES and value is None:
        return
    if name in SIZES + OPTIONAL_SIZES:
        if not (number and isinstance(value, int) and value >= 1):
            raise ValueError(f"{name} is one of the whole numbers from 1, not {value!r}.")
    elif name == WORLD:
        if not (number or value is None):
            raise ValueError(f"{name} is one of the whole numbers or null, not {value!r}.")
    elif not any(value == choice and type(value) is type(choice) for choice in CHOICES[name]):
        raise ValueError(f"{name} is one of {CHOICES[name]}, not {value!r}.")
