"""Loyalty cards in the RPC dialect: cards, their users, points and stamps, push notifications."""

from . import record_shapes, shapes
from .arguments import NO_ID, Call, Refusal, incorrect, invalid_character, missing
from .assumed import CARD_ACTIONS, CARD_AMOUNTS, CARD_USER_NOT_FOUND
from .campaign_store import moment_text
from .paging import DAY
from .record_store import Record
from .replies import Json
from .state import Owner
from .vendor import Vendor

CARD_NOT_FOUND = (507, "Loyalty card not found")
CARD_ID_NOT_FOUND = (505, "Loyalty card ID not found")
GENDERS = ("male", "female", "unknown")
SHORTEST_SEARCH = 3
SEARCH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_@")


def list_cards(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """An owner's cards, the oldest first unless `sorting` says desc. Raises Refusal (302).

    Source: POST /v3/loyalty/list, "Retrieve a list of your loyalty cards". The answer and the code are assumed.
    """
    cards = vendor.records.all_of("card", owner.id)
    if call.flag("only_active"):
        cards = [card for card in cards if card.data["status"] == "active"]
    if call.choice("sorting", ("asc", "desc")) == "desc":
        cards.reverse()
    settings = vendor.state.settings
    rows = [record_shapes.card_row(settings, card) for card in cards]
    return shapes.listing(settings, "loyaltycard", "loyaltycards", rows)


def get_card(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One card. Raises Refusal (200, 301, 507).

    Source: POST /v3/loyalty/info, "Loyalty card information". The answer is assumed.
    """
    card = own_card(vendor, owner, call, CARD_NOT_FOUND)
    return {"loyaltycard": record_shapes.card_row(vendor.state.settings, card)}


def list_users(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """All users of a card. Raises Refusal (200, 301, 505).

    Source: POST /v3/loyaltyusers/list, "Retrieve a list of users from a loyalty card".
    The answer is assumed, and 200.
    """
    card = own_card(vendor, owner, call, CARD_ID_NOT_FOUND)
    return _users(vendor, members(vendor, owner, card))


def search_users(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Users of a card whose address, names or phone hold a text. Raises Refusal (200, 300, 301, 505).

    Source: POST /v3/loyaltyusers/search, "Search users". The answer and the codes are assumed.
    """
    card = own_card(vendor, owner, call, CARD_ID_NOT_FOUND)
    wanted = call.required("search")
    if not set(wanted) <= SEARCH_CHARACTERS:
        raise Refusal(invalid_character("search"))
    if len(wanted) < SHORTEST_SEARCH:
        raise Refusal(incorrect("search"))
    found = [
        (user, membership)
        for user, membership in members(vendor, owner, card)
        if any(
            wanted.casefold() in str(user.data.get(name, "")).casefold()
            for name in ("email", "first_name", "last_name", "phone")
        )
    ]
    return _users(vendor, found)


def create_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A user who holds no card yet. Raises Refusal (200, 302, 303, 304, 305).

    Source: POST /v3/loyaltyusers/create, "Create user". The answer is assumed, and all codes but 200.
    """
    email, _ = call.required("email"), call.required("password")
    call.email("email")
    call.choice("gender", GENDERS)
    call.written("birthday", DAY, "YYYY-MM-DD")
    first_name = call.texts("first_name") or {"first_name": call.text("first_Name") or ""}
    users = vendor.records.all_of("card_user", owner.id)
    if any(user.data["email"].casefold() == email.casefold() for user in users):
        raise Refusal((304, "Email already exists"))
    fields = call.texts("phone", "last_name", "gender", "birthday", "city")
    user = vendor.records.add("card_user", owner.id, {"email": email, **first_name, **fields})
    vendor.ledger.effect("card_user_created", owner=owner.id, user=user.id)
    return {"user": record_shapes.card_user_row(vendor.state.settings, user, None)}


def link_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Give a user a card. Raises Refusal (200, 301, 505).

    Source: POST /v3/loyaltyusers/link, "Link user". The answer and the codes are assumed.
    """
    card = own_card(vendor, owner, call, CARD_ID_NOT_FOUND)
    user = vendor.records.get("card_user", owner.id, call.required_number("user", NO_ID))
    if user is None:
        raise Refusal(CARD_USER_NOT_FOUND)
    membership = join(vendor, owner, card, user)
    return {"user": record_shapes.card_user_row(vendor.state.settings, user, membership)}


def update_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Give a user points or stamps, or void the card and take that back.

    Raises Refusal (200, 301, 302, 505).

    Source: POST /v3/loyaltyusers/update, "Update loyalty card user", which is cut after `user`.
    Assumed: all other parameters, the answer, and the codes. An amount is added to what is there. An action counts
    before a flag that says otherwise.
    """
    card = own_card(vendor, owner, call, CARD_ID_NOT_FOUND)
    user, membership = member(vendor, owner, card, call)
    action, voided = call.choice("action", tuple(CARD_ACTIONS)), call.flag("voided")
    if action is not None:
        voided = CARD_ACTIONS[action]
    given = {name: call.whole(name, 0) for name in CARD_AMOUNTS if call.has(name)}
    if not given and voided is None:
        raise Refusal(missing("amount"))
    changed = give(vendor, owner, card, membership, given, voided)
    return {"user": record_shapes.card_user_row(vendor.state.settings, user, changed)}


def push(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A message to one user of a card. Raises Refusal (200, 301, 505).

    Source: "Send single push notification" is in the vendor's menu only. Everything is assumed.
    """
    card = own_card(vendor, owner, call, CARD_ID_NOT_FOUND)
    user, _ = member(vendor, owner, card, call)
    vendor.ledger.effect("push", owner=owner.id, card=card.id, user=user.id, message=call.required("message"))
    return {}


def push_to_all(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A message to all users of a card. Raises Refusal (200, 301, 505).

    Source: "Send push notification to all" is in the vendor's menu only. Everything is assumed.
    """
    card = own_card(vendor, owner, call, CARD_ID_NOT_FOUND)
    message = call.required("message")
    amount = len(members(vendor, owner, card))
    vendor.ledger.effect("push_to_all", owner=owner.id, card=card.id, message=message, users=amount)
    return {}


def own_card(vendor: Vendor, owner: Owner, call: Call, not_found: tuple[int, str], name: str = "loyaltycard") -> Record:
    """The card that a call names. Raises Refusal (200, 301, and the code that the endpoint has for it)."""
    card = vendor.records.get("card", owner.id, call.required_number(name, NO_ID))
    if card is None:
        raise Refusal(not_found)
    return card


def members(vendor: Vendor, owner: Owner, card: Record) -> list[tuple[Record, Record]]:
    """The users of a card, each with what it holds."""
    users = {user.number: user for user in vendor.records.all_of("card_user", owner.id)}
    rows = vendor.records.all_of("membership", owner.id, card.number)
    return [(users[row.data["user"]], row) for row in rows]


def member(vendor: Vendor, owner: Owner, card: Record, call: Call) -> tuple[Record, Record]:
    """The user of a card that a call names. Raises Refusal (200, 301, 505)."""
    number = call.required_number("user", NO_ID)
    found = next((pair for pair in members(vendor, owner, card) if pair[0].number == number), None)
    if found is None:
        raise Refusal(CARD_USER_NOT_FOUND)
    return found


def join(vendor: Vendor, owner: Owner, card: Record, user: Record) -> Record:
    """What a user holds of a card; an empty one if it held none."""
    rows = vendor.records.all_of("membership", owner.id, card.number)
    held = next((row for row in rows if row.data["user"] == user.number), None)
    if held is not None:
        return held
    data = {"user": user.number, "points": 0, "stamps": 0, "voided": False, "created": moment_text()}
    vendor.ledger.effect("card_user_linked", owner=owner.id, card=card.id, user=user.id)
    return vendor.records.add("membership", owner.id, data, card.number)


def give(
    vendor: Vendor, owner: Owner, card: Record, membership: Record, given: dict[str, int], voided: bool | None
) -> Record:
    """Add points and stamps, and void or not. `amount` is points or stamps, as the card's type says."""
    usual = "stamps" if card.data["type"] == "stamp" else "points"
    changes: Json = {} if voided is None else {"voided": voided}
    for name, amount in given.items():
        what = usual if name == "amount" else name
        before: int = changes[what] if what in changes else membership.data[what]
        changes[what] = before + amount
    vendor.ledger.effect("card_user_updated", owner=owner.id, card=card.id, user=membership.data["user"], **changes)
    return vendor.records.change(membership, **changes)


def _users(vendor: Vendor, found: list[tuple[Record, Record]]) -> Json:
    settings = vendor.state.settings
    rows = [record_shapes.card_user_row(settings, user, membership) for user, membership in found]
    return shapes.listing(settings, "user", "users", rows)
