"""What the vendor's documents do not say and we go by all the same. Everything assumed is here, and only here.

Each line names what is not published. Where the live vendor differs, this is the file to change.
"""

# "List subaccounts" has no published response. Lists of the same vendor stand under a plural or a singular key.
SUBACCOUNT_LIST_KEYS = ("subaccounts", "subaccount")

# "Create subaccount" has no published response; a public client reads `subaccount.ID`.
CREATED_KEY = "subaccount"

# "Create password reset URL" has no published response; taken to look like a sign-on without a token.
RESET_KEY = "subaccount"

# "Account" and "Teammate" sign-on have no published response; taken to look like the subaccount's, under
# their own noun.
ACCOUNT_KEY = "account"
TEAMMATE_KEY = "teammate"

# The largest number of bytes that an answer about one thing, and a list, are expected to have.
MAX_REPLY_BYTES = 2 * 1024 * 1024
MAX_LIST_BYTES = 64 * 1024 * 1024
