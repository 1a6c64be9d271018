"""The assumptions of `./run vendor-check` by the words that it prints, what turns each round, and whom it asks."""

from collections.abc import Callable
from typing import Any

import pytest

from coupontools_api.sandbox import Sandbox, server
from coupontools_api.vendor_findings import PANEL_HOST

TOKEN_USES = "a sign-on URL works once"
HOST_OF_URL = f"the sign-on URL leads to {PANEL_HOST}"
WHOLE_LIST = "the list is whole: no pages"
VERSIONS = "the host answers on /v3 and /v4"
WHITELABEL = "white-label sign-on URL"
PAGES = "sign-on takes every page"
FIRST_PAGE = "the first page of sessions is number 1"
TIMES = "times in filters are written hh-mm"

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
    (FIRST_PAGE, {"first_page": 0}),
    (TIMES, {"filter_time": "colon"}),
    (TIMES, {"date_filters": "ignored"}),
    (TIMES, {"date_filters": "nothing"}),
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


def between_calls(monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]) -> None:
    """Lets something happen at the vendor after each call that it answers; the change is told which call that was."""
    perform, calls = server.perform, 0

    def performed(*call: Any) -> Any:
        nonlocal calls
        outcome = perform(*call)
        calls += 1
        change(calls)
        return outcome

    monkeypatch.setattr(server, "perform", performed)


def grow(sandbox: Sandbox, call: int) -> None:
    """A subaccount more, and of each of the account's own campaigns a coupon that is taken and an older one used."""
    sandbox.add_subaccount(CLIENT_ID, email=f"made-{call}@bakery.test")
    store = sandbox._vendor.campaigns
    for campaign in store.campaigns("acc_1"):
        store.advance(store.new_session(campaign, {}), "claimed")
        store.advance(store.sessions(campaign.number, "created", "0", "9")[call], "validated")
