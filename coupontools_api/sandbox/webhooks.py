"""Webhooks: verification of an event by whoever received it, and the deliveries of the sandbox itself."""

import hashlib
import hmac
import http.client
import ipaddress
import json
from urllib.parse import urlsplit

from . import campaign_shapes
from .arguments import Call, Refusal
from .campaign_store import Event
from .replies import Json
from .state import Owner
from .vendor import Vendor

WEBHOOK_NOT_FOUND = (509, "Webhook not found")
KINDS = ("coupon_claimed", "coupon_validated", "coupon_created", "coupon_updated", "coupon_removed")
SECONDS = 5


def verify(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Whether an event is real, and is about this session, by its whole code. Raises Refusal (200, 509).

    An event without a session, such as that of a campaign made, is never verified: an empty one is a missing one.

    Source: POST /v3/webhook/verification, "Webhook verification". 200 is assumed.
    """
    webhook, session = call.required("webhook"), call.required("session")
    event = vendor.campaigns.event(webhook)
    if event is None or event.owner != owner.id or event.session != session:
        raise Refusal(WEBHOOK_NOT_FOUND)
    return campaign_shapes.webhook_verified(vendor.state.settings, event)


def deliver(vendor: Vendor, document: Json) -> Json:
    """Post an event to its owner's `webhook_endpoint`, once; answers its id and the status that came back.

    `event` names one that happened; or `campaign` and `type` make one up. With a `session` it verifies as any other;
    without one it carries an empty session and cannot be verified.
    Raises ValueError for what does not exist, and for an endpoint that is not on loopback.
    """
    with vendor.database.transaction():
        event = _event(vendor, document)
        owner = vendor.state.owner(event.owner)
        campaign = vendor.campaigns.campaign(event.campaign)
        if owner is None or campaign is None:
            raise ValueError(f"What {event.id} is about does not exist any more.")
        host, port, path = _on_loopback(owner.webhook_endpoint)
        session = vendor.campaigns.session(event.session, owner.id) if event.session else None
        body = json.dumps(campaign_shapes.webhook_body(campaign, session, event)).encode()
        headers = {"Content-Type": "application/json"}
        if vendor.state.settings.webhook_signature == "x-hmac":
            headers["X-Hmac"] = hmac.new(owner.api_secret.encode(), body, hashlib.sha256).hexdigest()
    # Outside the transaction: whoever receives it may ask back before answering.
    status = _post(host, port, path, body, headers)
    vendor.ledger.effect("webhook_delivered", owner=owner.id, webhook=event.id, type=event.kind, status=status)
    return {"webhook": event.id, "type": event.kind, "status": status}


def _event(vendor: Vendor, document: Json) -> Event:
    unknown = document.keys() - {"event", "campaign", "session", "type"}
    if unknown:
        raise ValueError(f"A delivery takes no {', '.join(sorted(unknown))}.")
    if "event" in document:
        event = vendor.campaigns.event(document["event"])
        if event is None:
            raise ValueError(f"There is no event {document['event']}.")
        return event
    if document.get("type") not in KINDS:
        raise ValueError(f"The type is one of {', '.join(KINDS)}.")
    number = str(document.get("campaign", "")).removeprefix("cam_")
    campaign = vendor.campaigns.campaign(int(number)) if number.isdecimal() else None
    if campaign is None:
        raise ValueError("A delivery needs an event, or a campaign.")
    code = document.get("session", "")
    session = vendor.campaigns.session_of(campaign, code) if code else None
    if code and session is None:
        raise ValueError(f"There is no session {code} of {campaign.id}.")
    return vendor.campaigns.record_event(
        campaign.owner, campaign.number, "" if session is None else session.code, document["type"]
    )


def _on_loopback(endpoint: str) -> tuple[str, int, str]:
    """Host, port and path of an endpoint on this machine. Raises ValueError for any other."""
    url = urlsplit(endpoint)
    host = "127.0.0.1" if url.hostname == "localhost" else url.hostname or ""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if url.scheme != "http" or not is_loopback:
        raise ValueError(f"Webhooks go to http on a loopback address only, not to {endpoint!r}.")
    return host, url.port or 80, f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"


def _post(host: str, port: int, path: str, body: bytes, headers: dict[str, str]) -> int | None:
    """The status of the answer, None where none came."""
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
