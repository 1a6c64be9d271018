"""E-mail and SMS, and the groups of contacts that they go to."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from coupontools_api.assumed import SMS_TEXT_PARAMETER
from coupontools_api.contents import whole_list
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.fields import BlankIsNone, Text, written_day
from coupontools_api.ids import CampaignId, DirectoryId, GroupId, SessionCode
from coupontools_api.replies import Reply, check_about
from coupontools_api.single_use import MAX_CUSTOM_FIELDS, numbered
from coupontools_api.transport import Transport

SEND_EMAIL = Endpoint(
    "messages.send_email",
    "POST",
    "/v3/send/email",
    Dialect.V3_RPC,
    "Send email",
    changes=True,
    codes=(104, 200, 301, 302, 305, 502, 505, 604),
)
SEND_SMS = Endpoint(
    "messages.send_sms",
    "POST",
    "/v3/send/sms",
    Dialect.V3_RPC,
    "Send SMS",
    Evidence.THIRD_PARTY,
    changes=True,
    codes=(103, 200, 301, 502),
)
SMS_GROUPS = Endpoint(
    "messages.sms_groups",
    "POST",
    "/v3/smstool/grouplist",
    Dialect.V3_RPC,
    "SMS tool: list groups",
    is_long=True,
    codes=(103,),
)
SMS_CONTACTS = Endpoint(
    "messages.sms_contacts",
    "POST",
    "/v3/smstool/userlist",
    Dialect.V3_RPC,
    "SMS tool: list contacts of a group",
    is_long=True,
    codes=(103, 200, 301, 514),
)
ADD_SMS_GROUP = Endpoint(
    "messages.add_sms_group",
    "POST",
    "/v3/smstool/addgroup",
    Dialect.V3_RPC,
    "SMS tool: add group",
    changes=True,
    codes=(103, 200, 300),
)
ADD_SMS_CONTACT = Endpoint(
    "messages.add_sms_contact",
    "POST",
    "/v3/smstool/addcontact",
    Dialect.V3_RPC,
    "SMS tool: add contact",
    changes=True,
    codes=(103, 200, 300, 301, 303, 514),
)
EMAIL_GROUPS = Endpoint(
    "messages.email_groups",
    "POST",
    "/v3/emailtool/grouplist",
    Dialect.V3_RPC,
    "Email tool: list groups",
    is_long=True,
    codes=(104,),
)
NAMES_OF_GROUPS = "group", "groups"
EMAIL_SENT = "email_sent"


class Group(Reply):
    """A group of contacts."""

    id: GroupId = Field(alias="ID")
    name: Text = ""


class Contact(Reply):
    """Somebody in a group. The vendor publishes no form of it: what else there is, is in `.raw`."""

    phone: Text = ""
    first_name: Text = ""
    last_name: Text = ""


class SentEmail(Reply):
    """`action` is `email_sent`, "" where the vendor says OK and nothing else."""

    action: Text = ""


class SentSms(Reply):
    """The message as it went out, with the link that it carries."""

    action: Text = ""
    campaign: Annotated[CampaignId | None, BlankIsNone] = None
    phone: Text = ""
    message: Text = ""
    single_use_code: Text = ""
    single_use_url: Text = ""


class Messages:
    """`client.messages`. Each call that sends or adds is made once and never retried."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send_email(
        self,
        about: CampaignId | DirectoryId,
        *,
        email: str,
        subject: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        check_unique: bool | None = None,
        session: SessionCode | None = None,
    ) -> SentEmail:
        """Mails a campaign, or a directory, to one address. `check_unique` leaves out who had it before.

        What is optional is named by third parties alone: `subject`, `first_name` and `last_name` (sent as `firstname`
        and `lastname`), `check_unique`, and `session` (sent as `couponsession`).

        Raises NotFound (502; 505 for the session), InvalidEmail (305), InvalidInput (200, 301, 302), NoIntegration
        (104), NotDelivered (604), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: "Send email" (optional parameters from third parties, 302 and 505 not published).
        """
        arguments = {
            "campaign": about if isinstance(about, DirectoryId) else CampaignId(about),
            "email": email,
            "subject": subject,
            "firstname": first_name,
            "lastname": last_name,
            "check_unique": check_unique,
            "couponsession": None if session is None else SessionCode(session),
        }
        sent = SentEmail.of(SEND_EMAIL, self._transport.call(SEND_EMAIL, arguments))
        check_about(SEND_EMAIL, EMAIL_SENT, sent.action)
        return sent

    def send_sms(self, campaign: CampaignId, *, phone: str, message: str, sender: str | None = None) -> SentSms:
        """Sends a campaign by SMS, which costs a credit. `phone` is E.164 without blanks.

        Raises Undocumented unless the client allows it: the vendor's page is cut. NoIntegration (103), NotFound (502),
        InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and
        UnexpectedReply may have happened.

        Source: "Send SMS" (cut; parameters and answer from third parties, the text's parameter and errors but 103
        assumed).
        """
        arguments = {
            "campaign": CampaignId(campaign),
            "phone": phone,
            SMS_TEXT_PARAMETER: message,
            "sender": sender,
        }
        sent = SentSms.of(SEND_SMS, self._transport.call(SEND_SMS, arguments))
        check_about(SEND_SMS, CampaignId(campaign), sent.campaign)
        return sent

    def sms_groups(self) -> tuple[Group, ...]:
        """The groups of SMS contacts.

        Raises NoIntegration (103), Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer,
        UnexpectedReply.

        Source: "SMS tool: list groups".
        """
        return whole_list(SMS_GROUPS, self._transport.call(SMS_GROUPS), Group, *NAMES_OF_GROUPS)

    def sms_contacts(self, group: GroupId) -> tuple[Contact, ...]:
        """The contacts of a group.

        Raises NoIntegration (103), NotFound (514), InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "SMS tool: list contacts of a group" (response cut).
        """
        payload = self._transport.call(SMS_CONTACTS, {"smsgroup": GroupId(group)})
        check_about(SMS_CONTACTS, GroupId(group), payload.get("group_id"))
        named = {key: value for key, value in payload.items() if key != "group_id"}
        return whole_list(SMS_CONTACTS, named, Contact, "contact", "contacts")

    def add_sms_group(self, name: str) -> Reply:
        """Makes a group; what the vendor says of it is in `.raw`.

        Raises NoIntegration (103), InvalidInput (200, 300), Unauthorized (1000), AccountExpired (101), Throttled,
        NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "SMS tool: add group" (response and errors but 103 not published).
        """
        return Reply.of(ADD_SMS_GROUP, self._transport.call(ADD_SMS_GROUP, {"group_name": name}))

    def add_sms_contact(
        self,
        group: GroupId,
        *,
        phone: str,
        first_name: str | None = None,
        last_name: str | None = None,
        birthday: date | None = None,
        custom_fields: Sequence[str] = (),
    ) -> Reply:
        """Puts somebody in a group. `phone` is E.164, `birthday` a day; at most seven `custom_fields` (ValueError).

        Raises NoIntegration (103), NotFound (514), InvalidInput (200, 300, 301, 303), Unauthorized (1000),
        AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "SMS tool: add contact" (response and 300 not published).
        """
        arguments = {
            "smsgroup": GroupId(group),
            "phone": phone,
            "first_name": first_name,
            "last_name": last_name,
            "birthday": written_day(birthday),
            **numbered("customfield", custom_fields, MAX_CUSTOM_FIELDS),
        }
        return Reply.of(ADD_SMS_CONTACT, self._transport.call(ADD_SMS_CONTACT, arguments))

    def email_groups(self) -> tuple[Group, ...]:
        """The groups of e-mail contacts.

        Raises NoIntegration (104), Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer,
        UnexpectedReply.

        Source: "Email tool: list groups" (response not published).
        """
        return whole_list(EMAIL_GROUPS, self._transport.call(EMAIL_GROUPS), Group, *NAMES_OF_GROUPS)
