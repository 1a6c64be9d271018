"""The levers of the sandbox itself, under `/_…`: stage, faults, switches, ledger."""

import json
from dataclasses import asdict
from typing import Any

from . import webhooks
from .replies import Json, Reply, as_json
from .state import ACCOUNT_FIELDS, Account, Subaccount, number_of
from .vendor import Vendor


def is_control_path(path: str) -> bool:
    return path.startswith("/_")


def respond(vendor: Vendor, method: str, path: str, query: dict[str, str], body: bytes) -> Reply:
    """Answers JSON; 400 with `error` for what makes no sense, 404 for what is not there."""
    try:
        document = _dispatch(vendor, method, path, query, body)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        return as_json({"error": str(problem)}, 400)
    return as_json({"error": f"There is no {method} {path}."}, 404) if document is None else as_json(document)


def _dispatch(vendor: Vendor, method: str, path: str, query: dict[str, str], body: bytes) -> Json | None:
    document = json.loads(body) if body.strip() else {}
    match method, path:
        case "GET", "/_ledger":
            return ledger(vendor, query.get("path"), int(query.get("since", "0")))
        case "DELETE", "/_ledger":
            vendor.ledger.clear()
        case "GET", "/_faults":
            return {"faults": vendor.faults.listed()}
        case "POST", "/_faults":
            return {"faults": vendor.faults.add(document if isinstance(document, list) else [document])}
        case "DELETE", "/_faults":
            vendor.faults.clear()
        case "GET", "/_settings":
            return vendor.state.settings.as_json()
        case "POST", "/_settings":
            with vendor.database.transaction():
                return vendor.state.change_settings(document).as_json()
        case "POST", "/_webhooks":
            return webhooks.deliver(vendor, document)
        case "GET", "/_webhooks":
            return {"events": events(vendor)}
        case "GET", "/_state":
            return whole_state(vendor)
        case "POST", "/_state":
            return put_state(vendor, document)
        case "DELETE", _ if path.startswith("/_state/subaccounts/"):
            with vendor.database.transaction():
                if not vendor.remove_subaccount(number_of(path.rpartition("/")[2], "sub")):
                    return None
        case _:
            return None
    return {"done": True}


def ledger(vendor: Vendor, path: str | None, since: int) -> Json:
    """Requests (of one path, if given) and effects after number `since`."""
    requests = [request.as_json() for request in vendor.ledger.requests(path, since)]
    return {"requests": requests, "effects": vendor.ledger.effects(since=since)}


def events(vendor: Vendor) -> list[Json]:
    """What webhooks could tell of, the oldest first."""
    return [asdict(event) for event in vendor.campaigns.events()]


def put_state(vendor: Vendor, document: Json) -> Json:
    """Add or update accounts and subaccounts, all or none; answers the subaccounts' ids."""
    unknown = document.keys() - {"accounts", "subaccounts"}
    if unknown:
        raise ValueError(f"The state takes no {', '.join(sorted(unknown))}.")
    with vendor.database.transaction():
        for account in document.get("accounts", ()):
            fields = dict(account)
            vendor.state.put_account(fields.pop("client_id", ""), fields)
        ids = []
        for subaccount in document.get("subaccounts", ()):
            fields = dict(subaccount)
            client_id, email = fields.pop("client_id", ""), fields.pop("email", "")
            subaccount = vendor.state.put_subaccount(client_id, email, fields)
            for campaign in fields.get("campaigns", ()):
                vendor.campaigns.put(subaccount.id, campaign)
            ids.append(subaccount.id)
    return {"subaccounts": ids}


def whole_state(vendor: Vendor) -> Json:
    with vendor.database.transaction():
        return {
            "accounts": [_shown_account(account) for account in vendor.state.accounts()],
            "subaccounts": [shown_subaccount(vendor, row) for row in vendor.state.subaccounts()],
        }


def shown_subaccount(vendor: Vendor, subaccount: Subaccount) -> Json:
    """A subaccount with its campaigns and without its keys."""
    fields: dict[str, Any] = {
        key: value for key, value in subaccount.fields.items() if key not in ("api_key", "api_secret")
    }
    campaigns = [
        {"ID": campaign.id, "name": campaign.name, "status": campaign.status, "code": campaign.code}
        for campaign in vendor.campaigns.campaigns(subaccount.id)
    ]
    return {
        "ID": subaccount.id,
        "client_id": subaccount.client_id,
        "email": subaccount.email,
        **fields,
        "campaigns": campaigns,
    }


def _shown_account(account: Account) -> Json:
    fields = {name: getattr(account, name) for name in sorted(ACCOUNT_FIELDS)}
    return {"client_id": account.client_id, **fields}
