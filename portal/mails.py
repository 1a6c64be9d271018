"""Mails, rendered by the worker when it sends them, in the agency's name and with links on its canonical host."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts import clock, people, reconcile
from accounts.errors import STOPPED, TryLater
from accounts.states import State
from portal import access, access_people, wording, wording_differences, wording_vendor
from portal.access import Agency, Customer

# About the agency as a whole: to its own address, with the page that says more.
OF_THE_AGENCY = {
    "vendor_trouble": "/console/",
    "vendor_recovered": "/console/",
    "daily_budget": "/console/",
    "no_room": "/console/attention/",
    "reconcile_stopped": "/console/differences/",
    "many_missing": "/console/attention/",
}
TO_STAFF = frozenset({"needs_review", "missing", *OF_THE_AGENCY})


def render(payload: dict[str, Any], *, agency: Agency | None, secret: str) -> EmailMultiAlternatives | None:
    """The message for a mail job; None where there is nobody left to write to.

    `payload["mail"]` is the name of our template, or the prefix of one of allauth's.
    """
    name = payload["mail"]
    context: dict[str, Any] = {
        **payload,
        "agency": agency,
        "product_name": agency.product_name if agency else "Reseller portal",
        "code": secret,
        "email": payload.get("to", ""),
    }
    for key in ("signup_url", "password_reset_url"):
        if key in payload:
            context[key] = access.agency_url(agency, payload[key])
    to, also = payload.get("to", ""), []
    if "customer" in payload:
        customer = access.customer_for_mail(payload["customer"], agency)
        if customer is None or agency is None or not _still_holds(name, customer):
            return None
        path = f"/console/customers/{customer.public_id}/" if name in TO_STAFF else f"/c/{customer.public_id}/"
        context |= {"customer": customer, "url": access.agency_url(agency, path)}
        owners = [agency.support_email] if name in TO_STAFF else access.owner_addresses(customer)
        if to and to not in owners:
            return None  # one of several, who is none any more
        to, *also = [to] if to else owners
    if agency is not None and not _is_still_so(payload, agency):
        return None
    if agency is not None and agency.stopped_at:
        raise TryLater(STOPPED)  # its host answers nobody
    if name in OF_THE_AGENCY and agency is not None:
        context["url"] = access.agency_url(agency, OF_THE_AGENCY[name])
        to = agency.support_email
    if name == "invitation":
        context["url"] = access.agency_url(agency, f"/invitation/{secret}/")
    if "by_id" in payload:
        by = UUID(payload["by_id"])
        context["by"] = access_people.names_of(agency, {by}).get(by, "")
    if name == "second_factor_reset":
        context["url"] = access.agency_url(agency, "/account/login/")
    with translation.override(people.language_for(agency, to, otherwise=payload.get("language", ""))):
        context["cause_text"] = _cause_text(context)
        if name == "invitation":
            context["expires"] = date_format(localtime(datetime.fromisoformat(payload["expires_at"])))
        subject, body = _templates(name)
        text = render_to_string(body, context).strip() + "\n"
        subject_line = _header_safe(" ".join(render_to_string(subject, context).split()))
    reply_to = [agency.support_email] if agency and name not in TO_STAFF else None
    return EmailMultiAlternatives(subject_line, text, sender(agency), [to, *also], reply_to=reply_to)


STATE_OF = {
    "needs_review": State.NEEDS_REVIEW,
    "missing": State.MISSING,
    "account_ready": State.ACTIVE,
    "reminder": State.ACTIVE,
}


def _still_holds(name: str, customer: Customer) -> bool:
    """Whether a mail still says what is so: one that waited long must not report a pause that is over."""
    if name in STATE_OF and customer.subaccount.state != STATE_OF[name]:
        return False
    if name not in ("paused", "resumed", "account_ready", "reminder"):
        return True
    return not customer.closed_at and bool(customer.paused_at) == (name == "paused")


def _is_still_so(payload: dict[str, Any], agency: Agency) -> bool:
    """The same of a mail about the vendor account: it must not begin an outage after its end."""
    match payload["mail"]:
        case "vendor_trouble":
            return agency.vendor_account.is_open
        case "daily_budget":
            today = clock.midnight(timezone.now()).date().isoformat()
            return bool(payload.get("day", today) == today)  # a version before wrote none
        case "reconcile_stopped":
            return bool(agency.vendor_account.reconcile_result.get("outcome") == reconcile.TOO_MANY_ABSENT)
    return True


def _cause_text(context: dict[str, Any]) -> str:
    """Why staff get the mail, in the language that is active."""
    if context["mail"] == "reconcile_stopped":
        return wording_differences.stopped_sentence(context)
    if context["mail"] == "vendor_recovered":
        return f"{wording_vendor.outage_sentence(context)} {wording_vendor.late_sentence(context)}"
    if context["mail"] == "vendor_trouble":  # what it is by now
        return wording.trouble_sentence(context["agency"].vendor_account.trouble)
    if "trouble" in context:
        return wording.trouble_sentence(context["trouble"])
    if "customer" in context and context["mail"] in TO_STAFF:
        subaccount = context["customer"].subaccount
        return wording.cause_sentence(subaccount.cause, subaccount.cause_codes)
    return ""


def sender(agency: Agency | None) -> str:
    """Whom a mail says that it comes from: the agency, under the name that it chose for its mails."""
    if agency is None:
        return settings.DEFAULT_FROM_EMAIL
    name = "".join(letter for letter in _header_safe(agency.sender_name or agency.name) if letter not in '"\\')
    return f'"{name}" <{settings.DEFAULT_FROM_EMAIL}>'


def _templates(name: str) -> tuple[str, str]:
    if "/" in name:
        return f"{name}_subject.txt", f"{name}_message.txt"
    return f"mail/{name}.subject.txt", f"mail/{name}.txt"


def _header_safe(text: str) -> str:
    """A text without what could end its header, or what a reader's program would decode into something else."""
    return "".join(letter for letter in text if letter.isprintable()).replace("=?", "= ?")
