"""The client against real sockets: deadlines, redirects, envelopes, ids, secrets, connections."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coupontools_api import errors, subaccounts
from coupontools_api.client import Coupontools
from coupontools_api.ids import CampaignId, SubaccountId, TeammateId
from coupontools_api.replies import Answer, judge, retry_after
from coupontools_api.sandbox import Sandbox
from coupontools_api.subaccounts import AccountStatus, Page

CREATE, LIST, GET, SSO = "/v4/subaccount/create", "/v4/subaccount/list", "/v4/subaccount", "/v3/subaccount/sso"


@pytest.fixture
def vendor(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.reset()
    running_sandbox.add_account("id", "client-secret-canary", packages=["pac_1"], teammates=["77"])
    return running_sandbox


@pytest.fixture
def client(vendor: Sandbox) -> Iterator[Coupontools]:
    client = Coupontools(
        client_id="id", client_secret="client-secret-canary", base_url=vendor.url, deadline=1.0, list_deadline=1.5
    )
    yield client
    client.close()


@pytest.fixture
def known(vendor: Sandbox) -> SubaccountId:
    return SubaccountId(vendor.add_subaccount("id", email="a@b.example", campaigns=[{"name": "X", "status": "active"}]))


def create(client: Coupontools, **changes: Any) -> Any:
    arguments: dict[str, Any] = {"email": "new@b.example", "password": "pass-canary", "package": "pac_1"} | changes
    return client.subaccounts.create(**arguments)


def test_it_lists_gets_creates_and_signs_on(client: Coupontools, vendor: Sandbox, known: SubaccountId):
    created = create(client, status=AccountStatus.TRIAL, country="NL")
    listed = client.subaccounts.list()
    details = client.subaccounts.get(known)
    signed_on = client.subaccounts.sign_on(known, page=Page.UPDATE_CAMPAIGN, campaign=details.campaigns[0].id)

    assert {row.id for row in listed} == {known, created.id}
    assert details.email == "a@b.example"
    assert signed_on.token.get_secret_value() in signed_on.url.get_secret_value()
    assert client.subaccounts.password_reset_url(known).url.get_secret_value().startswith(vendor.url)
    assert client.account.sign_on().url.get_secret_value()
    assert client.teammates.sign_on(TeammateId("77")).token.get_secret_value()


def test_an_undocumented_call_is_refused_unless_it_was_allowed(
    client: Coupontools, vendor: Sandbox, known: SubaccountId
):
    with pytest.raises(errors.Undocumented):
        client.subaccounts.update(known, company_name="New")
    assert vendor.requests() == []

    with Coupontools(
        client_id="id", client_secret="client-secret-canary", base_url=vendor.url, allow_undocumented=True
    ) as bold:
        bold.subaccounts.update(known, company_name="New")
    assert vendor.effects("updated")


@pytest.mark.parametrize("style", ["prefixed", "bare"])
def test_it_reads_ids_in_both_styles(style: str, client: Coupontools, vendor: Sandbox, known: SubaccountId):
    vendor.settings(id_style=style)

    assert client.subaccounts.sign_on(known).id == known


@pytest.mark.parametrize(
    "bad", ["", "0", "sub_", "sub_0", "cam_1", "sub_1 ", " 1", "1.0", "-1", "sub_１", None, [], "x"]
)
def test_a_blank_or_foreign_id_cannot_be_said(bad: Any):
    with pytest.raises(ValueError, match="not a SubaccountId"):
        SubaccountId(bad)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([1000], errors.Unauthorized),
        ([101], errors.AccountExpired),
        ([102], errors.WrongKindOfKey),
        ([200], errors.InvalidInput),
        ([303, 301], errors.InvalidInput),
        ([304], errors.EmailTaken),
        ([305, 304], errors.InvalidEmail),
        ([304, 1000], errors.Unauthorized),
        ([510], errors.NotFound),
        ([502], errors.NotFound),
        ([999], errors.UnexpectedReply),
    ],
)
@pytest.mark.parametrize("envelope", ["E-AUTH", "E-VALID", "E-TOP"])
@pytest.mark.parametrize("status", [200, 422])
def test_it_names_the_cause_whatever_the_envelope_and_status(
    codes: list[int], expected: type, envelope: str, status: int, client: Coupontools, vendor: Sandbox
):
    vendor.fault(CREATE, "status", status=status, codes=codes, envelope=envelope)

    with pytest.raises(errors.CoupontoolsError) as caught:
        create(client)

    assert type(caught.value) is (
        errors.refusal(subaccounts.CREATE, (codes[0],)).__class__ if envelope == "E-AUTH" else expected
    )


SLOW = {
    "body drip": ("slow_drip", {"seconds": 20, "interval": 0.05}),
    "header drip": ("slow_drip", {"seconds": 20, "interval": 0.05, "headers": True}),
    "hang": ("hang", {"seconds": 20}),
    "hang after the effect": ("hang", {"seconds": 20, "after_effect": True}),
    "rare drip": ("slow_drip", {"seconds": 20, "interval": 0.9}),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_deadline_is_total(name: str, client: Coupontools, vendor: Sandbox):
    kind, parameters = SLOW[name]
    vendor.fault(CREATE, kind, **parameters)
    started = time.monotonic()

    with pytest.raises(errors.NoAnswer) as caught:
        create(client)

    assert time.monotonic() - started < 8  # of twenty
    assert caught.value.may_have_happened
    create(client, email="after@b.example")  # the next call is not disturbed


def test_a_closed_port_is_known_not_to_have_happened():
    client = Coupontools(client_id="id", client_secret="s", base_url="http://127.0.0.1:9", deadline=1)

    with pytest.raises(errors.NotSent) as caught:
        create(client)

    assert not caught.value.may_have_happened
    client.close()


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncated"])
def test_a_cut_connection_may_have_happened(kind: str, client: Coupontools, vendor: Sandbox):
    vendor.fault(CREATE, kind)

    with pytest.raises(errors.CoupontoolsError) as caught:
        create(client)

    assert caught.value.may_have_happened


def test_a_redirect_is_never_followed(client: Coupontools, vendor: Sandbox):
    vendor.fault(CREATE, "redirect", location=f"{vendor.url}{LIST}")

    with pytest.raises(errors.UnexpectedReply):
        create(client)

    assert [request.path for request in vendor.requests()] == [CREATE]


def test_reads_are_retried_and_writes_never(client: Coupontools, vendor: Sandbox, known: SubaccountId):
    vendor.fault(GET, "status", status=503, body="away", times=2)
    vendor.fault(SSO, "status", status=503, body="away")

    client.subaccounts.get(known)
    with pytest.raises(errors.UnexpectedReply):
        client.subaccounts.sign_on(known)

    assert (len(vendor.requests(GET)), len(vendor.requests(SSO))) == (3, 1)


def test_a_huge_reply_is_refused(client: Coupontools, vendor: Sandbox):
    vendor.fault(CREATE, "oversize", bytes=3_000_000)

    with pytest.raises(errors.UnexpectedReply, match="bytes"):
        create(client)


def test_a_list_may_be_long(client: Coupontools, vendor: Sandbox):
    vendor.fault(LIST, "huge_list", rows=20_000)

    assert len(client.subaccounts.list()) >= 20_000


def test_an_answer_about_another_subaccount_is_refused(client: Coupontools, vendor: Sandbox, known: SubaccountId):
    vendor.fault(SSO, "wrong_id", id="sub_999")

    with pytest.raises(errors.UnexpectedReply, match="about something else"):
        client.subaccounts.sign_on(known)


def test_a_campaign_goes_with_update_campaign_only(client: Coupontools, vendor: Sandbox, known: SubaccountId):
    with pytest.raises(ValueError, match="update_campaign"):
        client.subaccounts.sign_on(known, page=Page.CAMPAIGNS, campaign=CampaignId("1"))
    with pytest.raises(ValueError, match="update_campaign"):
        client.subaccounts.sign_on(known, page=Page.UPDATE_CAMPAIGN)

    assert vendor.requests() == []


def test_kept_connections_serve_the_next_call(client: Coupontools, vendor: Sandbox, known: SubaccountId):
    for _ in range(4):
        client.subaccounts.sign_on(known)
    client.subaccounts.get(known)

    assert len({request.connection for request in vendor.requests()}) == 1


def test_credentials_go_in_headers(client: Coupontools, vendor: Sandbox, known: SubaccountId):
    client.subaccounts.get(known)

    assert vendor.requests()[0].credentials == "headers"


def test_no_secret_shows(client: Coupontools, vendor: Sandbox, known: SubaccountId, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    signed_on = client.subaccounts.sign_on(known)
    details = client.subaccounts.get(known)
    vendor.fault(CREATE, "reset_after")
    with pytest.raises(errors.NoAnswer) as caught:
        create(client)

    import traceback

    shown = "".join(
        [repr(signed_on), repr(details), repr(details.raw), repr(client), *traceback.format_exception(caught.value)]
    )
    assert "api_key" not in shown
    assert "api_secret" not in shown
    for secret in (signed_on.token.get_secret_value(), "client-secret-canary", "pass-canary"):
        assert secret not in shown + caplog.text


def test_http_is_for_loopback_only():
    with pytest.raises(ValueError, match="https"):
        Coupontools(client_id="id", client_secret="s", base_url="http://api.example.com")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("31536000", 3600.0),
        ("soon", None),
        ("", None),
        (None, None),
        ("-5", None),
        ("1e9", None),
    ],
)
def test_retry_after_is_bounded(value: str | None, seconds: float | None):
    assert retry_after(value) == seconds


def test_retry_after_may_be_a_date():
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    when = (now + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    assert retry_after(when, now) == 90.0


def test_what_no_database_can_keep_is_replaced_and_not_left_out():
    """Left out, an address would become somebody else's."""
    body = b'{"status": "OK", "email": "bo\\u0000@shop.example", "names": ["\\ud800x", "\\ud83d\\ude00"]}'

    payload = judge(subaccounts.GET, Answer(200, {}, body))

    assert payload["email"] == "bo\ufffd@shop.example"
    assert payload["names"] == ["\ufffdx", "\U0001f600"]
