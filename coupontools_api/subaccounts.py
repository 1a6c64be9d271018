"""The vendor's subaccount endpoints. RPC style: POST, JSON body, credentials in headers."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import Field, SecretStr, field_validator

from coupontools_api.assumed import CREATED_KEY, MAX_LIST_BYTES, RESET_KEY, SUBACCOUNT_LIST_KEYS
from coupontools_api.errors import NotDocumented, UnexpectedReply
from coupontools_api.ids import CampaignId, SubaccountId
from coupontools_api.replies import Payload, Reply
from coupontools_api.transport import Transport


class Page(StrEnum):
    """The pages of the panel that a sign-on can lead to. Source: "Single sign on", parameter `page`."""

    CAMPAIGNS = "campaigns"
    ADD_CAMPAIGN = "add_campaign"
    UPDATE_CAMPAIGN = "update_campaign"
    STATISTICS = "statistics"
    DISTRIBUTION = "distribution"


class AccountStatus(StrEnum):
    """Source: "Create subaccount", parameter `status`."""

    TRIAL = "trial"
    CUSTOMER = "customer"


class ListedSubaccount(Reply):
    """One line of the list. Without the address a look could prove nothing, so it is required here."""

    id: SubaccountId = Field(alias="ID")
    email: str


class CreatedSubaccount(Reply):
    """What a create answers. `email` is None where the vendor does not repeat it."""

    id: SubaccountId = Field(alias="ID")
    email: str | None = None


class CampaignOfSubaccount(Reply):
    """A campaign as "get subaccount" lists it: id, short code, public URL, status; a name where there is one."""

    id: CampaignId = Field(alias="ID")
    name: str = ""
    code: str = ""
    url: str = ""
    status: str = ""


@dataclass(frozen=True)
class KeyPair:
    """A subaccount's own key pair: the most dangerous thing that the vendor tells."""

    key: SecretStr
    secret: SecretStr


class SubaccountDetails(Reply):
    """What the vendor knows of one subaccount. Its own key pair is dropped, unless it was asked for."""

    id: SubaccountId = Field(alias="ID")
    email: str = ""
    company_name: str = ""
    expiry_date: str = ""
    last_login: str = Field(default="", alias="lastlogin")
    campaigns: tuple[CampaignOfSubaccount, ...] = ()
    keys: KeyPair | None = Field(default=None, exclude=True, repr=False)

    @field_validator("campaigns", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """A single campaign may come as an object, none as null or an empty text."""
        if isinstance(value, dict):
            return [value]
        return value or []


class PasswordResetUrl(Reply):
    """A link with which whoever holds it chooses the panel password."""

    id: SubaccountId = Field(alias="ID")
    url: SecretStr
    url_whitelabel: SecretStr | None = None


class SignOn(Reply):
    """A one-time way into the panel."""

    id: SubaccountId = Field(alias="ID")
    token: SecretStr
    url: SecretStr
    url_whitelabel: SecretStr | None = None  # absent, null or "" where there is no white-label host


_Answer = TypeVar("_Answer", SubaccountDetails, PasswordResetUrl, SignOn)


def _keys(item: Payload) -> KeyPair | None:
    key, secret = item.get("api_key"), item.get("api_secret")
    return KeyPair(SecretStr(str(key)), SecretStr(str(secret))) if key and secret else None


def without_none(**arguments: Any) -> Payload:
    return {key: value for key, value in arguments.items() if value is not None}


class Subaccounts:
    """`client.subaccounts`."""

    def __init__(self, transport: Transport, *, list_deadline: float, update_path: str | None) -> None:
        self._transport = transport
        self._list_deadline = list_deadline
        self._update_path = update_path

    def list(self) -> tuple[ListedSubaccount, ...]:
        """All subaccounts of the account, in the vendor's order; no paging is documented.

        Streamed, up to 64 MiB and `list_deadline` seconds. For workers only.
        Raises UnexpectedReply if it cannot be read in whole: a list that is not understood proves no absence.

        Source: POST /v4/subaccount/list, "List subaccounts" (response not published).
        """
        path = "/v4/subaccount/list"
        payload = self._transport.read(path, {}, deadline=self._list_deadline, max_bytes=MAX_LIST_BYTES)
        for key in SUBACCOUNT_LIST_KEYS:
            if isinstance(payload.get(key), list):
                return tuple(ListedSubaccount.of(path, item) for item in payload[key])
        raise UnexpectedReply(path, detail="no list in the reply")

    def get(self, subaccount: SubaccountId, *, with_keys: bool = False) -> SubaccountDetails:
        """What the vendor knows of one subaccount, its campaigns with it; its key pair only `with_keys`.

        Raises NotFound (510), InvalidInput (200, 301), Unauthorized, NotSent, NoAnswer, UnexpectedReply.

        Source: POST /v4/subaccount, "Get subaccount".
        """
        path = "/v4/subaccount"
        payload = self._transport.read(path, {"subaccount": subaccount})
        details = _about(subaccount, SubaccountDetails.of(path, payload.get("subaccount")), path)
        return details.model_copy(update={"keys": _keys(payload["subaccount"])}) if with_keys else details

    def create(
        self,
        *,
        email: str,
        password: str,
        package: str | None = None,
        status: AccountStatus | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        country: str | None = None,
        company_name: str | None = None,
        expiry_date: date | None = None,
    ) -> CreatedSubaccount:
        """Makes a subaccount. `country` is ISO 3166-1 alpha-2; `package` is `pac_…`.

        `password` is required here though not by the vendor: without one the vendor mails the address itself.
        Never retried. Raises EmailTaken (304), InvalidEmail (305), InvalidInput (200, 302, 303), Unauthorized,
        Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: POST /v4/subaccount/create, "Create subaccount" (response not published).
        """
        path = "/v4/subaccount/create"
        arguments = without_none(
            email=email,
            password=password,
            package=package,
            status=status,
            first_name=first_name,
            last_name=last_name,
            country=country,
            company_name=company_name,
            expiry_date=expiry_date.isoformat() if expiry_date else None,
        )
        payload = self._transport.write(path, arguments)
        return CreatedSubaccount.of(path, payload.get(CREATED_KEY))

    def update(self, subaccount: SubaccountId, **changes: str) -> None:
        """Changes a subaccount. The vendor lists this call and publishes neither path nor parameters.

        Raises NotDocumented unless the client was made with a `subaccount_update_path`.

        Source: not documented.
        """
        if self._update_path is None:
            raise NotDocumented("update subaccount")
        self._transport.write(self._update_path, {"subaccount": subaccount, **changes})

    def password_reset_url(self, subaccount: SubaccountId, *, deadline: float | None = None) -> PasswordResetUrl:
        """A link to choose the panel password. Never retried; nothing is mailed.

        Raises NotFound (510), InvalidInput (200), Unauthorized, NotSent, NoAnswer, UnexpectedReply.

        Source: POST /v3/subaccount/reset/url, "Create password reset URL" (response not published).
        """
        path = "/v3/subaccount/reset/url"
        payload = self._transport.write(path, {"subaccount": subaccount}, deadline=deadline)
        return _about(subaccount, PasswordResetUrl.of(path, payload.get(RESET_KEY)), path)

    def sign_on(
        self,
        subaccount: SubaccountId,
        *,
        page: Page | None = None,
        campaign: CampaignId | None = None,
        deadline: float | None = None,
    ) -> SignOn:
        """Mints a sign-on URL. Use it at once: how long it lives is not documented. Never retried.

        `campaign` goes with Page.UPDATE_CAMPAIGN and with nothing else (ValueError, before any call).
        Raises NotFound (510; 502 for the campaign), InvalidInput (200, 301), Unauthorized (1000),
        WrongKindOfKey (102), NotSent, NoAnswer, UnexpectedReply if the answer is about another subaccount.

        Source: POST /v3/subaccount/sso, "Single sign on".
        """
        if (campaign is not None) != (page is Page.UPDATE_CAMPAIGN):
            raise ValueError("a campaign goes with update_campaign")
        path = "/v3/subaccount/sso"
        arguments = without_none(subaccount=subaccount, page=page, campaign=campaign)
        payload = self._transport.write(path, arguments, deadline=deadline)
        return _about(subaccount, SignOn.of(path, payload.get("subaccount")), path)


def _about(subaccount: SubaccountId, reply: _Answer, path: str) -> _Answer:
    """The reply, if it speaks of the subaccount that was asked for."""
    if reply.id != subaccount:
        raise UnexpectedReply(path, detail="about another subaccount")
    return reply
