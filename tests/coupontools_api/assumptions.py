"""The assumptions of `./run vendor-check` by the words that it prints, what turns each round, and whom it asks."""

from typing import Any

from coupontools_api.sandbox import Sandbox
from coupontools_api.vendor_findings import PANEL_HOST

TOKEN_USES = "a sign-on URL works once"
HOST_OF_URL = f"the sign-on URL leads to {PANEL_HOST}"
WHOLE_LIST = "the list is whole: no pages"
VERSIONS = "the host answers on /v3 and /v4"
WHITELABEL = "white-label sign-on URL"
PAGES = "sign-on takes every page"

# Each assumption, and the switches of the sandbox that turn it round.
FLIPS: list[tuple[str, dict[str, Any]]] = [
    ("credentials in headers are taken", {"rpc_credentials": "body"}),
    ("errors carry the HTTP status that they name", {"real_status": False}),
    ("wrong credentials: one code, inside `status`", {"login_envelope": "E-VALID"}),
    ("wrong credentials: one code, inside `status`", {"login_envelope": "E-TOP"}),
    ("other errors: lists of codes, inside `status`", {"error_envelope": "E-TOP"}),
    ("the list stands under `subaccounts`", {"list_key": "subaccount"}),
    ("the list stands under `subaccounts`", {"list_envelope": "bare"}),
    (WHOLE_LIST, {"subaccount_page_size": 1}),
    (WHOLE_LIST, {"subaccount_page_size": 2}),
    ("ids come as sub_… everywhere", {"id_style": "bare"}),
    ("get answers the documented fields", {"details": "brief"}),
    ("the first page of sessions is number 1", {"first_page": 0}),
    ("times in filters are written hh-mm", {"filter_time": "colon"}),
    ("v4 REST takes credentials in x-api headers", {"rest_headers": "x-client"}),
    ("the sign-on URL carries the token", {"token_in_url": False}),
    (PAGES, {"sign_on_page": False}),
]

CLIENT_ID, CLIENT_SECRET = "north-id-canary", "north-secret-canary"


def furnish(sandbox: Sandbox) -> str:
    """Three subaccounts, the first of them with a campaign, and some campaigns of the account's own; answers its id."""
    sandbox.settings(world_seed=7, world_days=20)
    sandbox.add_account(CLIENT_ID, CLIENT_SECRET)
    bo, *_ = [
        sandbox.add_subaccount(CLIENT_ID, email=f"{name}@bakery.test", company_name=f"{name.capitalize()} Bakery")
        for name in ("bo", "di", "ed")
    ]
    sandbox.add_campaign(bo, name="Bread for Bo")
    return bo
