"""All that can come instead of an answer, for every endpoint: always one of our own errors, and the true one."""

import gzip
import socket
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.coverage import ENDPOINTS
from coupontools_api.endpoints import Endpoint
from tests.coupontools_api.calls import CALLS
from tests.coupontools_api.rows import CAMPAIGN
from tests.coupontools_api.scripted import Script, Vendor, answers, drips, is_cut_off, resets, resets_within

MIB = 1024 * 1024
HTML = b"<!doctype html><title>Bad Gateway</title>"


@dataclass(frozen=True)
class Outcome:
    """What the vendor does, what it has to become, and how often a call that changes nothing asks."""

    script: Callable[[Endpoint], Script]
    kind: type[errors.CoupontoolsError]
    reads: int = 1


def too_large(endpoint: Endpoint) -> Script:
    """One byte more than such an answer may have, by what its header says and by what comes."""
    cap = (64 if endpoint.is_long else 2) * MIB

    def play(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {cap + 1}\r\n\r\n".encode())
        piece = b" " * MIB
        for _ in range(cap // len(piece)):
            connection.sendall(piece)
        connection.sendall(b" ")

    return play


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


def whole(*arguments: object, **headers: str) -> Callable[[Endpoint], Script]:
    return lambda endpoint: answers(*arguments, **headers)


OUTCOMES: dict[str, Outcome] = {
    "empty body": Outcome(whole(b""), errors.UnexpectedReply),
    "blank body": Outcome(whole(b" \n"), errors.UnexpectedReply),
    "not JSON": Outcome(whole(b"OK"), errors.UnexpectedReply),
    "JSON null": Outcome(whole(b"null"), errors.UnexpectedReply),
    "HTML": Outcome(whole(HTML, Content_Type="text/html"), errors.UnexpectedReply),
    "failed without a code": Outcome(whole({"status": {"status": "failed"}}), errors.UnexpectedReply),
    "unknown code": Outcome(
        whole({"status": {"status": "failed", "errors": {"error_code": [999]}}}), errors.UnexpectedReply
    ),
    "a code of 5,000 digits": Outcome(
        whole({"status": {"status": "failed", "errors": {"error_code": ["9" * 5000]}}}), errors.UnexpectedReply
    ),
    "half of the JSON": Outcome(whole(b'{"status": {"status": "OK"}, "subaccount'), errors.UnexpectedReply),
    "cut off": Outcome(lambda endpoint: is_cut_off, errors.NoAnswer),
    "slow drip": Outcome(lambda endpoint: drips, errors.NoAnswer),
    "redirect": Outcome(whole(b"", 302, Location="/elsewhere"), errors.UnexpectedReply),
    "redirect to no address": Outcome(whole(b"", 302, Location="http://["), errors.UnexpectedReply),
    "too large": Outcome(too_large, errors.UnexpectedReply),
    "401": Outcome(whole(HTML, 401), errors.Unauthorized),
    "403": Outcome(whole(HTML, 403), errors.Unauthorized),
    "500": Outcome(whole(HTML, 500), errors.UnexpectedReply),
    "503": Outcome(whole(HTML, 503), errors.UnexpectedReply, reads=3),
    "503 until never": Outcome(
        whole(HTML, 503, Retry_After="Mon, 01 Jan 2024 00:00:00 +999999999999999"), errors.UnexpectedReply, reads=3
    ),
    "reset before": Outcome(lambda endpoint: resets, errors.NoAnswer, reads=3),
    "reset after": Outcome(lambda endpoint: resets_within, errors.NoAnswer),
}
THROTTLED: dict[str, tuple[dict[str, str], float | None]] = {
    "no header": ({}, None),
    "seconds": ({"Retry_After": "7"}, 7),
    "a year": ({"Retry_After": "31536000"}, 3600),
    "nonsense": ({"Retry_After": "soon"}, None),
    "negative": ({"Retry_After": "-5"}, None),
    "a year beyond all": ({"Retry_After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
    "a zone beyond all": ({"Retry_After": "Mon, 01 Jan 2024 00:00:00 +999999999999999"}, None),
    "a date gone by": ({"Retry_After": "Thu, 01 Jan 2015 00:00:00 GMT"}, 0),
}
EVERY = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)


@EVERY
@pytest.mark.parametrize("name", OUTCOMES)
def test_whatever_comes_instead_is_named(
    name: str, endpoint: Endpoint, script: Vendor, bold: Coupontools, hasty: Coupontools
):
    outcome = OUTCOMES[name]
    script.plays(outcome.script(endpoint))

    with pytest.raises(errors.CoupontoolsError) as caught:
        CALLS[endpoint.name].ask(hasty if name == "slow drip" else bold)

    assert type(caught.value) is outcome.kind
    assert caught.value.may_have_happened is (outcome.kind in (errors.NoAnswer, errors.UnexpectedReply))
    assert len(script.requests) == (1 if endpoint.changes else outcome.reads)
    assert {request.path.partition("?")[0] for request in script.requests} != {"/elsewhere"}


@EVERY
@pytest.mark.parametrize("name", THROTTLED)
def test_throttling_tells_how_long(name: str, endpoint: Endpoint, script: Vendor, bold: Coupontools):
    headers, seconds = THROTTLED[name]
    script.plays(answers(b"", 429, **headers))

    with pytest.raises(errors.Throttled) as caught:
        CALLS[endpoint.name].ask(bold)

    assert caught.value.retry_after == seconds
    assert len(script.requests) == 1


@EVERY
def test_throttling_may_name_a_date(endpoint: Endpoint, script: Vendor, bold: Coupontools):
    script.plays(answers(b"", 429, Retry_After=in_a_minute()))

    with pytest.raises(errors.Throttled) as caught:
        CALLS[endpoint.name].ask(bold)

    assert caught.value.retry_after == pytest.approx(60, abs=5)


@EVERY
def test_throttling_that_says_ok_may_have_been_done(endpoint: Endpoint, script: Vendor, bold: Coupontools):
    script.plays(answers(b'{"status":{"status":"OK"},"subaccount":{"ID":"sub_1"}}', 429))

    with pytest.raises(errors.UnexpectedReply if endpoint.changes else errors.Throttled):
        CALLS[endpoint.name].ask(bold)


def test_a_redirect_has_no_more_bytes_than_any_answer(script: Vendor, bold: Coupontools):
    sent = gzip.compress(bytes(64 * MIB), mtime=0)
    script.plays(answers(sent, 302, Location="/elsewhere", Content_Encoding="gzip"))

    tracemalloc.start()
    try:
        with pytest.raises(errors.UnexpectedReply, match="bytes"):
            bold.campaigns.get(CAMPAIGN)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * MIB


def test_nobody_waits_for_a_retry_that_the_deadline_leaves_no_time_for(script: Vendor, bold: Coupontools):
    script.plays(answers(HTML, 503, Retry_After="3600"))
    started = time.monotonic()

    with pytest.raises(errors.NoAnswer, match="deadline"):
        bold.campaigns.get(CAMPAIGN)

    assert len(script.requests) == 1
    assert time.monotonic() - started < 10, "of its 20 seconds"


def test_a_retry_takes_no_notice_of_nonsense(script: Vendor, bold: Coupontools):
    call = CALLS["campaigns.get"]
    script.plays(answers(HTML, 503, Retry_After="soon"), answers(HTML, 503, Retry_After="0"), answers(call.answer))

    assert bold.campaigns.get(CAMPAIGN).id == CAMPAIGN


@EVERY
def test_a_refused_connection_has_done_nothing(endpoint: Endpoint):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        Coupontools(
            client_id="id",
            client_secret="s",
            base_url=f"http://127.0.0.1:{port}",
            deadline=3,
            list_deadline=3,
            allow_undocumented=True,
        ) as client,
        pytest.raises(errors.NotSent) as caught,
    ):
        CALLS[endpoint.name].ask(client)

    assert not caught.value.may_have_happened


@EVERY
def test_the_next_call_is_not_disturbed_by_what_came_before(endpoint: Endpoint, script: Vendor, bold: Coupontools):
    call = CALLS[endpoint.name]
    for spoiled in (answers(HTML, 500), is_cut_off, answers(b"", 302, Location="/")):
        script.plays(spoiled, answers(call.answer))
        with pytest.raises(errors.CoupontoolsError):
            call.ask(bold)

        read, expected = call.reads
        assert read(call.ask(bold)) == expected


@EVERY
def test_kept_connections_serve_every_call(endpoint: Endpoint, script: Vendor, bold: Coupontools):
    script.plays(answers(CALLS[endpoint.name].answer))

    for _ in range(3):
        CALLS[endpoint.name].ask(bold)

    assert len({request.connection for request in script.requests}) == 1
