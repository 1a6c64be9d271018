"""The rows of the fault table that the vendor causes, F1 to F22: what both read while it lasts.

`test_fault_table.py` counts the rows.
"""

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts import clock, jobs, packages, provisioning
from accounts.models import Agency, Package, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.conftest import quick  # noqa: F401 -- the fixture
from tests.accounts.reading import CREATE, GET, LIST, calls, fresh, made, probe_due
from tests.deployment import certificates

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]
SSO = "/v3/subaccount/sso"

SLOWER = "This takes longer than usual"
PERSON = "We need a moment with a person"
NOT_UNDERSTOOD = "was not understood"
UNREACHABLE = "cannot be reached"
REFUSED_OR_EXPIRED = "The vendor refuses your credentials, or says that your own account there has expired."


@dataclass(frozen=True)
class Making:
    """A fault while the account is made: what is arranged, and what is so after so many steps of the worker."""

    staff: str
    customer: str
    state: State
    kind: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    path: str = CREATE
    url: str = ""
    before: str = ""
    steps: int = 1
    creates: int = 1  # how often the vendor was asked for an account
    makes: int = 0  # how many it has made
    waits: float | None = None  # seconds until it is taken up again, where the vendor says how many


def refusal(*codes: int, http: int = 422) -> dict[str, Any]:
    return {"status": http, "codes": list(codes)}


def listed(**payload: Any) -> dict[str, Any]:
    """An answer of the list that is in order but for what it holds."""
    body = {"status": {"status": "OK"}, **payload}
    return {"status": 200, "body": body, "content_type": "application/json"}


REQUESTED, UNCERTAIN, REVIEW = State.REQUESTED, State.UNCERTAIN, State.NEEDS_REVIEW
MAKING = {
    "F1 no answer after the request was sent": Making("did not answer", SLOWER, UNCERTAIN, "reset_after", makes=1),
    "F2 not a byte was sent": Making(UNREACHABLE, SLOWER, REQUESTED, url="http://127.0.0.1:9", creates=0),
    "F3 a page of HTML": Making(NOT_UNDERSTOOD, SLOWER, UNCERTAIN, "html", {"status": 502}),
    "F4 an empty answer": Making(NOT_UNDERSTOOD, SLOWER, UNCERTAIN, "empty", makes=1),
    "F4 an answer that is cut": Making("did not answer", SLOWER, UNCERTAIN, "truncated", makes=1),
    "F4 no JSON": Making(NOT_UNDERSTOOD, SLOWER, UNCERTAIN, "not_json", makes=1),
    "F5 failed under HTTP 200 with an unknown code": Making(
        NOT_UNDERSTOOD, SLOWER, UNCERTAIN, "status", refusal(999, http=200)
    ),
    "F6 an answer without an id": Making(NOT_UNDERSTOOD, SLOWER, UNCERTAIN, "missing_id", makes=1),
    "F7 several codes at once": Making("(304, 303, 305)", PERSON, REVIEW, "status", refusal(304, 303, 305)),
    "F8 the address is taken, and we never asked before": Making(
        "not in your list of accounts", PERSON, REVIEW, "email_taken", steps=2
    ),
    "F10 the address is not taken": Making("does not take this address", PERSON, REVIEW, "status", refusal(305)),
    "F11 our own mistake": Making("refused to make the account", PERSON, REVIEW, "status", refusal(303)),
    "F13 throttled": Making("asks us to slow down", SLOWER, REQUESTED, "throttle", {"retry_after": 900}, waits=900),
    "F14 a slow drip": Making(
        "did not answer", SLOWER, UNCERTAIN, "slow_drip", {"seconds": 4, "interval": 0.1}, makes=1
    ),
    # As many steps as a second account would take, if absence were believed.
    "F16 the list is stale": Making(
        "did not answer", SLOWER, UNCERTAIN, "reset_after", before="stale", steps=6, makes=1
    ),
    "F17 the id of somebody else": Making(
        "an account that is not known to be theirs", PERSON, REVIEW, "wrong_id", before="taken", makes=1
    ),
    "F19 a redirect": Making(NOT_UNDERSTOOD, SLOWER, UNCERTAIN, "redirect"),
    "F20 a certificate that is not theirs": Making(UNREACHABLE, SLOWER, REQUESTED, url="https", creates=0),
    "F21 a list under a name that we do not know": Making(
        UNREACHABLE, SLOWER, REQUESTED, "status", listed(accounts=[]), path=LIST, creates=0
    ),
    "F21 a list whose ids have a form that we do not know": Making(
        UNREACHABLE,
        SLOWER,
        REQUESTED,
        "status",
        listed(subaccounts=[{"ID": "7/north", "email": "other@shop.example"}]),
        path=LIST,
        creates=0,
    ),
}


@pytest.fixture
def read(client_for: Callable[..., Client], north: Agency, ada: User) -> Callable[[Subaccount], Any]:
    """The two pages about a customer: hers and the staff's, as text."""
    adas = client_for(north, ada)

    def pages(subaccount: Subaccount) -> tuple[str, str]:
        key = subaccount.customer.public_id
        owners = client_for(north, subaccount.customer.memberships.get().person)
        hers, theirs = owners.get(f"/c/{key}/"), adas.get(f"/console/customers/{key}/")
        assert (hers.status_code, theirs.status_code) == (200, 200)
        return hers.content.decode(), theirs.content.decode()

    return pages


class Stranger(HTTPServer):
    """Somebody at the vendor's host, whose certificate is of an authority that nobody here trusts."""

    def __init__(self, pair: Path) -> None:
        self.asked: list[str] = []
        self.met = 0
        super().__init__(("127.0.0.1", 0), BaseHTTPRequestHandler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair)
        self.url = f"https://localhost:{self.server_port}"

    def get_request(self) -> tuple[Any, Any]:
        visitor, address = super().get_request()
        self.met += 1
        return self.context.wrap_socket(visitor, server_side=True), address

    def process_request(self, request: Any, client_address: Any) -> None:
        self.asked.append(request.recv(100).decode())
        self.shutdown_request(request)


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Stranger]:
    _, pair = certificates.write(tmp_path, ["localhost"])
    server = Stranger(pair)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def wish(agency: Agency, email: str, **fields: Any) -> Subaccount:
    """Another customer's, in the queue."""
    return factories.customer(agency, factories.person(agency, email), **fields).subaccount


def everything_is_due(agency: Agency) -> None:
    Subaccount.objects.for_agency(agency).exclude(run_at=None).update(run_at="2026-01-01T00:00Z")
    VendorAccount.objects.filter(agency=agency).exclude(probe_at=None).update(probe_at="2026-01-01T00:00Z")


@pytest.mark.parametrize("row", MAKING)
def test_what_is_read_while_the_account_is_made(
    row: str, sandbox: Sandbox, bos_subaccount: Subaccount, read: Any, settings: Any, stranger: Stranger
):
    fault = MAKING[row]
    settings.PROVISIONING_QUARANTINE_SECONDS = 60.0  # it stays where it is while we read
    settings.PROVISIONING_BACKOFF_MIN_SECONDS = settings.PROVISIONING_BACKOFF_MAX_SECONDS = 60.0
    parameters = dict(fault.parameters)
    if fault.before == "taken":
        parameters["id"] = sandbox.add_subaccount("north-id", email="other@shop.example")
    if fault.before == "stale":
        sandbox.fault(LIST, "stale_list", seconds=60, times=None)
    if fault.url:
        settings.COUPONTOOLS_API_URL = stranger.url if fault.url == "https" else fault.url
    if fault.kind:
        sandbox.fault(fault.path, fault.kind, **parameters)

    for _ in range(fault.steps):
        Subaccount.objects.for_agency(bos_subaccount.agency).exclude(run_at=None).update(run_at="2026-01-01T00:00Z")
        assert provisioning.attempt()
    now, subaccount = clock.now(), fresh(bos_subaccount)
    hers, theirs = read(bos_subaccount)

    assert subaccount.state == fault.state
    assert (calls(sandbox, CREATE), made(sandbox)) == (fault.creates, fault.makes)
    assert fault.customer in hers
    assert fault.staff in theirs
    assert "sub_" not in hers
    assert (subaccount.run_at is None) == (fault.customer == PERSON), "it goes on by itself, or a person says how"
    if subaccount.run_at:
        next_look = f"Next look at {date_format(localtime(subaccount.run_at), 'TIME_FORMAT')}."
        assert next_look in hers
        assert next_look in theirs
    if subaccount.run_at and fault.waits is not None:
        assert fault.waits - 60 < (subaccount.run_at - now).total_seconds() < fault.waits + 2
    assert not sandbox.requests("/elsewhere"), "no redirect is followed"
    if fault.url == "https":
        assert (stranger.met > 0, stranger.asked) == (True, []), "it shows its certificate, and is asked nothing"


def test_f9_taken_by_our_own_lost_answer_is_adopted_and_nobody_reads_of_it(
    sandbox: Sandbox, bos_subaccount: Subaccount, read: Any, settings: Any
):
    settings.PROVISIONING_BACKOFF_MIN_SECONDS = settings.PROVISIONING_BACKOFF_MAX_SECONDS = 0.0
    sandbox.fault(CREATE, "reset_after")
    sandbox.fault(LIST, "stale_list", seconds=60, times=4)  # it shows the account after the second create only

    for _ in range(12):
        provisioning.attempt()
    subaccount = fresh(bos_subaccount)
    hers, theirs = read(bos_subaccount)

    assert calls(sandbox, CREATE) == 2
    [effect] = sandbox.effects("subaccount_created")
    assert (subaccount.state, subaccount.vendor_id) == (State.ACTIVE, effect["subaccount"])
    assert "Your account needs a check" not in hers
    assert 'data-state="active"' in hers
    assert subaccount.vendor_id in theirs
    assert "This waits for a person" not in theirs


@pytest.mark.parametrize(("http", "code"), [(401, 1000), (403, 101)], ids=["refused", "the account has expired"])
def test_f12_refused_credentials_are_one_mail_however_many_wait_and_however_often_it_is_tried(
    http: int, code: int, sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, read: Any
):
    waiting = [bos_subaccount, *(wish(north, f"n{n}@shop.example") for n in range(3))]
    sandbox.fault(LIST, "status", times=None, **refusal(code, http=http))

    for _ in range(4):
        everything_is_due(north)
        probe_due()
        while provisioning.attempt() or jobs.run():
            pass
    pages = [read(subaccount) for subaccount in waiting]

    assert calls(sandbox, LIST) == 4, "the first of them found out; then one question each time, for all"
    for hers, theirs in pages:
        assert SLOWER in hers
        assert REFUSED_OR_EXPIRED in theirs
    [told] = mail.outbox
    assert told.to == [north.support_email]
    assert REFUSED_OR_EXPIRED in told.body
    assert made(sandbox) == 0


def test_f15_an_account_that_is_gone_is_missing_for_both(
    sandbox: Sandbox, active: Subaccount, bo_client: Client, read: Any
):
    sandbox.remove_subaccount(active.vendor_id)

    answer = bo_client.post(f"/c/{active.customer.public_id}/launch/", {"page": ""})
    hers, theirs = read(active)

    assert "We cannot find your coupon account" in answer.content.decode()
    assert 'data-state="missing"' in hers
    assert f"The vendor answers that {active.vendor_id} does not exist" in theirs
    assert "No new account is made by itself" in theirs
    asked = calls(sandbox, GET)
    for _ in range(3):
        everything_is_due(active.agency)
        while provisioning.attempt() or jobs.run():
            pass
    assert (calls(sandbox, CREATE), made(sandbox)) == (0, 0)
    assert calls(sandbox, GET) >= asked + 3, "it was looked for each time, and its own number is still not there"
    still = fresh(active)
    assert (still.state, still.vendor_id) == (State.MISSING, active.vendor_id)


def test_f18_an_answer_about_somebody_else_is_refused_and_noted(
    sandbox: Sandbox, active: Subaccount, bo_client: Client, read: Any
):
    sandbox.fault(SSO, "wrong_id", id="sub_999999")

    answer = bo_client.post(f"/c/{active.customer.public_id}/launch/", {"page": ""})
    _, theirs = read(active)

    assert answer.status_code == 502
    assert "did not fit what we asked" in answer.content.decode()
    assert "the answer did not fit the question" in theirs


def test_f22_an_unknown_package_is_named_and_who_chose_another_gets_the_account(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount, read: Any
):
    starter, plus = Package.objects.for_agency(north).on_offer()
    packages.change(starter, vendor_package_id="pac_99", acting_user=ada)
    others = [wish(north, f"{name}@shop.example", package=plus) for name in ("kim", "lou")]

    while provisioning.attempt() or jobs.run():
        pass
    hers, theirs = read(bos_subaccount)

    assert PERSON in hers
    assert "“Starter” (pac_99)" in theirs
    assert "Other packages go on" in theirs
    for other in others:
        hers, theirs = read(other)
        assert 'data-state="active"' in hers
        assert "pac_99" not in theirs
    assert {effect["email"] for effect in sandbox.effects("subaccount_created")} == {row.email for row in others}
