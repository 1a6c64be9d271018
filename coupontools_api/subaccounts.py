"""The vendor's subaccount endpoints."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, overload

from pydantic import Field, SecretStr

from coupontools_api import listing
from coupontools_api.assumed import CREATED_KEY, RESET_KEY
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.fields import Day, Flag, Moment, NeededSecret, Number, Secret, Text, several, written_day
from coupontools_api.ids import CampaignId, PackageId, SubaccountId
from coupontools_api.listing import ListedSubaccount as ListedSubaccount
from coupontools_api.listing import SubaccountList as SubaccountList
from coupontools_api.replies import Payload, Reply, check_about, check_within
from coupontools_api.transport import Transport

LIST = Endpoint(
    "subaccounts.list",
    "POST",
    "/v4/subaccount/list",
    Dialect.V4_RPC,
    "List subaccounts",
    is_long=True,
    codes=(102,),
)
GET = Endpoint(
    "subaccounts.get", "POST", "/v4/subaccount", Dialect.V4_RPC, "Get subaccount", codes=(102, 200, 301, 510)
)
CREATE = Endpoint(
    "subaccounts.create",
    "POST",
    "/v4/subaccount/create",
    Dialect.V4_RPC,
    "Create subaccount",
    changes=True,
    codes=(102, 200, 302, 303, 304, 305),
)
UPDATE = Endpoint(
    "subaccounts.update",
    "POST",
    "/v4/subaccount/update",
    Dialect.V4_RPC,
    "Update a subaccount",
    Evidence.INFERRED,
    changes=True,
    codes=(102, 200, 301, 302, 303, 304, 305, 510),
)
RESET = Endpoint(
    "subaccounts.password_reset_url",
    "POST",
    "/v3/subaccount/reset/url",
    Dialect.V3_RPC,
    "Create password reset URL",
    changes=True,
    codes=(102, 200, 301, 510),
)
SIGN_ON = Endpoint(
    "subaccounts.sign_on",
    "POST",
    "/v3/subaccount/sso",
    Dialect.V3_RPC,
    "Single sign on",
    changes=True,
    codes=(102, 200, 301, 302, 502, 510),
)


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


class CreatedSubaccount(Reply):
    """What a create answers. `email` is "" where the vendor does not repeat it."""

    id: SubaccountId = Field(alias="ID")
    email: Text = ""


class CampaignOfSubaccount(Reply):
    """A campaign as "get subaccount" lists it: id, short code, public URL, status; a name where there is one."""

    id: CampaignId = Field(alias="ID")
    name: Text = ""
    code: Text = ""
    url: Text = ""
    status: Text = ""


@dataclass(frozen=True)
class KeyPair:
    """A subaccount's own key pair: the most dangerous thing that the vendor tells."""

    key: SecretStr
    secret: SecretStr


class SubaccountDetails(Reply):
    """What the vendor knows of one subaccount. Its own key pair is dropped, unless it was asked for."""

    id: SubaccountId = Field(alias="ID")
    email: Text = ""
    username: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    company_name: Text = ""
    language: Text = ""
    currency: Text = ""
    expiry_date: Day = None
    last_login: Moment = Field(default=None, alias="lastlogin")
    logins: Number = Field(default=None, alias="amountlogin")
    max_campaigns: Number = None
    available_campaigns: Text = ""
    webhook_endpoint: Text = ""
    access_dashboard: Flag = None
    access_directory: Flag = None
    campaigns: Annotated[tuple[CampaignOfSubaccount, ...], several] = ()
    key_pair: KeyPair | None = Field(default=None, validation_alias="\x00key_pair", exclude=True, repr=False)


class PasswordResetUrl(Reply):
    """A link with which whoever holds it chooses the panel password."""

    id: SubaccountId = Field(alias="ID")
    url: NeededSecret
    url_whitelabel: Secret = None


class SignOn(Reply):
    """A one-time way into the panel."""

    id: SubaccountId = Field(alias="ID")
    token: NeededSecret
    url: NeededSecret
    url_whitelabel: Secret = None  # absent, null or "" where there is no white-label host


def _key_pair(item: Payload) -> KeyPair | None:
    key, secret = item.get("api_key"), item.get("api_secret")
    return KeyPair(SecretStr(str(key)), SecretStr(str(secret))) if key and secret else None


class Subaccounts:
    """`client.subaccounts`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @overload
    def list(self, *, brief: Literal[False] = False) -> SubaccountList: ...

    @overload
    def list(self, *, brief: Literal[True]) -> tuple[ListedSubaccount, ...]: ...

    def list(self, *, brief: bool = False) -> SubaccountList | tuple[ListedSubaccount, ...]:
        """All subaccounts of the account, in the vendor's order; no paging is documented.

        A line is read in full when it is asked for; `brief` reads no more than ids and addresses, in a fraction of
        the time and memory, and takes no line without an address.
        Streamed, up to 64 MiB and `list_deadline` seconds. For workers only.
        Raises UnexpectedReply if it cannot be read in whole: a list that is not understood proves no absence;
        Unauthorized (1000), AccountExpired (101), WrongKindOfKey (102), Throttled, NotSent, NoAnswer.

        Source: "List subaccounts" (response not published).
        """
        answer = self._transport.answer(LIST)
        return listing.brief(LIST, answer) if brief else listing.whole(LIST, answer)

    def get(self, subaccount: SubaccountId, *, with_keys: bool = False) -> SubaccountDetails:
        """What the vendor knows of one subaccount, its campaigns with it; its key pair only `with_keys`.

        Raises NotFound (510), InvalidInput (200, 301), WrongKindOfKey (102), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Get subaccount" (errors not published).
        """
        subaccount = SubaccountId(subaccount)
        payload = self._transport.call(GET, {"subaccount": subaccount})
        details = SubaccountDetails.of(GET, payload.get("subaccount"))
        check_about(GET, subaccount, details.id)
        return details.model_copy(update={"key_pair": _key_pair(payload["subaccount"])}) if with_keys else details

    def create(
        self,
        *,
        email: str,
        password: str | None = None,
        package: PackageId | None = None,
        status: AccountStatus | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        country: str | None = None,
        company_name: str | None = None,
        expiry_date: date | None = None,
        not_after: float | None = None,
    ) -> CreatedSubaccount:
        """Makes a subaccount. `country` is ISO 3166-1 alpha-2, `package` sets the permissions, `status` is `trial` or
        `customer`, `expiry_date` is a day.

        Without a `password` the vendor mails the address under its own name, and has it choose one. Never retried,
        and not sent after the moment `not_after` of the monotonic clock.
        Raises EmailTaken (304), InvalidEmail (305), InvalidInput (200, 302, 303), WrongKindOfKey (102), Unauthorized
        (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Create subaccount" (response and 302 not published).
        """
        arguments = {
            "email": email,
            "password": password,
            "package": PackageId(package) if package is not None else None,
            "status": AccountStatus(status) if status is not None else None,
            "first_name": first_name,
            "last_name": last_name,
            "country": country,
            "company_name": company_name,
            "expiry_date": written_day(expiry_date),
        }
        made = self._transport.call(CREATE, arguments, not_after=not_after)
        return CreatedSubaccount.of(CREATE, made.get(CREATED_KEY))

    def update(self, subaccount: SubaccountId, **changes: str | date) -> None:
        """Changes a subaccount; `changes` are sent as they are named, a date as `yyyy-MM-dd`. Never retried.

        Raises Undocumented unless the client allows it: the vendor lists this call and publishes neither path nor
        parameters. NotFound (510), EmailTaken (304), InvalidEmail (305), InvalidInput (200, 301, 302, 303),
        WrongKindOfKey (102), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: menu line "Update a subaccount" (errors not published).
        """
        written = {name: written_day(value) if isinstance(value, date) else value for name, value in changes.items()}
        subaccount = SubaccountId(subaccount)
        check_within(
            UPDATE, subaccount, self._transport.call(UPDATE, {**written, "subaccount": subaccount}), "subaccount"
        )

    def password_reset_url(self, subaccount: SubaccountId, *, deadline: float | None = None) -> PasswordResetUrl:
        """A link to choose the panel password. `deadline` is in seconds. Never retried; nothing is mailed.

        Raises NotFound (510), InvalidInput (200, 301), WrongKindOfKey (102), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Create password reset URL" (response and 301 not published).
        """
        subaccount = SubaccountId(subaccount)
        payload = self._transport.call(RESET, {"subaccount": subaccount}, deadline=deadline)
        found = PasswordResetUrl.of(RESET, payload.get(RESET_KEY))
        check_about(RESET, subaccount, found.id)
        return found

    def sign_on(
        self,
        subaccount: SubaccountId,
        *,
        page: Page | None = None,
        campaign: CampaignId | None = None,
        deadline: float | None = None,
    ) -> SignOn:
        """Mints a sign-on URL. Use it at once: how long it lives is not documented. Never retried.

        `page` is one of `campaigns`, `add_campaign`, `update_campaign`, `statistics`, `distribution`. `campaign` goes
        with `update_campaign` and with nothing else (ValueError, before any call). `deadline` is in seconds.

        Raises NotFound (510; 502 for the campaign), InvalidInput (200, 301, 302), WrongKindOfKey (102), Unauthorized
        (1000), AccountExpired (101), Throttled, NotSent, NoAnswer; UnexpectedReply also if the answer is about another
        subaccount.

        Source: "Single sign on" (302 and 502 not published).
        """
        if (campaign is not None) != (page == Page.UPDATE_CAMPAIGN):
            raise ValueError("a campaign goes with update_campaign")
        subaccount = SubaccountId(subaccount)
        arguments = {
            "subaccount": subaccount,
            "page": Page(page) if page is not None else None,
            "campaign": CampaignId(campaign) if campaign is not None else None,
        }
        payload = self._transport.call(SIGN_ON, arguments, deadline=deadline)
        found = SignOn.of(SIGN_ON, payload.get("subaccount"))
        check_about(SIGN_ON, subaccount, found.id)
        return found
