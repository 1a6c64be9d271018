"""The endpoints about subaccounts and sign-ons, which a subaccount's own keys may not use."""

from . import assumed, sign_ons, subaccounts
from .route import DOCUMENTED, INFERRED, Route, rpc

SUBACCOUNT_FIELDS = "password package status first_name last_name country company_name expiry_date"

SUBACCOUNT_ROUTES: tuple[Route, ...] = (
    rpc(
        "/v4/subaccount/list",
        subaccounts.list_subaccounts,
        DOCUMENTED,
        "List subaccounts / Retrieve a list of subaccounts",
        manages=True,
    ),
    rpc(
        "/v4/subaccount",
        subaccounts.get_subaccount,
        DOCUMENTED,
        "Get subaccount / Retrieve info of a subaccount",
        required="subaccount",
        codes=(200, 301, 510),
        manages=True,
    ),
    rpc(
        "/v4/subaccount/create",
        subaccounts.create_subaccount,
        DOCUMENTED,
        "Create subaccount / Create a subaccount",
        required="email",
        optional=SUBACCOUNT_FIELDS,
        codes=(200, 302, 303, 304, 305),
        manages=True,
    ),
    rpc(
        assumed.UPDATE_SUBACCOUNT,
        subaccounts.update_subaccount,
        INFERRED,
        "Update a subaccount",
        required="subaccount",
        optional=f"email {SUBACCOUNT_FIELDS}",
        codes=(200, 301, 302, 303, 304, 305, 510),
        manages=True,
    ),
    rpc(
        "/v3/subaccount/reset/url",
        subaccounts.make_reset_url,
        DOCUMENTED,
        "Create password reset URL / Create password reset url for subaccount",
        required="subaccount",
        codes=(200, 301, 510),
        manages=True,
    ),
    rpc(
        "/v3/subaccount/sso",
        sign_ons.sign_on_subaccount,
        DOCUMENTED,
        "Create single sign on (subaccount) / Single sign on for subaccounts",
        required="subaccount",
        optional="page campaign",
        codes=(200, 301, 302, 502, 510),
        manages=True,
    ),
    rpc("/v3/account/sso", sign_ons.sign_on_account, DOCUMENTED, "Create single sign on (account)", manages=True),
    rpc(
        "/v3/teammate/sso",
        sign_ons.sign_on_teammate,
        DOCUMENTED,
        "Create single sign on (teammate)",
        required="teammate",
        optional="page campaign",
        codes=(200, 301, 302, 502, 503),
        manages=True,
    ),
)
