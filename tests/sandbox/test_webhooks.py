"""Webhooks: what is delivered where, and what verifies."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from coupontools_api.sandbox.webhooks import deliver

VERIFY = "/v3/webhook/verification"


@dataclass
class Receiver:
    """Whoever a webhook is sent to. `ask_back` is called before the answer goes out."""

    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str | None] = field(default_factory=list)
    verified: list[object] = field(default_factory=list)
    caller: object = None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.bodies.append(body)
            received.signatures.append(self.headers["X-Hmac"])
            if received.caller is not None:
                event = json.loads(body)
                answer = received.caller.post(VERIFY, webhook=event["id"], session=event["session"])
                received.verified.append(answer.json.get("result"))
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """What was received is in `received`."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/hook?from=vendor"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def spring(sandbox, bo, receiver) -> str:
    sandbox.add_subaccount("north", email="bo@bakery.test", webhook_endpoint=receiver.url)
    return sandbox.add_campaign(bo, name="Spring")


@pytest.fixture
def claimed(bos_keys, spring) -> str:
    """A session of Bo's campaign that was claimed."""
    code = bos_keys.post("/v3/singleuse/create", campaign=spring, email="eve@cafe.test").json["single_use_code"]
    bos_keys.post("/v3/couponsession/update", couponsession=code, action="claim")
    return code


def test_an_event_is_posted_to_the_owners_endpoint(visitor, sandbox, receiver, spring, claimed):
    event = sandbox.events()[0]["id"]

    answer = visitor.control("POST", "/_webhooks", {"event": event}).json

    (body,) = map(json.loads, receiver.bodies)
    assert answer == {"webhook": event, "type": "coupon_claimed", "status": 200}
    assert (body["id"], body["type"]) == (event, "coupon_claimed")
    assert (body["campaign"], body["session"]) == (spring, claimed)
    assert body["customer"]["email"] == "eve@cafe.test"
    assert body["status"]["claimed"] == "1"
    assert sandbox.effects("webhook_delivered")[0]["webhook"] == event
    assert receiver.signatures == [None]


def test_whoever_receives_it_may_ask_back_before_answering(bos_keys, sandbox, receiver, claimed):
    receiver.caller = bos_keys

    sandbox.deliver_webhook(event=sandbox.events()[0]["id"])

    assert receiver.verified == ["valid"]


def test_an_event_can_be_made_up_and_verifies_as_any_other(ada, bos_keys, sandbox, receiver, spring, claimed):
    made = sandbox.deliver_webhook(campaign=spring, session=claimed, type="coupon_validated")["webhook"]

    answer = bos_keys.post(VERIFY, webhook=made, session=claimed).json

    assert (answer["result"], answer["type"]) == ("valid", "coupon_validated")
    assert (answer["webhook"], answer["campaign"], answer["session"]) == (made, spring, claimed)
    assert len(answer["date"]) == len("2030-12-31 12:00:00")


@pytest.mark.parametrize("kind", ["coupon_created", "coupon_updated", "coupon_removed"])
def test_one_that_is_made_up_without_a_session_cannot_be_verified(bos_keys, sandbox, receiver, spring, kind):
    made = sandbox.deliver_webhook(campaign=spring, type=kind)["webhook"]

    (body,) = map(json.loads, receiver.bodies)
    assert (body["id"], body["session"]) == (made, "")
    assert bos_keys.post(VERIFY, webhook=made, session=body["session"]).codes == [200]
    assert "cannot be verified" in (deliver.__doc__ or "")


def test_only_this_event_and_this_session_verify_for_their_owner(ada, bos_keys, sandbox, claimed):
    event = sandbox.events()[0]["id"]

    assert bos_keys.post(VERIFY, webhook=event, session=claimed).status == 200
    assert bos_keys.post(VERIFY, webhook=event, session=claimed[:6]).codes == [509]
    assert bos_keys.post(VERIFY, webhook="evt_other", session=claimed).codes == [509]
    assert ada.post(VERIFY, webhook=event, session=claimed).codes == [509]


def test_a_campaign_made_is_an_event_without_a_session(ada, bo, sandbox, receiver):
    sandbox.add_subaccount("north", email="bo@bakery.test", webhook_endpoint=receiver.url)
    ada.post("/v3/coupon/create", template=1, name="Summer", subaccount=bo)

    sandbox.deliver_webhook(event=sandbox.events()[0]["id"])

    (body,) = map(json.loads, receiver.bodies)
    assert (body["type"], body["session"], body["status"]) == ("coupon_created", "", {})


def test_a_delivery_can_be_signed(ada, bo, sandbox, receiver, claimed):
    sandbox.settings(webhook_signature="x-hmac")
    secret = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]["api_secret"]

    sandbox.deliver_webhook(event=sandbox.events()[0]["id"])

    expected = hmac.new(secret.encode(), receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.signatures == [expected]


def test_the_accounts_own_events_go_to_its_own_endpoint(ada, sandbox, receiver, stock):
    sandbox.add_account("north", "north-secret", webhook_endpoint=receiver.url)
    ada.post("/v3/couponsession/update", couponsession=stock.session, action="claim")

    assert sandbox.deliver_webhook(event=sandbox.events()[0]["id"])["status"] == 200
    assert json.loads(receiver.bodies[0])["session"] == stock.session


def test_what_comes_back_is_told(sandbox, receiver, claimed):
    receiver.status = 503

    assert sandbox.deliver_webhook(event=sandbox.events()[0]["id"])["status"] == 503


def test_nobody_there_is_told_too(sandbox, bo, claimed):
    sandbox.add_subaccount("north", email="bo@bakery.test", webhook_endpoint="http://127.0.0.1:9/hook")

    assert sandbox.deliver_webhook(event=sandbox.events()[0]["id"])["status"] is None


@pytest.mark.parametrize(
    "endpoint", ["", "http://192.0.2.1/hook", "http://example.test/", "https://127.0.0.1/", "file:///etc/passwd"]
)
def test_it_leaves_this_machine_for_nobody(visitor, sandbox, spring, claimed, endpoint):
    sandbox.add_subaccount("north", email="bo@bakery.test", webhook_endpoint=endpoint)
    before = sandbox.events()

    answer = visitor.control("POST", "/_webhooks", {"campaign": spring, "type": "coupon_updated"})

    assert answer.status == 400
    assert sandbox.events() == before
    assert "loopback" in answer.json["error"]
    assert sandbox.effects("webhook_delivered") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"event": "evt_nobody"},
        {"type": "coupon_claimed"},
        {"campaign": "cam_999999", "type": "coupon_claimed"},
        {"campaign": "SPRING", "type": "dance"},
        {"campaign": "SPRING", "type": "coupon_claimed", "session": "nobody"},
        {"event": "evt_nobody", "colour": "red"},
    ],
)
def test_a_delivery_that_makes_no_sense_is_refused(visitor, sandbox, spring, wrong):
    document = {name: spring if value == "SPRING" else value for name, value in wrong.items()}

    assert visitor.control("POST", "/_webhooks", document).status == 400
    assert sandbox.events() == []


def test_the_events_are_told_over_http(visitor, sandbox, claimed):
    (event,) = visitor.control("GET", "/_webhooks").json["events"]

    assert event == sandbox.events()[0]
    assert (event["kind"], event["session"]) == ("coupon_claimed", claimed)
