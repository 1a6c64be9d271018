"""What the vendor's documents do not say and we go by all the same. Everything assumed is here, and only here.

Each line names what is not published. Where the live vendor differs, this is the file to change; the paths that
are guessed stand with their endpoints, marked as inferred.
"""

# "List subaccounts" has no published response. Lists of the same vendor stand under a plural or a singular key.
SUBACCOUNT_LIST_KEYS = ("subaccounts", "subaccount")

# How many there are, where the answer says so, as the vendor's other lists do: with fewer accounts it is no whole list.
SUBACCOUNT_TOTALS = ("amount_of_subaccounts", "amount_of_results")

# "Create subaccount" has no published response; a public client reads `subaccount.ID`.
CREATED_KEY = "subaccount"

# "Create password reset URL" has no published response; taken to look like a sign-on without a token.
RESET_KEY = "subaccount"

# "Account" and "Teammate" sign-on have no published response; taken to look like the subaccount's, under
# their own noun.
ACCOUNT_KEY = "account"
TEAMMATE_KEY = "teammate"

# Where a list or an object has no published name, it is the only one in the answer; of several, the one under the
# first of these names. See `contents.only_list` and `contents.only_object`.
USUAL_NAMES = ("data", "users", "user", "result", "results")

# The first page of a list. The documents name the parameter and not where it starts; a public client starts here.
# Users of a v4 directory are taken to come in pages as those of v3 do; where they do not, one call more is made,
# where they do and nobody asked for more, all but the newest hundred would be lost.
FIRST_PAGE = 1

# Times in the filters of usage data, as the document prints them. A public client sends a colon for the dash.
USAGE_TIME_FORMAT = "%Y-%m-%d %H-%M"

# "Search coupon session from a campaign" is in the menu only; taken to be "Search coupon session" with a campaign,
# as no other call of the vendor has a path per parent. "Retrieve all campaigns from a directory" is taken to be
# named as "Retrieve registered users from a directory" is; when a visitor registered, as sessions have it.

# Parameters whose names are not published: those of searches, of updates and of the text of an SMS.
SEARCH_PARAMETER = "search"
SESSION_ACTION_PARAMETER = "action"
SEVERAL_SESSIONS_PARAMETER = "couponsessions"
POINTS_PARAMETER = "amount"
LOYALTY_ACTION_PARAMETER = "action"
PAYMENT_STATUS_PARAMETER = "status"
REMOVED_CODE_PARAMETER = "single_use_code"
SMS_TEXT_PARAMETER = "message"

# v4 REST publishes no error body. A JSON answer with one of these says no for good; anything else makes no sense.
REST_INVALID_INPUT = (400, 422)
REST_NOT_FOUND = 404

# The largest number of bytes that an answer about one thing, and a list, are expected to have.
MAX_REPLY_BYTES = 2 * 1024 * 1024
MAX_LIST_BYTES = 64 * 1024 * 1024
