"""Single-use links: a coupon's address that works for one visitor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from coupontools_api.assumed import REMOVED_CODE_PARAMETER
from coupontools_api.contents import lines
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import BlankIsNone, Number, Text
from coupontools_api.ids import CampaignId, SessionCode
from coupontools_api.replies import Reply, check_about, check_session, check_within
from coupontools_api.transport import Transport

CREATE = Endpoint(
    "single_use.create",
    "POST",
    "/v3/singleuse/create",
    Dialect.V3_RPC,
    "Create a single use access URL",
    Evidence.THIRD_PARTY,
    changes=True,
    codes=(200, 300, 301, 302, 303, 305, 502),
)
CREATE_MANY = Endpoint(
    "single_use.create_many",
    "POST",
    "/v3/multiplesingleuse/create",
    Dialect.V3_RPC,
    "Create multiple single use access URLs",
    changes=True,
    is_long=True,
    codes=(200, 300, 301, 302, 502),
)
REMOVE = Endpoint(
    "single_use.remove",
    "POST",
    "/v3/singleuse/remove",
    Dialect.V3_RPC,
    "Remove a single use access URL",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 301, 502, 505),
)
MAX_CUSTOM_FIELDS = 7
MAX_CUSTOM_CHARACTERS = 50
MAX_CODE_CHARACTERS = 100
MANY_CREATED = "multiple_single_use_codes_created"
UTM = frozenset({"campaign", "source", "medium", "term", "content"})


class AutomaticCode(StrEnum):
    """The validation code that the vendor makes up."""

    SIX_DIGITS = "6digits"
    EIGHT_DIGITS = "8digits"
    TEN_DIGITS = "10digits"


class Duplicate(StrEnum):
    """By what a link that was made before is found, which is then given again instead of a new one."""

    EMAIL = "email"
    PHONE = "phone"
    CUSTOM_ID = "customid"


class LinkStatus(StrEnum):
    """In what state links start."""

    NORMAL = "normal"
    VOIDED = "voided"
    ACTIVATED = "activated"


class CodeType(StrEnum):
    """Of what automated codes are made."""

    NUMERIC = "numeric"
    ALPHANUMERIC = "alphanumeric"


class SingleUse(Reply):
    """One link. `widget_validation_code` is the first six characters of `code`."""

    code: SessionCode = Field(alias="single_use_code")
    url: Text = Field(default="", alias="single_use_url")
    campaign: Annotated[CampaignId | None, BlankIsNone] = None
    action: Text = ""
    sequence_id: Number = Field(default=None, validation_alias=AliasChoices("sequence_id", "sequenceid"))
    widget_validation_code: Text = ""
    custom_validation_code: Text = ""
    custom_id: Text = Field(default="", alias="customid")


class SingleUses:
    """`client.single_use`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        campaign: CampaignId,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        custom_id: str | None = None,
        validation_code: str | None = None,
        automatic_code: AutomaticCode | None = None,
        custom_fields: Sequence[str] = (),
        duplicate_check: Duplicate | None = None,
        expires_at: datetime | None = None,
        utm: Mapping[Literal["campaign", "source", "medium", "term", "content"], str] | None = None,
    ) -> SingleUse:
        """Makes one link. `custom_id` and each of up to seven `custom_fields` have at most 50 characters,
        `validation_code` at most 100; it excludes an `automatic_code`, which is one of `6digits`, `8digits`,
        `10digits`. `expires_at` is in the time zone of the campaign, so it has none of its own. `utm` has no other keys
        than `campaign`, `source`, `medium`, `term`, `content`. ValueError otherwise, before any call.

        With a `duplicate_check`, one of `email`, `phone`, `customid`, a link that was made for the same is given again.

        Never retried. Raises Undocumented unless the client allows it: the vendor's page is cut. NotFound (502),
        InvalidEmail (305), InvalidInput (200, 300, 301, 302, 303), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Create a single use access URL" (cut; parameters and answer from third parties, errors not published).
        """
        if validation_code is not None and automatic_code is not None:
            raise ValueError("either a validation code or an automatic one")
        if expires_at is not None and expires_at.tzinfo is not None:
            raise ValueError("expires_at is in the time zone of the campaign")
        if any(len(text) > MAX_CUSTOM_CHARACTERS for text in (custom_id or "", *custom_fields)):
            raise ValueError(f"custom_id and custom_fields have at most {MAX_CUSTOM_CHARACTERS} characters")
        if len(validation_code or "") > MAX_CODE_CHARACTERS:
            raise ValueError(f"a validation code has at most {MAX_CODE_CHARACTERS} characters")
        if unknown := set(utm or {}) - UTM:
            raise ValueError(f"not of utm: {', '.join(sorted(unknown))}")
        arguments = {
            "campaign": CampaignId(campaign),
            "firstname": first_name,
            "lastname": last_name,
            "email": email,
            "phone": phone,
            "customid": custom_id,
            "customvalcode": validation_code,
            "autovalcode": None if automatic_code is None else AutomaticCode(automatic_code),
            **numbered("customfield", custom_fields, MAX_CUSTOM_FIELDS),
            "duplicate_check": None if duplicate_check is None else Duplicate(duplicate_check),
            "expiry_date": expires_at.strftime("%Y-%m-%d %H:%M:%S") if expires_at else None,
            **{f"utm_{name}": value for name, value in (utm or {}).items()},
        }
        made = SingleUse.of(CREATE, self._transport.call(CREATE, arguments))
        check_about(CREATE, CampaignId(campaign), made.campaign)
        return made

    def create_many(
        self,
        campaign: CampaignId,
        *,
        amount: int = 10,
        status: LinkStatus = LinkStatus.NORMAL,
        code_prefix: str | None = None,
        code_length: int | None = None,
        code_type: CodeType | None = None,
    ) -> tuple[SingleUse, ...]:
        """Makes 1 to 100,000 links. `status` is `normal`, `voided` or `activated`. A `code_prefix`, `code_length` (10
        to 25, the prefix not counted) or `code_type` (`numeric` or `alphanumeric`) asks for automated codes. ValueError
        otherwise, before any call.

        Never retried; up to 64 MiB and `list_deadline` seconds; as many come back as the vendor tells of, each with its
        campaign. Raises NotFound (502), InvalidInput (200, 300, 301, 302), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Create multiple single use access URLs" (errors not published).
        """
        if not 1 <= amount <= 100_000:
            raise ValueError("amount is 1 to 100,000")
        if code_length is not None and not 10 <= code_length <= 25:
            raise ValueError("code_length is 10 to 25")
        is_automated = any(given is not None for given in (code_prefix, code_length, code_type))
        campaign = CampaignId(campaign)
        arguments: dict[str, Any] = {
            "campaign": campaign,
            "amount": amount,
            "status": LinkStatus(status),
            "automated_codes": is_automated,
            "code_prefix": code_prefix,
            "code_length": code_length,
            "code_type": None if code_type is None else CodeType(code_type),
        }
        payload = self._transport.call(CREATE_MANY, arguments)
        check_about(CREATE_MANY, campaign, payload.get("campaign"))
        check_about(CREATE_MANY, MANY_CREATED, payload.get("action"))
        made = lines(CREATE_MANY, payload.get("data", False), SingleUse)
        if not made:
            raise UnexpectedReply(CREATE_MANY.path, detail="no link in the reply")
        for link in made:
            check_about(CREATE_MANY, campaign, link.campaign)
        return tuple([link.model_copy(update={"campaign": campaign}) for link in made])

    def remove(self, campaign: CampaignId, *, code: SessionCode) -> None:
        """Takes a link away. Never retried.

        Raises Undocumented unless the client allows it: neither path nor parameters are published. NotFound (502, 505),
        InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: menu line "Remove a single use access URL" (errors not published).
        """
        campaign, code = CampaignId(campaign), SessionCode(code)
        payload = self._transport.call(REMOVE, {"campaign": campaign, REMOVED_CODE_PARAMETER: code})
        check_within(REMOVE, campaign, payload, "campaign")
        check_session(REMOVE, code, payload.get("single_use_code"))


def numbered(name: str, values: Sequence[str], most: int) -> dict[str, str]:
    """The wire's `name1`, `name2` … Raises ValueError for too many."""
    if len(values) > most:
        raise ValueError(f"at most {most} of {name}")
    return {f"{name}{number}": value for number, value in enumerate(values, 1)}
