"""The words by which `faults.py` knows what keeps agencies, customers and roles apart."""

# Where requests are let in or not: here every condition about who asks, or where, counts as a check.
GATES = (
    "portal/middleware.py",
    "portal/viewing.py",
    "portal/adapter.py",
    "portal/scope.py",
    "accounts/models/scope.py",
    "portal/pending.py",
)
# What comes after the column in a keyword and leaves whose rows are meant: `customer__in`. Not `gt`, where a page goes
# on, nor `lt`: what is over for some time is looked for to be deleted.
LOOKUPS = {"in", "exact", "iexact", "isnull"}
# Whoever is asked for by a column of somebody else's row: `user__email`.
SOMEBODY = {"person", "user", "operator"}
OWNERS = {
    "agency",
    "customer",
    "person",
    "user",
    "vendor_account",
    "subaccount",
    "operator",
    "memberships",
    "public_id",
    # Somebody in a part of their own.
    "contact",
    "accepted_by",
    "asked_by",
    "actor",
    "author",
    "on_behalf_of",
    "object_id",
}
# What ends somebody's place, a token or a look: a row that is over counts as if it were not, when it is not asked for.
OVER = {
    "suspended_at",
    "closed_at",
    "stopped_at",
    "expires_at__gt",
    "created_at__gt",
    "revoked_at",
    "ended_at",
    "opened_at",
    "accepted_at",
    "is_active",
    "is_staff",
    "verified",
    "role",
    "staff_role",
}
# Counts in conditions about one row only: in a query it merely picks rows for a list.
IN_THE_WAY = {"paused_at", "state"}
WHO = {"agency_id", "staff_role", "is_operator", "acting_user", "acting", "owners_only", "may_launch"}
WHO |= {"may_change", "may_export", "may_erase"}
PINS = {
    "pk",
    "customer",
    "customer_id",
    "person",
    "subaccount",
    "vendor_account",
    # Events, notes and jobs name things by their keys, which no two things share.
    "actor_id",
    "on_behalf_of",
    "object_id",
    "author_id",
    "accepted_by",
    "contact",
    "once__startswith",
    "invitation",
}
WHERE = {
    "host",
    "served",
    "scope",
    "session",
    "view",
    "view_as",
    "person",
    "agency",
    "user",
    "PLATFORM_HOST",
    "port",
    "key",
}
REFUSALS = {"Http404", "PermissionDenied", "NotAllowed"}
# Functions that say whether somebody may: `may_export`, `is_safe_url`.
PERMITS = (
    "may_",
    "_may",
    "_is_owed",
    "is_safe",
    "is_operator",
    "belongs_",
    "owners_only",
    "_is_vouched_for",
    "has_sign_in",
)
# Of Django's admin the site alone: its models have no address to add or delete at, and no field that takes a value.
PERMITS += ("_are_who", "lookup_allowed", "has_permission")
FEWER = {"OWNERS", "MANAGERS", "SUPPORTERS"}


def permits(name: str) -> bool:
    """Whether a function of that name says if somebody may."""
    return name.startswith(PERMITS)


def column(keyword: str | None) -> list[str]:
    """The parts of a keyword of a filter, without what compares: `customer__memberships__role`, `customer__in`."""
    parts = (keyword or "").split("__")
    return parts[:-1] if len(parts) > 1 and parts[-1] in LOOKUPS else parts


def pins(keyword: str | None) -> bool:
    """Whether a keyword asks by a key; one of the thing itself, or of what it belongs to."""
    return keyword in PINS or column(keyword)[-1] in PINS


def keeps_apart(keyword: str | None, *, is_constant: bool) -> bool:
    """Whether a keyword of a filter says whose rows are meant, or that those that are over are not.

    Its last part decides: `subaccount__customer__in` is about an owner, `customer__closed_at` about what is over. An
    earlier one does if it is somebody: `user__email`. A constant picks a kind of row, `customer=None`, and no owner;
    unless it is asked of a row that this one hangs on: `operator__agency=None`.
    """
    if keyword == "agency__in":
        return False  # several of them: work is shared out among agencies, and none is asked for
    *earlier, last = column(keyword)
    if keyword in OVER or last in OVER:
        return True
    is_owner = last in OWNERS or last.removesuffix("_id") in OWNERS or not SOMEBODY.isdisjoint(earlier)
    return is_owner and (not is_constant or bool(earlier))
