"""Directories in the v4 REST dialect: bare arrays and objects, ids in the path."""

from . import record_shapes
from .arguments import Call, Refusal
from .assumed import NO_ACCESS
from .campaign_store import moment_text
from .directories import change_user, is_let_in, own_directory, own_user, page_of_users
from .messages import require_integration
from .paging import DAY
from .record_store import Record
from .replies import Json
from .state import Owner
from .vendor import Vendor

MOMENT = "%Y-%m-%d %H:%M:%S"


def list_directories(vendor: Vendor, owner: Owner, call: Call) -> list[Json]:
    """Source: GET /v4/directory, "List directories"."""
    return [record_shapes.directory_v4(directory) for directory in vendor.records.all_of("directory", owner.id)]


def get_directory(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One directory. Raises Refusal (301, 507). Source: GET /v4/directory/{id}. The answer is assumed."""
    return record_shapes.directory_v4(own_directory(vendor, owner, call))


def list_users(vendor: Vendor, owner: Owner, call: Call) -> list[Json]:
    """A page of the users of a directory, the newest first. Raises Refusal (301, 507).

    Source: GET /v4/directory/{id}/users. Assumed: paging as in the RPC dialect.
    """
    return [record_shapes.directory_user_v4(user) for user in page_of_users(vendor, owner, call)]


def get_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One user of a directory. Raises Refusal (301, 507). Source: GET /v4/directory/{id}/users/{userId}."""
    return record_shapes.directory_user_v4(_user(vendor, owner, call))


def create_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A new user of a directory. Raises Refusal (200, 300, 301, 303, 304, 305, 507).

    Source: POST /v4/directory/{id}/users, "Create user". The answer and the codes are assumed.
    """
    directory = own_directory(vendor, owner, call)
    email = call.required("email")
    call.email("email")
    call.written("birth_date", DAY, "YYYY-MM-DD")
    fields = call.texts(*record_shapes.DIRECTORY_FIELDS_V4, most=200)
    users = vendor.records.all_of("directory_user", owner.id, directory.number)
    if any(user.data["email"].casefold() == email.casefold() for user in users):
        raise Refusal((304, "Email already exists"))
    data = {**fields, "payment_status": "unpaid", "blocked": False, "created": moment_text()}
    user = vendor.records.add("directory_user", owner.id, data, directory.number)
    vendor.ledger.effect("directory_user_created", owner=owner.id, directory=directory.id, user=user.id)
    return record_shapes.directory_user_v4(user)


def block_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Block a user of a directory, or take that back. Raises Refusal (301, 302, 507).

    Source: POST /v4/directory/{id}/users/{userId}, "Update user": it "currently only supports block".
    The answer is assumed, and 302.
    """
    user, block = _user(vendor, owner, call), call.flag("block")
    return record_shapes.directory_user_v4(user if block is None else change_user(vendor, user, blocked=block))


def grant_access(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Let a user in, until `expires_at` if given (UTC). Raises Refusal (301, 303, 507).

    Source: POST /v4/directory/{id}/users/{userId}/access. The answer is assumed, and 303.
    """
    user = _user(vendor, owner, call)
    expires_at = call.written("expires_at", MOMENT, "YYYY-MM-DD HH:MM:SS") or ""
    changed = change_user(vendor, user, payment_status="paid", expires_at=expires_at)
    return record_shapes.directory_user_v4(changed)


def revoke_access(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Let a user in no longer. Raises Refusal (301, 507).

    Source: DELETE /v4/directory/{id}/users/{userId}/access. The answer is assumed.
    """
    changed = change_user(vendor, _user(vendor, owner, call), payment_status="unpaid", expires_at="")
    return record_shapes.directory_user_v4(changed)


def sign_on_user(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A one-time way into the directory for a user. Raises Refusal (300, 301, 507).

    Source: POST /v4/directory/{id}/users/{userId}/sso. The answer is assumed, but for that its token is valid once,
    and so is 300 for who is blocked or has no access.
    """
    user = _user(vendor, owner, call)
    if not is_let_in(user):
        raise Refusal(NO_ACCESS)
    token = vendor.state.new_token("directory", {"owner": owner.id, "user": user.number})
    vendor.ledger.effect("sign_on", of="directory_user", owner=owner.id, user=user.id)
    return {"id": user.number, "token": token, "url": f"{vendor.panel_url}/d/?token={token}"}


def send_email(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Send a directory by e-mail. Raises Refusal (104, 200, 301, 305, 507).

    Source: "Distribution" is cut before its path. Everything is assumed.
    """
    require_integration(owner, "email")
    directory = own_directory(vendor, owner, call)
    email = call.required("email")
    call.email("email")
    vendor.ledger.effect("email_sent", owner=owner.id, directory=directory.id, email=email)
    return {"action": "email_sent"}


def _user(vendor: Vendor, owner: Owner, call: Call) -> Record:
    return own_user(vendor, owner, call, own_directory(vendor, owner, call))
