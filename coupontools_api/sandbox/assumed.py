"""What the documents do not publish and an endpoint cannot do without: paths, names of parameters, codes.

Shapes of answers are in `shapes`, `campaign_shapes` and `record_shapes`, marked where they are assumed.
Whatever a probe of the live vendor can tell apart is a switch in `settings`.
"""

# Paths of lines that stand in the vendor's menu only.
UPDATE_SUBACCOUNT = "/v4/subaccount/update"  # the sibling of /v4/subaccount/create
UPDATE_SESSIONS = "/v3/multiplecouponsession/update"  # as /v3/multiplesingleuse/create is named
PUSH_TO_ALL = "/v3/coupon/pushnotification/all"
PUSH_TO_CARD_USER = "/v3/loyalty/pushnotification/single"
PUSH_TO_ALL_CARD_USERS = "/v3/loyalty/pushnotification/all"
DIRECTORY_CAMPAIGNS = "/v3/directorycampaigns/list"  # as /v3/directoryusers/list is named
REMOVE_SINGLE_USE = "/v3/singleuse/remove"
# Paths that the public copies of the v4 pages are cut before.
UPDATE_CARD_USER_V4 = "/v4/loyalty/loyalty-cards/{card}/stats/{user}"
ADD_STAMPS_V4 = "/v4/loyalty/loyalty-cards/{card}/stats/{user}/stamps"
DIRECTORY_EMAIL_V4 = "/v4/directory/{directory}/distribution/email"
PATHS = frozenset(
    {
        UPDATE_SUBACCOUNT,
        UPDATE_SESSIONS,
        PUSH_TO_ALL,
        PUSH_TO_CARD_USER,
        PUSH_TO_ALL_CARD_USERS,
        DIRECTORY_CAMPAIGNS,
        REMOVE_SINGLE_USE,
        UPDATE_CARD_USER_V4,
        ADD_STAMPS_V4,
        DIRECTORY_EMAIL_V4,
    }
)

# "Update data from a coupon session": an action, or a flag of the same meaning.
SESSION_ACTIONS = ("open", "claim", "validate", "void", "unvoid")
SESSION_FLAGS = {"opened": "open", "claimed": "claim", "validated": "validate", "voided": "void"}
# "Search coupon session" looks at three things; `search` looks at all of them.
SEARCH_FIELDS = ("own_validation_code", "phone", "email")
# The code of a session that is to be removed.
SINGLE_USE_CODE = ("single_use_code", "couponsession")
# "Update loyalty card user": how much, in points or stamps as the card's type says, or by name.
CARD_AMOUNTS = ("amount", "points", "stamps")
# The vendor's page also sets "voided / not voided": as a session, by an action, or by a flag. Whether each voids.
CARD_ACTIONS = {"void": True, "unvoid": False}
# "Update directory user payment status".
PAYMENT_STATUS = ("payment_status", "status")
PAYMENT_STATUSES = ("paid", "unpaid")
SMS_TEXT = "message"

# Codes for what the lists of errors leave out.
CARD_USER_NOT_FOUND = (505, "Loyalty card user ID not found")
DIRECTORY_USER_NOT_FOUND = (507, "Directory user ID not found")
ADDRESS_HAS_ONE = (604, "Email address already received this campaign")
VOIDED = (300, "Coupon session is voided")
EXPIRED = (300, "Coupon session is expired")
NO_ACCESS = (300, "Directory user has no access")
# v4 REST: HTTP statuses for codes of the RPC dialect.
REST_STATUS = {1000: 401, 101: 403, 102: 403}
REST_NOT_FOUND = range(500, 600)
