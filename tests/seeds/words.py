"""The words by which `faults.py` knows what keeps agencies, customers and roles apart."""

# Where requests are let in or not: here every condition about who asks, or where, counts as a check.
GATES = (
    "portal/middleware.py",
    "portal/viewing.py",
    "portal/adapter.py",
    "portal/scope.py",
    "accounts/models/scope.py",
)
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
}
# What ends somebody's place, a token or a look: a row that is over counts as if it were not, when it is not asked for.
OVER = {
    "suspended_at",
    "closed_at",
    "stopped_at",
    "expires_at__gt",
    "revoked_at",
    "ended_at",
    "opened_at",
    "accepted_at",
    "is_active",
    "is_staff",
    "verified",
    "role",
    "staff_role",
    "person__is_active",
}
WHO = {"agency_id", "staff_role", "is_operator", "acting_user", "acting", "owners_only", "may_launch"}
WHO |= {"may_change", "may_export", "may_erase"}
PINS = {
    "pk",
    "pk__in",
    "customer",
    "customer_id",
    "customer_id__in",
    "person",
    "subaccount",
    "vendor_account",
    "customer__memberships__person",
    "memberships__person",
    # Events, notes and jobs name things by their keys, which no two things share.
    "actor_id",
    "on_behalf_of",
    "object_id",
    "event__object_id",
    "event__on_behalf_of",
    "author_id",
    "accepted_by",
    "contact",
    "customer__in",
    "once__startswith",
    "payload__customer",
    "payload__subaccount",
    "payload__invitation",
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
PERMITS = ("may_", "_may", "is_safe", "is_operator", "belongs_here", "owners_only")
FEWER = {"OWNERS", "MANAGERS", "SUPPORTERS"}
