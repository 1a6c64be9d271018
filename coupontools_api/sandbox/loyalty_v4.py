"""Loyalty cards in the v4 REST dialect: bare arrays and objects, ids in the path."""

import json
from dataclasses import replace
from typing import Any

from . import record_shapes
from .arguments import BATCH, Call, Refusal, incorrect, missing
from .assumed import CARD_AMOUNTS
from .campaign_store import moment_text
from .loyalty import CARD_NOT_FOUND, give, join, member, members, own_card
from .record_store import Record
from .replies import Json
from .state import Owner, random_text
from .vendor import Vendor

PAGE_SIZE = 100
LONGEST_NAME = 50
LARGEST_BATCH = 1000


def list_cards(vendor: Vendor, owner: Owner, call: Call) -> list[Json]:
    """Source: GET /v4/loyalty/loyalty-cards, "List loyalty cards"."""
    return [record_shapes.card_v4(card) for card in vendor.records.all_of("card", owner.id)]


def copy_card(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A new card like an old one, without users. Raises Refusal (300, 301, 507).

    Source: POST /v4/loyalty/loyalty-cards/{id}/copy, "Copy loyalty card". The codes are assumed.
    """
    card = _card(vendor, owner, call)
    name = call.text("name", LONGEST_NAME) or f"{card.data['name']} (copy)"
    data = {**card.data, "name": name, "code": random_text(6), "created": moment_text()}
    copy = vendor.records.add("card", owner.id, data)
    vendor.ledger.effect("card_created", owner=owner.id, card=copy.id, name=name)
    return record_shapes.card_v4(copy)


def list_stats(vendor: Vendor, owner: Owner, call: Call) -> list[Json]:
    """What the users of a card hold. Raises Refusal (300, 301, 302, 507).

    Source: GET /v4/loyalty/loyalty-cards/{loyaltyCardId}/stats, "List loyalty card users".
    Assumed: the answer, the codes, and what `filter` and `pagination` hold: fields of a user that have to be equal,
    and `page` with `per_page`. An object in a query is JSON text or written `pagination[page]`.
    """
    card = _card(vendor, owner, call)
    wanted, pagination = _object(call, "filter"), _object(call, "pagination")
    rows = [record_shapes.card_user_v4(user, membership) for user, membership in members(vendor, owner, card)]
    if not call.flag("include_voided"):
        rows = [row for row in rows if not row["voided"]]
    rows = [row for row in rows if all(str(row.get(name)) == str(value) for name, value in wanted.items())]
    paged = replace(call, arguments=pagination)
    size = paged.whole("per_page", PAGE_SIZE)
    first = vendor.state.settings.first_page
    start = max(0, paged.whole("page", first) - first) * size
    return rows[start : start + size]


def get_stats(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """What one user of a card holds. Raises Refusal (301, 505, 507).

    Source: GET /v4/loyalty/loyalty-cards/{loyaltyCardId}/stats/{userId}. The answer and the codes are assumed.
    """
    return record_shapes.card_user_v4(*member(vendor, owner, _card(vendor, owner, call), call))


def create_stats(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A new user of a card. Raises Refusal (300, 301, 305, 507).

    Source: POST /v4/loyalty/loyalty-cards/{id}/stats, "Create loyalty card user". The answer and the codes are assumed.
    """
    return _create(vendor, owner, _card(vendor, owner, call), call)


def create_stats_in_bulk(vendor: Vendor, owner: Owner, call: Call) -> list[Json]:
    """Many new users of a card, all of them or none. Raises Refusal (200, 300, 301, 305, 507).

    Source: POST /v4/loyalty/loyalty-cards/{id}/stats/bulk, "Create loyalty card users in bulk".
    Assumed: a bare array, or one under `users`; the answer and the codes.
    """
    card = _card(vendor, owner, call)
    batch = call.arguments.get(BATCH)
    if not batch:
        raise Refusal(missing(BATCH))
    if not isinstance(batch, list) or len(batch) > LARGEST_BATCH or not all(isinstance(row, dict) for row in batch):
        raise Refusal(incorrect(BATCH))
    calls = [replace(call, arguments=row) for row in batch]
    for one in calls:  # all are read before one is made
        _person(one)
    return [_create(vendor, owner, card, one) for one in calls]


def update_stats(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Change what is known of a user of a card, or void it. Raises Refusal (300, 301, 302, 305, 505, 507).

    Source: "Update loyalty card user" is cut before its path. Everything is assumed.
    """
    card = _card(vendor, owner, call)
    user, membership = member(vendor, owner, card, call)
    fields, voided = _person(call), call.flag("voided")
    user = vendor.records.change(user, **fields)
    return record_shapes.card_user_v4(user, give(vendor, owner, card, membership, {}, voided))


def add_stamps(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Give a user of a card stamps, or points if the card collects those. Raises Refusal (200, 301, 505, 507).

    Source: third parties name "Add stamps". Everything is assumed.
    """
    card = _card(vendor, owner, call)
    user, membership = member(vendor, owner, card, call)
    given = {name: call.whole(name, 0) for name in CARD_AMOUNTS if call.has(name)}
    if not given:
        raise Refusal(missing("amount"))
    return record_shapes.card_user_v4(user, give(vendor, owner, card, membership, given, None))


def _card(vendor: Vendor, owner: Owner, call: Call) -> Record:
    return own_card(vendor, owner, call, CARD_NOT_FOUND, "card")


def _person(call: Call) -> Json:
    fields = call.texts(*record_shapes.CARD_FIELDS_V4, most=200)
    call.email("email")
    return fields


def _create(vendor: Vendor, owner: Owner, card: Record, call: Call) -> Json:
    user = vendor.records.add("card_user", owner.id, {"email": "", **_person(call)})
    return record_shapes.card_user_v4(user, join(vendor, owner, card, user))


def _object(call: Call, name: str) -> Json:
    """An argument that is an object. Raises Refusal (300)."""
    value: Any = call.arguments.get(name)
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal(incorrect(name)) from None
    if value in (None, "", []):
        start = f"{name}["
        return {
            key[len(start) : -1]: text
            for key, text in call.arguments.items()
            if key.startswith(start) and key.endswith("]")
        }
    if not isinstance(value, dict):
        raise Refusal(incorrect(name))
    return value
