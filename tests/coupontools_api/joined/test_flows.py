"""What is done on one side is seen on the other: sessions, links, webhooks, launches."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.ids import CampaignId, EventId, SessionCode, SubaccountId
from coupontools_api.sandbox import Sandbox
from coupontools_api.sessions import SessionAction
from coupontools_api.single_use import SingleUse
from coupontools_api.subaccounts import Page
from tests.coupontools_api.joined.conftest import World
from tests.sandbox.conftest import Answer, Caller

BROWSER = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def cake(bos_client: Coupontools, world: World) -> CampaignId:
    """A campaign of Bo's that is new after the first call, so without a past: its sessions are the test's own."""
    bos_client.campaigns.list()
    return CampaignId(world.sandbox.add_campaign(world.bo, name="Cake"))


@pytest.fixture
def link(bos_client: Coupontools, cake: CampaignId) -> SingleUse:
    return bos_client.single_use.create(cake, email="eve@cafe.test", custom_id="table 4")


@pytest.fixture
def received(world: World) -> Iterator[list[dict[str, str]]]:
    """What the endpoint that Bo's subaccount has for webhooks is sent."""
    bodies: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """What was received is in `bodies`."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    hook = f"http://127.0.0.1:{server.server_port}/hook"
    world.sandbox.add_subaccount("north-id", email="bo@bakery.test", webhook_endpoint=hook)
    yield bodies
    server.shutdown()
    thread.join()
    server.server_close()


def visit(sandbox: Sandbox, link: SingleUse, action: str = "") -> Answer:
    """Opens the page of a link as a browser does, or presses one of its buttons."""
    path = urlsplit(link.url).path
    browser = Caller(sandbox.url, BROWSER)
    return browser.send("POST", path, f"action={action}".encode()) if action else browser.get(path)


def seen(client: Coupontools, campaign: CampaignId) -> dict[str, list[str]]:
    """The sessions of a campaign in each of the four lists of its usage."""
    campaigns = client.campaigns
    lists = {
        "usage": campaigns.usage,
        "opens": campaigns.opens,
        "claims": campaigns.claims,
        "validations": campaigns.validations,
    }
    return {name: [line.session for line in ask(campaign)] for name, ask in lists.items()}


def test_a_session_that_is_validated_shows_in_the_numbers(bos_client: Coupontools, cake: CampaignId, link: SingleUse):
    code: list[str] = [link.code]
    before = seen(bos_client, cake)
    bos_client.sessions.update(link.code, action=SessionAction.CLAIM)
    claimed = seen(bos_client, cake)
    bos_client.sessions.update(link.code, action=SessionAction.VALIDATE)

    assert before == {"usage": code, "opens": [], "claims": [], "validations": []}
    assert claimed == {"usage": code, "opens": code, "claims": code, "validations": []}
    assert seen(bos_client, cake) == {"usage": code, "opens": code, "claims": code, "validations": code}
    status = bos_client.sessions.get(link.code).status
    assert status.created_at is not None
    assert status.validated_at is not None
    assert status.created_at <= status.validated_at
    assert (status.is_claimed, status.claim_type) == (True, "api")


def test_a_link_is_opened_and_claimed_in_a_browser_and_then_seen(
    bos_client: Coupontools, world: World, cake: CampaignId, link: SingleUse
):
    opened = visit(world.sandbox, link)
    after_opening = bos_client.sessions.get(link.code).status
    claimed = visit(world.sandbox, link, "claim")
    session = bos_client.sessions.get(link.code)

    assert (opened.status, claimed.status) == (200, 303)
    assert (after_opening.is_opened, after_opening.is_claimed) == (True, False)
    assert (session.status.is_claimed, session.custom_id, session.url) == (True, "table 4", link.url)
    assert session.status.claimed_at is not None
    assert [line.session for line in bos_client.sessions.search("eve@cafe.test")] == [link.code]
    assert seen(bos_client, cake)["claims"] == [link.code]


def test_a_link_that_is_removed_or_voided_opens_no_more(
    bos_client: Coupontools, world: World, cake: CampaignId, link: SingleUse
):
    other = bos_client.single_use.create(cake)
    bos_client.single_use.remove(cake, code=link.code)
    bos_client.sessions.update(other.code, action=SessionAction.VOID)

    assert (visit(world.sandbox, link).status, visit(world.sandbox, other).status) == (404, 410)
    with pytest.raises(errors.NotFound) as caught:
        bos_client.sessions.get(link.code)
    assert caught.value.missing == "session"
    assert bos_client.sessions.get(other.code).status.voided_at is not None


def test_a_delivery_is_verified_and_a_forged_one_is_not(
    bos_client: Coupontools, ada: Coupontools, world: World, link: SingleUse, received: list[dict[str, str]]
):
    visit(world.sandbox, link, "claim")
    happened = next(event for event in world.sandbox.events() if event["session"] == link.code)
    world.sandbox.deliver_webhook(event=happened["id"])

    (body,) = received
    event, session = EventId(body["id"]), SessionCode(body["session"])
    found = bos_client.webhooks.verify(event, session)
    assert (found.event, found.type, found.session) == (body["id"], body["type"], link.code)
    assert found.campaign == body["campaign"]
    forgeries = [
        (bos_client, EventId("evt_forged"), session),
        (bos_client, EventId(world.event), session),  # somebody else's event
        (bos_client, event, SessionCode(world.stock.session)),
        (ada, event, session),  # somebody else's delivery
    ]
    for client, claimed_event, claimed_session in forgeries:
        with pytest.raises(errors.NotFound) as caught:
            client.webhooks.verify(claimed_event, claimed_session)
        assert caught.value.missing == "webhook"


def test_kept_connections_serve_launches_and_whatever_comes_between(ada: Coupontools, world: World):
    campaign = CampaignId(world.stock.campaign)
    ada.campaigns.get(campaign)
    world.sandbox.clear_ledger()

    for _ in range(3):
        ada.subaccounts.sign_on(SubaccountId(world.bo), page=Page.STATISTICS)
        list(ada.campaigns.usage(campaign))
        ada.loyalty.v4.list()
        with pytest.raises(errors.NotFound):
            ada.subaccounts.sign_on(SubaccountId(999999))

    assert len(world.sandbox.requests("/v3/subaccount/sso")) == 6
    assert len({request.connection for request in world.sandbox.requests()}) == 1
