"""Sending coupons by e-mail and SMS, and the groups of people that messages go to."""

import re

from . import campaign_shapes, record_shapes, shapes
from .arguments import Call, Refusal, invalid_character, missing
from .assumed import ADDRESS_HAS_ONE, SMS_TEXT
from .campaigns import SESSION_NOT_FOUND, own_campaign
from .paging import DAY
from .record_store import Record
from .replies import Json
from .sessions import CUSTOM_FIELDS
from .state import Owner
from .vendor import Vendor

NEEDED = {"sms": (103, "SMS integration needed"), "email": (104, "Email integration needed")}
GROUP_NOT_FOUND = (514, "Group ID not found")
E_164 = re.compile(r"\+?[1-9][0-9]{5,14}")
LONGEST_NAME = 200


def send_email(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Send a coupon, or a directory, to an address. Raises Refusal (104, 200, 301, 302, 305, 502, 505, 604).

    Source: POST /v3/send/email, "Send email". Assumed: 302, 505, and what 604 means, whose text is cut.
    """
    require_integration(owner, "email")
    target, email = call.required("campaign"), call.required("email")
    call.email("email")
    if target.startswith("dir_"):
        directory = vendor.records.get("directory", owner.id, call.required_number("campaign", "dir"))
        if directory is None:
            raise Refusal((502, "Directory ID not found"))
        vendor.ledger.effect("email_sent", owner=owner.id, directory=directory.id, email=email)
        return {"action": "email_sent"}
    campaign = own_campaign(vendor, owner, call)
    if call.flag("check_unique") and vendor.campaigns.search(owner.id, campaign.number, {"email": email}):
        raise Refusal(ADDRESS_HAS_ONE)
    code = call.text("couponsession")
    session = None if code is None else vendor.campaigns.session_of(campaign, code)
    if code is not None and session is None:
        raise Refusal(SESSION_NOT_FOUND)
    if session is None:
        fields = {"email": email, **call.texts("firstname", "lastname")}
        session = vendor.campaigns.new_session(campaign, fields)
    vendor.ledger.effect("email_sent", owner=owner.id, campaign=campaign.id, session=session.code, email=email)
    return {"action": "email_sent"}


def send_sms(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Send a coupon to a phone. Raises Refusal (103, 200, 301, 502).

    Source: POST /v3/send/sms, "Send SMS". The keys of the answer are those that a third party reads.
    Assumed: the name of the text, and all codes but 103.
    """
    require_integration(owner, "sms")
    campaign, phone = own_campaign(vendor, owner, call), _phone(call)
    message = call.text(SMS_TEXT) or ""
    session = vendor.campaigns.new_session(campaign, {"phone": phone})
    vendor.ledger.effect("sms_sent", owner=owner.id, campaign=campaign.id, session=session.code, phone=phone)
    return {
        "campaign": shapes.shown_id(vendor.state.settings, campaign.id),
        "action": "sms_sent",
        "message": message,
        "phone": phone,
        "single_use_code": session.code,
        "single_use_url": campaign_shapes.session_url(vendor.panel_url, campaign, session),
    }


def list_sms_groups(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Raises Refusal (103). Source: POST /v3/smstool/grouplist, "List groups"."""
    require_integration(owner, "sms")
    return _groups(vendor, owner, "sms_group")


def list_sms_contacts(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Raises Refusal (103, 200, 301, 514).

    Source: POST /v3/smstool/userlist, "List users of a group". The answer is assumed but for `group_id`.
    """
    require_integration(owner, "sms")
    group = _group(vendor, owner, call)
    settings = vendor.state.settings
    rows = [
        record_shapes.contact_row(settings, contact)
        for contact in vendor.records.all_of("sms_contact", owner.id, group.number)
    ]
    return {
        "group_id": shapes.shown_id(settings, group.id),
        **shapes.listing(settings, "user", "users", rows),
    }


def add_sms_group(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Raises Refusal (103, 200, 300). Source: POST /v3/smstool/addgroup, "Add group". The answer is assumed."""
    require_integration(owner, "sms")
    name = call.required("group_name")
    call.text("group_name", LONGEST_NAME)
    group = vendor.records.add("sms_group", owner.id, {"name": name})
    vendor.ledger.effect("sms_group_created", owner=owner.id, group=group.id)
    return {"group": record_shapes.group_row(vendor.state.settings, group)}


def add_sms_contact(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Raises Refusal (103, 200, 300, 301, 303, 514).

    Source: POST /v3/smstool/addcontact, "Add contact". The answer is assumed.
    """
    require_integration(owner, "sms")
    group, phone = _group(vendor, owner, call), _phone(call)
    call.written("birthday", DAY, "YYYY-MM-DD")
    fields = call.texts("first_name", "last_name", "birthday", *CUSTOM_FIELDS, most=LONGEST_NAME)
    contact = vendor.records.add("sms_contact", owner.id, {"phone": phone, **fields}, group.number)
    vendor.ledger.effect("sms_contact_created", owner=owner.id, group=group.id, contact=contact.id)
    return {"contact": record_shapes.contact_row(vendor.state.settings, contact)}


def list_email_groups(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Raises Refusal (104). Source: POST /v3/emailtool/grouplist, "List email groups". Assumed: as for SMS; 104."""
    require_integration(owner, "email")
    return _groups(vendor, owner, "email_group")


def require_integration(owner: Owner, name: str) -> None:
    """Raises Refusal (103 or 104) where the account sends nothing of this kind."""
    if name not in owner.account.integrations:
        raise Refusal(NEEDED[name])


def _groups(vendor: Vendor, owner: Owner, kind: str) -> Json:
    settings = vendor.state.settings
    rows = [record_shapes.group_row(settings, group) for group in vendor.records.all_of(kind, owner.id)]
    return {"amount_of_groups": len(rows), "group": rows}


def _group(vendor: Vendor, owner: Owner, call: Call) -> Record:
    group = vendor.records.get("sms_group", owner.id, call.required_number("smsgroup", "gro"))
    if group is None:
        raise Refusal(GROUP_NOT_FOUND)
    return group


def _phone(call: Call) -> str:
    """A phone number in E.164, without blanks. Raises Refusal (200, 301)."""
    phone = call.text("phone")
    if phone is None:
        raise Refusal(missing("phone"))
    if not E_164.fullmatch(phone):
        raise Refusal(invalid_character("phone"))
    return phone
