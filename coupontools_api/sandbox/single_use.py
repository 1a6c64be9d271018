"""Single-use links: a session made ahead, to be sent to one person. Its page is in `coupon_page`."""

import string

from . import campaign_shapes
from .arguments import Call, Refusal, incorrect, missing
from .assumed import SINGLE_USE_CODE
from .campaign_store import CODE_CHARACTERS, CODE_LENGTH, Session, moment_text
from .campaigns import SESSION_NOT_FOUND, own_campaign
from .replies import Json
from .sessions import CUSTOM_FIELDS
from .state import LETTERS_AND_DIGITS, Owner, random_text
from .vendor import Vendor

PRELOADED = ("firstname", "lastname", "phone")
UTM = ("utm_campaign", "utm_source", "utm_medium", "utm_term", "utm_content")
AUTOMATIC_CODES = {"6digits": 6, "8digits": 8, "10digits": 10}
DUPLICATE_CHECKS = ("email", "phone", "customid")
STATUSES = ("normal", "voided", "activated")
CODE_TYPES = {"numeric": string.digits, "alphanumeric": LETTERS_AND_DIGITS}
DEFAULT_AMOUNT, MOST = 10, 100_000
SHORTEST_CODE, LONGEST_CODE = 10, 25


def create_single_use(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One link. With `duplicate_check` the one that the same person has already.

    Raises Refusal (200, 300, 301, 302, 303, 305, 502).

    Source: POST /v3/singleuse/create, "Create a single use access URL"; most parameters are known from third
    parties alone. The codes are assumed.
    """
    campaign = own_campaign(vendor, owner, call)
    fields = _preloaded(call)
    check = call.choice("duplicate_check", DUPLICATE_CHECKS)
    settings = vendor.state.settings
    if check is not None:
        if check not in fields:
            raise Refusal(missing(check))
        found = vendor.campaigns.search(owner.id, campaign.number, {check: fields[check]})
        if found:
            return campaign_shapes.single_use(settings, vendor.panel_url, campaign, found[0], "single_use_code_exists")
    session = vendor.campaigns.new_session(campaign, fields)
    vendor.ledger.effect("single_use_created", owner=owner.id, campaign=campaign.id, session=session.code)
    return campaign_shapes.single_use(settings, vendor.panel_url, campaign, session, "single_use_code_created")


def create_many_single_use(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Many links at once. Raises Refusal (200, 300, 301, 302, 502).

    Source: POST /v3/multiplesingleuse/create, "Create multiple single use access URLs". The codes are assumed.
    """
    campaign = own_campaign(vendor, owner, call)
    amount = call.whole("amount", DEFAULT_AMOUNT)
    status = call.choice("status", STATUSES) or STATUSES[0]
    own_code = _own_codes(call)
    if not 1 <= amount <= MOST:
        raise Refusal(incorrect("amount"))
    first, now = vendor.campaigns.next_sequence(campaign.number), moment_text()
    sessions = [
        Session(
            random_text(CODE_LENGTH, CODE_CHARACTERS),
            campaign.number,
            first + index,
            now,
            opened=now if status == "activated" else "",
            voided=now if status == "voided" else "",
            fields={"own_validation_code": own_code[0] + random_text(own_code[1], own_code[2])} if own_code else {},
        )
        for index in range(amount)
    ]
    vendor.campaigns.save_many(sessions)
    vendor.ledger.effect("single_use_created", owner=owner.id, campaign=campaign.id, amount=amount)
    return campaign_shapes.many_single_use(vendor.state.settings, vendor.panel_url, campaign, sessions)


def remove_single_use(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Make a link vanish. Raises Refusal (200, 301, 502, 505).

    Source: "Remove a single use access URL" is in the vendor's menu only. Everything is assumed.
    """
    campaign = own_campaign(vendor, owner, call)
    code = next((call.text(name) for name in SINGLE_USE_CODE if call.has(name)), None)
    if code is None:
        raise Refusal(missing(SINGLE_USE_CODE[0]))
    session = vendor.campaigns.session_of(campaign, code)
    if session is None:
        raise Refusal(SESSION_NOT_FOUND)
    vendor.campaigns.remove(session)
    vendor.ledger.effect("single_use_removed", owner=owner.id, campaign=campaign.id, session=session.code)
    return campaign_shapes.single_use(
        vendor.state.settings, vendor.panel_url, campaign, session, "single_use_code_removed"
    )


def _preloaded(call: Call) -> Json:
    fields = call.texts(*PRELOADED, *UTM, most=200) | call.texts("customid", *CUSTOM_FIELDS, most=50)
    email, own_code = call.email("email"), call.text("customvalcode", most=100)
    automatic = call.choice("autovalcode", tuple(AUTOMATIC_CODES))
    expiry_date = call.written("expiry_date", "%Y-%m-%d %H:%M:%S", "YYYY-MM-DD HH:MM:SS")
    if own_code is not None and automatic is not None:
        raise Refusal(incorrect("autovalcode"))
    if expiry_date is not None:
        fields["expiry_date"] = expiry_date
    if email is not None:
        fields["email"] = email
    if automatic is not None:
        own_code = random_text(AUTOMATIC_CODES[automatic], string.digits)
    if own_code is not None:
        fields["own_validation_code"] = own_code
    return fields


def _own_codes(call: Call) -> tuple[str, int, str] | None:
    """Prefix, length and alphabet of automated codes, None without them."""
    if not call.flag("automated_codes"):
        return None
    length = call.whole("code_length", SHORTEST_CODE)
    code_type = call.choice("code_type", tuple(CODE_TYPES)) or "numeric"
    if not SHORTEST_CODE <= length <= LONGEST_CODE:
        raise Refusal(incorrect("code_length"))
    return call.text("code_prefix", most=50) or "", length, CODE_TYPES[code_type]
