"""Directories in the RPC dialect: directories, their campaigns and users, payment status, categories."""

from . import campaign_shapes, record_shapes, shapes
from .arguments import Call, Refusal, missing, not_in_list
from .assumed import DIRECTORY_USER_NOT_FOUND, PAYMENT_STATUS, PAYMENT_STATUSES
from .campaign_store import moment_text
from .paging import offset
from .record_store import Record
from .replies import Json
from .state import Owner
from .vendor import Vendor

DIRECTORY_NOT_FOUND = (507, "Directory ID not found")


def list_directories(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Source: POST /v3/directory/list, "Retrieve a list of your directories". The answer is assumed."""
    settings = vendor.state.settings
    rows = [record_shapes.directory_row(settings, row) for row in vendor.records.all_of("directory", owner.id)]
    return shapes.listing(settings, "directory", "directories", rows)


def get_directory(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One directory. Raises Refusal (200, 301, 507).

    Source: POST /v3/directory/info, "Retrieve information from a directory". The answer is assumed, and 200.
    """
    directory = own_directory(vendor, owner, call)
    return {"directory": record_shapes.directory_row(vendor.state.settings, directory)}


def list_campaigns(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """The campaigns that a directory shows. Raises Refusal (200, 301, 507).

    Source: "Retrieve all campaigns from a directory" is in the vendor's menu only. Everything is assumed.
    """
    directory = own_directory(vendor, owner, call)
    settings = vendor.state.settings
    rows = [
        campaign_shapes.campaign_row(settings, vendor.panel_url, campaign)
        for campaign in vendor.campaigns.campaigns(owner.id)
        if campaign.fields.get("directory") == directory.id
    ]
    return {"coupon_info": rows}


def list_users(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A page of the users of a directory, the newest first. Raises Refusal (200, 301, 507).

    Source: POST /v3/directoryusers/list, "Retrieve registered users from a directory". The answer is assumed, and 200.
    """
    settings = vendor.state.settings
    users = page_of_users(vendor, owner, call)
    return shapes.listing(
        settings, "user", "users", [record_shapes.directory_user_row(settings, user) for user in users]
    )


def set_payment_status(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Let a user in who has paid, or out again. Raises Refusal (200, 301, 302, 507).

    Source: POST /v3/directoryusers/update, "Update directory user payment status", which is cut after `user`.
    Assumed: the name and the values of the status, the answer, and the codes.
    """
    directory = own_directory(vendor, owner, call)
    user = own_user(vendor, owner, call, directory)
    name = next((name for name in PAYMENT_STATUS if call.has(name)), None)
    if name is None:
        raise Refusal(missing(PAYMENT_STATUS[0]))
    flag = {"true": "paid", "1": "paid", "false": "unpaid", "0": "unpaid"}
    status = flag.get(call.required(name), call.required(name))
    if status not in PAYMENT_STATUSES:
        raise Refusal(not_in_list(name))
    changed = change_user(vendor, user, payment_status=status)
    return {"user": record_shapes.directory_user_row(vendor.state.settings, changed)}


def list_categories(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Source: POST /v3/category/list, "Retrieve a list of categories". The answer is assumed."""
    return _categories(vendor, owner, "category")


def list_third_level_categories(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Source: POST /v3/category/main/list, "Retrieve a list of 3rd level categories". The answer is assumed."""
    return _categories(vendor, owner, "third_level_category")


def own_directory(vendor: Vendor, owner: Owner, call: Call) -> Record:
    """The directory that a call names. Raises Refusal (200, 301, 507)."""
    directory = vendor.records.get("directory", owner.id, call.required_number("directory", "dir"))
    if directory is None:
        raise Refusal(DIRECTORY_NOT_FOUND)
    return directory


def own_user(vendor: Vendor, owner: Owner, call: Call, directory: Record) -> Record:
    """The user of a directory that a call names. Raises Refusal (200, 301, 507)."""
    user = vendor.records.get("directory_user", owner.id, call.required_number("user", "reg"))
    if user is None or user.parent != directory.number:
        raise Refusal(DIRECTORY_USER_NOT_FOUND)
    return user


def page_of_users(vendor: Vendor, owner: Owner, call: Call) -> list[Record]:
    """Raises Refusal (200, 301, 507)."""
    directory = own_directory(vendor, owner, call)
    settings = vendor.state.settings
    start = offset(settings, call, settings.directory_page_size)
    users = vendor.records.all_of("directory_user", owner.id, directory.number)
    users.sort(key=lambda user: (user.data["created"], user.number), reverse=True)
    return users[start : start + settings.directory_page_size]


def is_let_in(user: Record) -> bool:
    """Whether a user has paid, or was given access that has not ended, and is not blocked. Assumed: nobody else is."""
    ends = user.data.get("expires_at")
    return user.data["payment_status"] == "paid" and not user.data["blocked"] and not (ends and ends <= moment_text())


def change_user(vendor: Vendor, user: Record, **changes: object) -> Record:
    vendor.ledger.effect("directory_user_updated", owner=user.owner, user=user.id, **changes)
    return vendor.records.change(user, **changes)


def _categories(vendor: Vendor, owner: Owner, kind: str) -> Json:
    settings = vendor.state.settings
    rows = [record_shapes.category_row(settings, category) for category in vendor.records.all_of(kind, owner.id)]
    return shapes.listing(settings, "category", "categories", rows)
