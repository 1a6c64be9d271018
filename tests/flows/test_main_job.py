"""The main job over sockets on both sides: sign-up, subaccount, panel. The sandbox's ledger is the judge."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from accounts.models import Agency, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests.factories import PASSWORD
from tests.flows.conftest import code_for, sign_in, sign_up
from tests.flows.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)
Visit = Callable[[str], Visitor]
Work = Callable[[], None]


def test_a_customer_signs_up_and_lands_in_the_panel(sandbox: Sandbox, north: Agency, visit: Visit, work: Work):
    visitor = visit("north.localhost")

    asked = sign_up(visitor, work)
    assert asked.title == "Check your e-mail"
    assert sandbox.requests() == [], "nothing is asked of the vendor before the code is entered"

    setup = visitor.send(asked, field="code", code=code_for("kim@shop.example"))
    assert setup.state == "requested"
    assert setup.title == "We are making your account"

    work()
    dashboard = visitor.get("/")
    assert dashboard.state == "active"
    assert visitor.get(f"{dashboard.path}setup/").state == "active"
    [created] = sandbox.effects("subaccount_created")
    assert (created["email"], created["company_name"]) == ("kim@shop.example", "Kim's Kiosk")

    launched = visitor.send(dashboard, action="/launch/", page="statistics", follow=False)
    assert launched.status == 303
    assert launched.headers["Cache-Control"] == "no-store, private"
    assert launched.headers["Referrer-Policy"] == "no-referrer"
    assert launched.text == ""
    panel = requests.get(launched.headers["Location"], timeout=5)
    assert f'data-subaccount="{created["subaccount"]}"' in panel.text
    assert 'data-page="statistics"' in panel.text
    assert requests.get(launched.headers["Location"], timeout=5).status_code == 403, "a token opens once"


def test_the_same_address_at_two_agencies_is_two_people(
    sandbox: Sandbox, north: Agency, south: Agency, visit: Visit, work: Work
):
    at_north, at_south = visit("north.localhost"), visit("south.localhost")
    asked = sign_up(at_north, work)
    northern_code = code_for("kim@shop.example")
    at_north.send(asked, field="code", code=northern_code)
    asked = sign_up(at_south, work, password1="another window bicycle")
    refused = at_south.send(asked, field="code", code=northern_code)
    at_south.send(refused, field="code", code=code_for("kim@shop.example"))
    work()

    assert User.objects.filter(agency__in=(north, south), email="kim@shop.example").count() == 2
    assert {effect["client_id"] for effect in sandbox.effects("subaccount_created")} == {"north-id", "south-id"}
    assert refused.title == "Check your e-mail"
    stranger = visit("south.localhost")
    assert sign_in(stranger, "kim@shop.example", PASSWORD).path == "/account/login/"
    assert sign_in(stranger, "kim@shop.example", "another window bicycle").state == "active"


def test_a_cookie_of_one_agency_is_worth_nothing_at_another(
    sandbox: Sandbox, north: Agency, south: Agency, bo: User, active: Subaccount, visit: Visit
):
    visitor = visit("north.localhost")
    assert sign_in(visitor, "bo@shop.example").state == "active"

    visitor.session.headers["Host"] = visitor.session.headers["Host"].replace("north", "south")

    assert visitor.get("/").path == "/account/login/"
    assert visitor.get(f"/c/{active.customer.public_id}/").path == "/account/login/"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("door", ["launch", "password-link"])
def test_looking_at_a_launch_opens_nothing(
    method: str, door: str, sandbox: Sandbox, bo: User, active: Subaccount, visit: Visit
):
    visitor = visit("north.localhost")
    sign_in(visitor, "bo@shop.example")
    sandbox.clear_ledger()

    answer = visitor.request(method, f"/c/{active.customer.public_id}/{door}/")

    assert answer.status == 405
    assert sandbox.requests() == []


def test_a_launch_is_one_vendor_call_on_a_kept_connection(sandbox: Sandbox, bo: User, active: Subaccount, visit: Visit):
    visitor = visit("north.localhost")
    dashboard = sign_in(visitor, "bo@shop.example")
    visitor.send(dashboard, action="/launch/", page="campaigns", follow=False)
    [first] = {request.connection for request in sandbox.requests("/v3/subaccount/sso")}
    sandbox.clear_ledger()

    for page in ("campaigns", "add_campaign", "statistics", "distribution", ""):
        visitor.send(dashboard, action="/launch/", page=page, follow=False)

    assert [request.path for request in sandbox.requests()] == ["/v3/subaccount/sso"] * 5
    assert {request.connection for request in sandbox.requests()} == {first}, "no new connection in steady state"


def test_a_password_link_is_shown_once(sandbox: Sandbox, bo: User, active: Subaccount, visit: Visit):
    visitor = visit("north.localhost")
    dashboard = sign_in(visitor, "bo@shop.example")

    shown = visitor.send(dashboard, action="/password-link/")

    assert shown.status == 200
    assert "no-store" in shown.headers["Cache-Control"]
    [link] = set(re.findall(rf"{re.escape(sandbox.url)}/reset\?token=\w+", shown.text))
    assert requests.get(link, timeout=5).status_code == 200
    assert len(sandbox.effects("reset_url")) == 1


def test_a_taken_address_looks_like_a_free_one_and_mails_its_owner(
    sandbox: Sandbox, north: Agency, bo: User, visit: Visit, work: Work, mailoutbox: Any
):
    free = sign_up(visit("north.localhost"), work, email="free@shop.example")
    taken = sign_up(visit("north.localhost"), work, email="bo@shop.example")

    assert (free.status, free.path, free.title) == (taken.status, taken.path, taken.title)
    assert [message.to for message in mailoutbox] == [["free@shop.example"], ["bo@shop.example"]]
    assert "already" in mailoutbox[1].body
    assert User.objects.filter(agency=north).count() == 2


def test_a_password_is_reset_by_a_code(
    sandbox: Sandbox, bo: User, active: Subaccount, visit: Visit, work: Work, mailoutbox: Any
):
    visitor = visit("north.localhost")
    asked = visitor.send(visitor.get("/account/password/reset/"), field="email", email="bo@shop.example")
    work()
    choose = visitor.send(asked, field="code", code=code_for("bo@shop.example"))
    visitor.send(choose, field="password1", password1="a brand new window", password2="a brand new window")

    fresh = visit("north.localhost")
    assert sign_in(fresh, "bo@shop.example").path == "/account/login/"
    assert sign_in(fresh, "bo@shop.example", "a brand new window").state == "active"


def test_a_new_password_instead_of_the_sign_up_code_proves_the_mailbox_too(
    sandbox: Sandbox, north: Agency, visit: Visit, work: Work, mailoutbox: Any
):
    sign_up(visit("north.localhost"), work)
    visitor = visit("north.localhost")
    asked = visitor.send(visitor.get("/account/password/reset/"), field="email", email="kim@shop.example")
    work()
    choose = visitor.send(asked, field="code", code=code_for("kim@shop.example"))
    visitor.send(choose, field="password1", password1="a brand new window", password2="a brand new window")
    work()

    assert sign_in(visit("north.localhost"), "kim@shop.example", "a brand new window").state == "active"
    assert len(sandbox.effects("subaccount_created")) == 1


def test_an_address_is_changed_once_the_new_mailbox_is_proven(
    sandbox: Sandbox, bo: User, active: Subaccount, visit: Visit, work: Work, mailoutbox: Any
):
    visitor = visit("north.localhost")
    sign_in(visitor, "bo@shop.example")
    asked = visitor.send(visitor.get("/account/email/"), field="email", email="new@shop.example", action_add="1")
    if asked.path == "/account/reauthenticate/":
        asked = visitor.send(asked, field="password", password=PASSWORD)
    work()
    visitor.send(visitor.get("/account/confirm-email/"), field="code", code=code_for("new@shop.example"))

    fresh = visit("north.localhost")
    assert sign_in(fresh, "bo@shop.example").path == "/account/login/"
    assert sign_in(fresh, "new@shop.example").state == "active"


def test_an_unknown_host_is_refused_before_anything_answers(north: Agency, visit: Visit):
    stranger = visit("evil.example")

    assert [stranger.get(path).status for path in ("/", "/account/login/", "/start/", "/readyz")] == [400] * 4
    assert stranger.get("/healthz").status == 200
