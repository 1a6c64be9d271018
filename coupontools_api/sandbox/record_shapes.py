"""What answers about loyalty cards, directories, categories and groups look like.

Documented: a card of v4, "List groups" of the SMS tool. Third parties read `id`, `name` and `created_at` of v4
directories and their users. All else is assumed: RPC rows have an upper-case `ID` and values as text, v4 REST has a
lower-case `id` and real numbers and booleans; secrets never come back.
"""

from . import shapes
from .record_store import Record
from .replies import Json
from .settings import Settings

PERSON_V3 = ("email", "first_name", "last_name", "phone", "gender", "birthday", "city")
PERSON_V4 = ("first_name", "last_name", "address", "zip", "city", "phone", "email")
CARD_FIELDS_V4 = (*PERSON_V4, *(f"custom_{number}" for number in range(1, 9)))
DIRECTORY_FIELDS_V4 = (
    "email",
    "first_name",
    "last_name",
    "phone",
    "birth_date",
    "address",
    "zip",
    "city",
    *(f"custom_{number}" for number in range(1, 4)),
)


def card_row(settings: Settings, card: Record) -> Json:
    """Assumed."""
    data = card.data
    return {
        "ID": shapes.shown_id(settings, card.id),
        "code": data["code"],
        "name": data["name"],
        "type": data["type"],
        "domain": data["domain"],
        "status": data["status"],
        "created_date_utc": data["created"],
    }


def card_v4(card: Record) -> Json:
    """Source: GET /v4/loyalty/loyalty-cards, "List loyalty cards"."""
    return {"id": card.number, **{name: card.data[name] for name in ("code", "name", "domain", "type")}}


def card_user_row(settings: Settings, user: Record, membership: Record | None) -> Json:
    """Assumed."""
    row = {"ID": shapes.shown_id(settings, user.id), **_person(user, PERSON_V3)}
    if membership is not None:
        row |= {name: str(membership.data[name]) for name in ("points", "stamps")}
        row |= {"voided": "1" if membership.data["voided"] else "0", "created_date_utc": membership.data["created"]}
    return row


def card_user_v4(user: Record, membership: Record) -> Json:
    """Assumed."""
    return {
        "id": user.number,
        **_person(user, CARD_FIELDS_V4),
        "points": membership.data["points"],
        "stamps": membership.data["stamps"],
        "voided": membership.data["voided"],
        "created_at": membership.data["created"],
    }


def directory_row(settings: Settings, directory: Record) -> Json:
    """Assumed."""
    return {
        "ID": shapes.shown_id(settings, directory.id),
        "name": directory.data["name"],
        "status": directory.data["status"],
        "created_date_utc": directory.data["created"],
    }


def directory_v4(directory: Record) -> Json:
    """`id` and `name` are read by a third party; the rest is assumed."""
    data = directory.data
    return {"id": directory.number, "name": data["name"], "status": data["status"], "created_at": data["created"]}


def directory_user_row(settings: Settings, user: Record) -> Json:
    """Assumed."""
    data = user.data
    return {
        "ID": shapes.shown_id(settings, user.id),
        **_person(user, ("email", "first_name", "last_name", "phone")),
        "payment_status": data["payment_status"],
        "blocked": "1" if data["blocked"] else "0",
        "created_date_utc": data["created"],
    }


def directory_user_v4(user: Record) -> Json:
    """`id` and `created_at` are read by a third party; the rest is assumed."""
    data = user.data
    return {
        "id": user.number,
        **_person(user, DIRECTORY_FIELDS_V4),
        "block": data["blocked"],
        "access": data["payment_status"] == "paid",
        "expires_at": data.get("expires_at") or None,
        "created_at": data["created"],
    }


def category_row(settings: Settings, category: Record) -> Json:
    """Assumed."""
    return {"ID": shapes.shown_id(settings, category.id), "name": category.data["name"]}


def group_row(settings: Settings, group: Record) -> Json:
    """Source: POST /v3/smstool/grouplist, "List groups"."""
    return {"ID": shapes.shown_id(settings, group.id), "name": group.data["name"]}


def contact_row(settings: Settings, contact: Record) -> Json:
    """Assumed."""
    return {"ID": shapes.shown_id(settings, contact.id), **contact.data}


def _person(user: Record, names: tuple[str, ...]) -> Json:
    return {name: user.data.get(name, "") for name in names}
