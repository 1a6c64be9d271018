"""The launch and the password link: what may be asked for, what is refused, and what is never kept."""

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import handoff, vendor
from accounts.models import Agency, Campaign, Customer, Event, Job, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories

SSO = "/v3/subaccount/sso"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def launch(bo_client: Client, active: Subaccount, sandbox: Sandbox) -> Callable[..., Any]:
    sandbox.clear_ledger()

    def click(door: str = "launch", **data: str) -> Any:
        return bo_client.post(f"/c/{active.customer.public_id}/{door}/", data)

    return click


def first_campaign(subaccount: Subaccount) -> str:
    return subaccount.campaigns.order_by("pk")[0].vendor_id


@pytest.mark.parametrize("page", ["", "campaigns", "add_campaign", "statistics", "distribution"])
def test_it_opens_each_page_with_one_vendor_call(page: str, launch: Any, sandbox: Sandbox, active: Subaccount):
    answer = launch(page=page)

    assert answer.status_code == 303
    [request] = sandbox.requests()
    assert request.path == SSO
    assert request.arguments == {"subaccount": active.vendor_id} | ({"page": page} if page else {})


def test_it_opens_one_campaign_for_editing(launch: Any, sandbox: Sandbox, active: Subaccount):
    campaign = first_campaign(active)

    answer = launch(page="update_campaign", campaign=campaign)

    assert answer.status_code == 303
    assert sandbox.requests()[0].arguments["campaign"] == campaign


def test_the_campaigns_are_read_again_a_minute_after_a_launch(launch: Any, active: Subaccount):
    launch(page="campaigns")
    launch(page="add_campaign")

    [job] = Job.objects.for_agency(active.agency).filter(kind=Job.Kind.REFRESH, done_at=None)
    assert 55 < (job.run_at - timezone.now()).total_seconds() <= 60


def test_a_page_that_the_vendor_refuses_can_be_left_out(launch: Any, sandbox: Sandbox, active: Subaccount):
    VendorAccount.objects.filter(agency__name="North").update(offers_pages=False)

    assert launch(page="campaigns").status_code == 303
    assert "page" not in sandbox.requests()[0].arguments


@pytest.mark.parametrize(
    "data",
    [
        {"page": "billing"},
        {"page": "CAMPAIGNS"},
        {"page": "update_campaign"},
        {"page": "update_campaign", "campaign": ""},
        {"page": "update_campaign", "campaign": "cam_999999"},
        {"page": "update_campaign", "campaign": "cam_1; drop"},
    ],
)
def test_an_unknown_page_or_campaign_is_refused_without_a_call(data: dict[str, str], launch: Any, sandbox: Sandbox):
    assert launch(**data).status_code == 400
    assert sandbox.requests() == []


def test_a_campaign_of_another_customer_is_refused_like_an_unknown_one(launch: Any, sandbox: Sandbox, north: Agency):
    kim = factories.person(north, "kim@shop.example")
    hers = factories.activate(factories.customer(north, kim), sandbox, "north-id", campaigns=["Hers"])
    sandbox.clear_ledger()

    foreign = launch(page="update_campaign", campaign=first_campaign(hers))
    unknown = launch(page="update_campaign", campaign="cam_999999")

    assert (foreign.status_code, unknown.status_code) == (400, 400)
    assert sandbox.requests() == []


def _problem(answer: Any) -> str:
    text = " ".join(answer.text.split())
    return text[text.index("<h1") : text.index("</main>")]


REFUSALS = [
    ("wrong_id", {"id": "sub_424242"}, 502, "did not fit"),
    ("wrong_token", {}, 502, "did not fit"),
    ("wrong_host", {"host": "evil.example"}, 502, "did not fit"),
    ("wrong_host", {"host": "www.controlpanel.center.evil.example"}, 502, "did not fit"),
    ("redirect", {"location": "https://evil.example/"}, 502, "did not fit"),
    ("missing_id", {}, 502, "did not fit"),
    ("html", {"status": 500}, 502, "did not fit"),
    ("hang", {"seconds": 9}, 503, "did not answer within"),
    ("slow_drip", {"seconds": 9, "interval": 0.05}, 503, "did not answer within"),
    ("reset_after", {}, 503, "did not answer within"),
    ("throttle", {"retry_after": 30}, 503, "not available at the moment"),
    ("revoked", {}, 503, "does not let us in"),
    *(("status", {"status": 422, "codes": [code]}, 503, "did not let us in") for code in (200, 300, 304, 503, 514)),
]
DOORS = {"launch": REFUSALS, "password-link": [row for row in REFUSALS if row[0] != "wrong_token"]}


@pytest.mark.parametrize(
    ("door", "kind", "parameters", "status", "says"), [(door, *row) for door, rows in DOORS.items() for row in rows]
)
def test_a_refused_or_missing_answer_is_a_page_that_says_what_to_do(
    door: str,
    kind: str,
    parameters: dict[str, Any],
    status: int,
    says: str,
    launch: Any,
    sandbox: Sandbox,
    settings: Any,
):
    settings.LAUNCH_DEADLINE_SECONDS = 0.7
    sandbox.fault(SSO if door == "launch" else "/v3/subaccount/reset/url", kind, **parameters)

    answer = launch(door, page="statistics")

    assert answer.status_code == status
    assert "Location" not in answer.headers
    text = _problem(answer)
    assert says in text
    assert "What happens next" in text
    assert "evil.example" not in answer.text
    assert len(sandbox.requests()) == 1, "never retried"
    assert Event.objects.for_agency(Agency.objects.get(name="North")).filter(kind=door.replace("-", "_")).count() == 1


def test_a_vendor_that_cannot_be_reached_is_not_said_to_be_slow(launch: Any, settings: Any):
    settings.COUPONTOOLS_API_URL = "http://127.0.0.1:1"
    vendor.clients.forget()

    answer = launch(page="statistics")

    assert answer.status_code == 503
    assert "could not reach the editor" in _problem(answer)


def test_a_subaccount_that_is_gone_at_the_vendor_is_missing_from_then_on(
    launch: Any, sandbox: Sandbox, active: Subaccount, bo_client: Client
):
    sandbox.remove_subaccount(active.vendor_id)

    answer = launch(page="campaigns")

    active.refresh_from_db()
    assert (answer.status_code, active.state) == (503, State.MISSING)
    assert "cannot find your coupon account" in answer.text
    dashboard = bo_client.get(f"/c/{active.customer.public_id}/")
    assert 'data-state="missing"' in dashboard.text
    assert "/launch/" not in dashboard.text
    assert launch(page="campaigns").status_code == 409
    assert len(sandbox.requests(SSO)) == 1


def test_an_open_breaker_answers_at_once_and_asks_nobody(launch: Any, sandbox: Sandbox, active: Subaccount):
    VendorAccount.objects.filter(agency__name="North").update(
        trouble=VendorAccount.Trouble.UNREACHABLE, trouble_since=timezone.now(), probe_at=timezone.now()
    )

    answer = launch(page="campaigns")
    assert (answer.status_code, "we did not try" in answer.text) == (503, True)
    assert sandbox.requests() == []


def test_a_second_click_while_the_first_is_under_way_is_told_so(launch: Any, sandbox: Sandbox, bo: User):
    cache.add(f"in-flight:launch:{bo.pk}", 1)

    answer = launch(page="campaigns")

    assert answer.status_code == 503
    assert "still being answered" in answer.text
    assert sandbox.requests() == []


def test_a_coupon_that_the_vendor_lost_is_named(launch: Any, sandbox: Sandbox, active: Subaccount):
    sandbox.fault(SSO, "status", status=422, codes=[502])

    answer = launch(page="update_campaign", campaign=first_campaign(active))

    assert "no longer knows this coupon" in answer.text
    active.refresh_from_db()
    assert active.state == State.ACTIVE


def test_the_white_label_address_comes_first(launch: Any, sandbox: Sandbox, settings: Any, active: Subaccount):
    sandbox.add_account(
        "north-id", "north-secret", whitelabel_host=sandbox.panel_host.replace("127.0.0.1", "localhost")
    )
    whitelabel_host = sandbox.panel_host.replace("127.0.0.1", "localhost")
    VendorAccount.objects.filter(agency__name="North").update(whitelabel_host=whitelabel_host)

    assert launch(page="campaigns").headers["Location"].startswith("http://localhost:")


def test_an_unproven_white_label_address_is_passed_over(launch: Any, sandbox: Sandbox, active: Subaccount):
    sandbox.add_account("north-id", "north-secret", whitelabel_host="login.evil.example")

    assert urlsplit(launch(page="campaigns").headers["Location"]).netloc == sandbox.panel_host


def test_it_keeps_the_link_out_of_everything(
    launch: Any, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, bo_client: Client
):
    caplog.set_level(logging.DEBUG)

    answer = launch(page="campaigns")
    shown = launch("password-link")

    token = parse_qs(urlsplit(answer.headers["Location"]).query)["token"][0]
    reset = sandbox.effects("reset_url")[0]
    agency = Agency.objects.get(name="North")
    kept = json.dumps(list(Event.objects.for_agency(agency).values("kind", "data")), default=str)
    kept += json.dumps(list(Job.objects.for_agency(agency).values("payload", "last_error")), default=str)
    kept += caplog.text + str(mail.outbox) + str(dict(bo_client.session))
    assert token not in kept
    assert "/reset?token=" in shown.text
    assert "/reset?token=" not in kept
    assert reset["kind"] == "reset_url"


@pytest.mark.parametrize(("role", "status"), [("owner", 303), ("editor", 303), ("viewer", 403)])
def test_a_viewer_never_gets_a_sign_on(
    role: str, status: int, sandbox: Sandbox, active: Subaccount, client_for: Any, bos_company: Customer
):
    person = factories.member(bos_company, role) if role != "owner" else bos_company.memberships.get().person
    client = client_for(bos_company.agency, person)
    sandbox.clear_ledger()

    answer = client.post(f"/c/{bos_company.public_id}/launch/", {"page": "campaigns"})

    assert answer.status_code == status
    assert len(sandbox.requests()) == (1 if status == 303 else 0)


def test_a_viewer_sees_no_button(active: Subaccount, client_for: Any, bos_company: Customer):
    client = client_for(bos_company.agency, factories.member(bos_company, "viewer"))

    page = client.get(f"/c/{bos_company.public_id}/").text

    assert 'data-state="active"' in page
    assert "/launch/" not in page
    assert "/password-link/" not in page


def test_a_paused_customer_is_not_let_in(launch: Any, sandbox: Sandbox, bo_client: Client, bos_company: Customer):
    Customer.objects.for_agency(bos_company.agency).update(paused_at=timezone.now())

    page = bo_client.get(f"/c/{bos_company.public_id}/")

    assert 'data-state="paused"' in page.text
    assert sandbox.requests() == []


@pytest.mark.parametrize("door", ["launch", "password-link"])
def test_a_click_that_a_pause_overtook_is_told_where_to_read_on(
    door: str, launch: Any, sandbox: Sandbox, bos_company: Customer
):
    Customer.objects.for_agency(bos_company.agency).update(paused_at=timezone.now())

    answer = launch(door, page="campaigns")

    assert answer.status_code == 409
    assert "Your start page says what is going on" in answer.text
    assert "signed in with the right address" not in answer.text
    assert sandbox.requests() == []
    assert Event.objects.for_agency(bos_company.agency).get(kind=door.replace("-", "_")).outcome == "paused"


@pytest.mark.parametrize("state", [state for state in State if state != State.ACTIVE])
def test_only_an_active_subaccount_is_opened(state: State, sandbox: Sandbox, bo_client: Client, bos_company: Customer):
    Subaccount.objects.for_agency(bos_company.agency).update(state=state)

    answer = bo_client.post(f"/c/{bos_company.public_id}/launch/", {"page": ""})

    assert answer.status_code == 409
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("site", "status"), [(None, 303), ("same-origin", 303), ("cross-site", 403), ("same-site", 403), ("none", 403)]
)
def test_a_click_must_come_from_our_own_page(
    site: str | None, status: int, sandbox: Sandbox, active: Subaccount, bo_client: Client, bos_company: Customer
):
    headers = {"sec-fetch-site": site} if site else {}

    answer = bo_client.post(f"/c/{bos_company.public_id}/launch/", {"page": ""}, headers=headers)

    assert answer.status_code == status


def test_a_launch_without_a_csrf_token_is_refused(
    sandbox: Sandbox, active: Subaccount, client_for: Any, bo: User, north: Agency, bos_company: Customer
):
    client = client_for(north, bo, enforce_csrf_checks=True)
    sandbox.clear_ledger()

    assert client.post(f"/c/{bos_company.public_id}/launch/", {"page": ""}).status_code == 403
    assert sandbox.requests() == []


def test_the_limit_counts_refused_tries_and_says_when(launch: Any, sandbox: Sandbox, settings: Any):
    settings.LIMIT_LAUNCH_PERSON = "2/60"

    statuses = [launch(page="campaigns").status_code for _ in range(4)]

    assert statuses == [303, 303, 429, 429]
    assert len(sandbox.requests()) == 2


def test_the_page_lets_its_form_end_at_the_panel_and_nowhere_else(
    sandbox: Sandbox, active: Subaccount, bo_client: Client, bos_company: Customer
):
    policy = bo_client.get(f"/c/{bos_company.public_id}/").headers["Content-Security-Policy"]

    [form_action] = [part.strip() for part in policy.split(";") if part.strip().startswith("form-action")]
    assert form_action == f"form-action 'self' http://{sandbox.panel_host}"


HOSTS = ("www.controlpanel.center", "127.0.0.1:8100")


@pytest.mark.parametrize(
    "url",
    [
        "http://www.controlpanel.center/?token=x",
        "https://www.controlpanel.center.evil.example/",
        "https://www.controlpanel.center@evil.example/",
        "https://user:pw@www.controlpanel.center/",
        "https://www.controlpanel.center:8443/",
        "https://evil.example\\@www.controlpanel.center/",
        "https:///www.controlpanel.center/",
        "//www.controlpanel.center/",
        "javascript:alert(1)//www.controlpanel.center/",
        "ftp://www.controlpanel.center/",
        "https://www.controlpanel.center\n.evil.example/",
        "http://127.0.0.1:8101/",
        "http://127.0.0.1/",
        "",
        "https://www.controlpanel.center:99999999/",
        "https://www.controlpanel.center/\t?token=x",
        "ftp://127.0.0.1:8100/",
    ],
)
def test_a_url_outside_the_list_is_never_followed(url: str):
    assert not handoff._may_be_followed(url, HOSTS)


def test_a_url_on_the_list_is_followed():
    assert handoff._may_be_followed("https://www.controlpanel.center/index.php?token=x", HOSTS)
    assert handoff._may_be_followed("https://www.controlpanel.center:443/index.php?token=x", HOSTS)
    assert handoff._may_be_followed("http://127.0.0.1:8100/index.php?token=x", HOSTS)


def test_production_follows_no_plain_http(settings: Any):
    settings.DEPLOYMENT = "production"

    assert not handoff._may_be_followed("http://127.0.0.1:8100/index.php?token=x", HOSTS)


def test_a_deep_link_shows_a_button_and_asks_nobody(
    sandbox: Sandbox, active: Subaccount, bo_client: Client, bos_company: Customer
):
    campaign = first_campaign(active)
    sandbox.clear_ledger()

    page = bo_client.get(f"/c/{bos_company.public_id}/open/update_campaign/{campaign}/")
    unknown = bo_client.get(f"/c/{bos_company.public_id}/open/update_campaign/cam_999999/")
    without = bo_client.get(f"/c/{bos_company.public_id}/open/update_campaign/")

    assert (page.status_code, unknown.status_code, without.status_code) == (200, 404, 404)
    assert Campaign.objects.for_agency(bos_company.agency).get(vendor_id=campaign).label in page.text
    assert sandbox.requests() == []
