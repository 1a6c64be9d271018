"""Hosts and forwarding headers as no browser sends them, over raw sockets, and where links in mails lead."""

import json
import re
import socket
import subprocess
import sys

import pytest

from tests.deployment.production import Production
from tests.deployment.world import NORTH, PLATFORM, SOUTH, SPARE
from tests.figures import RecordFigure
from tests.run import ROOT

EVIL = "evil.example"
PROXY = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9\r\n"

# Nobody's host, in all the ways that it can be said: refused, whatever is asked for.
NOBODYS = {
    "another name": f"Host: {EVIL}",
    "no host": "X: y",
    "empty": "Host:",
    "spaces": "Host:    ",
    "a name that ends like ours": f"Host: {EVIL}.{NORTH}",
    "a name that starts like ours": f"Host: {NORTH}.{EVIL}",
    "ours behind a user": f"Host: {EVIL}@{NORTH}",
    "ours as a user": f"Host: {NORTH}@{EVIL}",
    "ours with a wrong port": f"Host: {NORTH}:81",
    "ours with a port in words": f"Host: {NORTH}:https",
    "ours with two ports": f"Host: {NORTH}:443:443",
    "ours with an empty port": f"Host: {NORTH}:",
    "ours with a negative port": f"Host: {NORTH}:-443",
    "ours with a port that is somebody": f"Host: {NORTH}:443@{EVIL}",
    "ours with a dot": f"Host: {NORTH}.",
    "ours in capitals": f"Host: {NORTH.upper()}",
    "ours with a path": f"Host: {NORTH}/{EVIL}",
    "ours with a backslash": f"Host: {NORTH}\\{EVIL}",
    "ours with a question": f"Host: {NORTH}?{EVIL}",
    "ours with a number sign": f"Host: {NORTH}#{EVIL}",
    "ours with a space": f"Host: {NORTH} {EVIL}",
    "ours with a comma": f"Host: {NORTH},{EVIL}",
    "ours with a semicolon": f"Host: {NORTH};{EVIL}",
    "ours percent-encoded": f"Host: {NORTH.replace('.', '%2e')}",
    "ours in wide letters": "Host: ｃoupons.north.example",
    "ours with a zero": f"Host: {NORTH}\0.{EVIL}",
    "ours with a tab": f"Host: {NORTH}\t.{EVIL}",
    "ours with markup": f"Host: {NORTH}<script>",
    "an address": "Host: 127.0.0.1",
    "an address in brackets": "Host: [::1]",
    "this machine": "Host: localhost",
    "a wildcard": "Host: *",
    "a dot": f"Host: .{NORTH}",
    "a very long name": f"Host: {'a' * 5000}.{NORTH}",
    "a whole address": f"Host: https://{NORTH}",
    "twice, theirs first": f"Host: {EVIL}\r\nHost: {NORTH}",
    "twice, ours first": f"Host: {NORTH}\r\nHost: {EVIL}",
    "in two lines": f"Host: {NORTH}\r\n {EVIL}",
    "a space before the colon": f"Host : {NORTH}",
    "forwarded as ours": f"Host: {EVIL}\r\nX-Forwarded-Host: {NORTH}",
    "forwarded as ours, by the standard": f"Host: {EVIL}\r\nForwarded: host={NORTH};proto=https",
}
# Ours, with somebody else's in a place that must mean nothing: answered as if it were not there.
OURS_ALL_THE_SAME = {
    "X-Forwarded-Host": f"X-Forwarded-Host: {EVIL}",
    "X-Forwarded-Host, twice": f"X-Forwarded-Host: {EVIL}\r\nX-Forwarded-Host: {SOUTH}",
    "X-Forwarded-Server": f"X-Forwarded-Server: {EVIL}",
    "X-Host": f"X-Host: {EVIL}",
    "X-Original-Host": f"X-Original-Host: {EVIL}",
    "X-HTTP-Host-Override": f"X-HTTP-Host-Override: {EVIL}",
    "Forwarded": f"Forwarded: for=1.2.3.4;host={EVIL};proto=http",
    "X-Forwarded-Port": "X-Forwarded-Port: 81",
    "X-Original-URL": "X-Original-URL: /operator/",
    "X-Rewrite-URL": "X-Rewrite-URL: /operator/",
    "X-Forwarded-Prefix": f"X-Forwarded-Prefix: //{EVIL}",
    "X-Script-Name": f"X-Script-Name: //{EVIL}",
    "Referer": f"Referer: https://{EVIL}/",
    "X_FORWARDED_HOST": f"X_FORWARDED_HOST: {EVIL}",
}
CHANGES_EACH_TIME = re.compile(
    rb"(Date|Expires): [^\r]+|csrf[^;\r]+|nonce-[^']+|nonce=\"[^\"]+|value=\"[^\"]+|expires=[^;]+|[0-9A-F]{8}"
    rb"|\d\d?:\d\d(:\d\d)?(\.\d+)?|Content-Length: \d+"
)
PATHS = ("/start/", "/static/portal.css", "/account/password/reset/", "/readyz", "/brand/x.css", "/")


def raw(installation: Production, request: str) -> bytes:
    """Sends bytes as they are; everything that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", installation.port), timeout=20) as connection:
        connection.sendall(request.encode("utf-8"))
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def ask(installation: Production, lines: str, path: str = "/start/", target: str = "") -> tuple[int, bytes]:
    answer = raw(installation, f"GET {target or path} HTTP/1.1\r\n{lines}\r\n{PROXY}Connection: close\r\n\r\n")
    status = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return int(status.group(1)) if status else 0, answer


def test_a_host_that_is_nobodys_is_refused_before_anything_else_answers(
    installation: Production, record_figure: RecordFigure
):
    answers = {(name, path): ask(installation, lines, path) for name, lines in NOBODYS.items() for path in PATHS}

    assert {key: status for key, (status, _body) in answers.items() if status != 400} == {}
    for _status, body in answers.values():
        assert b"North" not in body
        assert b"Set-Cookie" not in body
    record_figure("Hosts", f"{len(NOBODYS)} ways to say nobody's host, {len(answers)} answers, all 400")


def test_the_one_thing_that_every_host_is_told_is_that_the_process_lives(installation: Production):
    """For who looks after processes and asks them by their number, before there is an agency or a database."""
    answers = [ask(installation, lines, "/healthz") for lines in NOBODYS.values()]

    assert {status for status, _answer in answers} <= {200, 400}  # gunicorn refuses what is no request
    for status, answer in answers:
        assert status == 400 or b'{"status": "ok"}' in answer
        assert b"North" not in answer
        assert b"Set-Cookie" not in answer


@pytest.mark.parametrize("name", OURS_ALL_THE_SAME)
def test_forwarding_headers_change_nothing(name: str, installation: Production):
    def answered(lines: str, path: str) -> tuple[int, list[bytes]]:
        """The words of the answer, in any order: each process has its own for the parts of the policy."""
        status, body = ask(installation, lines, path)
        return status, sorted(re.split(rb"[;\s]+", CHANGES_EACH_TIME.sub(b"", body)))

    for path in ("/start/", "/account/login/", "/nothing/", "/console/"):
        with_it = answered(f"Host: {NORTH}\r\n{OURS_ALL_THE_SAME[name]}", path)
        without = answered(f"Host: {NORTH}", path)
        assert with_it == without


@pytest.mark.parametrize(
    "target", [f"http://{EVIL}/start/", f"https://{EVIL}/start/", f"//{EVIL}/start/", f"http://{EVIL}@{NORTH}/start/"]
)
def test_a_host_in_the_request_line_leads_nowhere(target: str, installation: Production):
    _status, body = ask(installation, f"Host: {NORTH}", target=target)
    location = re.search(rb"\nLocation: ([^\r]+)", body)

    assert location is None or location.group(1).startswith((f"https://{NORTH}/".encode(), b"/start", b"/account"))
    assert EVIL.encode() not in re.sub(rb"next=[^\r\"]+", b"", body)


@pytest.mark.parametrize(
    "request_line",
    [
        f"GET /start/ HTTP/1.1\r\nHost: {NORTH}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        f"POST /account/login/ HTTP/1.1\r\nHost: {NORTH}\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        f"POST /account/login/ HTTP/1.1\r\nHost: {NORTH}\r\nTransfer-Encoding: xchunked\r\n",
        f"POST /account/login/ HTTP/1.1\r\nHost: {NORTH}\r\nTransfer-Encoding : chunked\r\n",
    ],
)
def test_a_request_inside_a_request_is_not_answered(request_line: str, installation: Production):
    inside = f"GET /account/signup/ HTTP/1.1\r\nHost: {SOUTH}\r\n{PROXY}\r\n"

    answer = raw(installation, f"{request_line}{PROXY}Connection: close\r\n\r\n0\r\n\r\n{inside}")

    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"South" not in answer


@pytest.fixture
def _no_mail_waits(installation: Production) -> None:
    """No mail of before waits."""
    sent(installation)


def sent(installation: Production) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.deployment.mails"],
        cwd=ROOT,
        env=installation.settings,
        capture_output=True,
        text=True,
        check=True,
    )
    mails: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return mails


@pytest.mark.usefixtures("_no_mail_waits")
def test_no_mail_links_to_anybody_elses_host(installation: Production, record_figure: RecordFigure):
    facts = installation.facts[NORTH]
    kinds = {
        "reset": ("/account/password/reset/", "", {"email": "bo@shop.example"}),
        "reset, unknown": ("/account/password/reset/", "", {"email": "x@shop.example"}),
        "sign-up": (
            "/account/signup/",
            "",
            {
                "package": facts["package"],
                "company_name": "X",
                "first_name": "X",
                "last_name": "X",
                "country": "NL",
                "password1": "oven window bicycle",
            },
        ),
        "invitation": ("/console/staff/invite/", facts["staff"], {"role": "support"}),
    }
    for number, line in enumerate([*OURS_ALL_THE_SAME.values(), f"Host: {SPARE}"]):
        spoofed = dict(part.split(": ", 1) for part in line.split("\r\n"))
        for kind, (path, session, values) in kinds.items():
            email = {} if "email" in values else {"email": f"n{number}@{kind.replace(', ', '')}.example"}
            installation.send(
                path,
                standing_on=path,
                session=session,
                spoofed=spoofed,
                came_from=f"198.51.{number}.1",
                **values,
                **email,
            )

    written = sent(installation)
    links = {host for mail in written for host in re.findall(r"https?://([^/\s]+)", mail["body"])}
    assert len(written) > 2 * len(OURS_ALL_THE_SAME)
    assert links == {NORTH}
    assert not any(EVIL in mail["body"] + mail["subject"] for mail in written)
    record_figure("Mails after spoofed headers", f"{len(written)} written, 0 links to another host")


def test_the_platform_is_not_reached_over_an_agencys_host(installation: Production):
    for lines in (f"Host: {NORTH}\r\nX-Forwarded-Host: {PLATFORM}", f"Host: {NORTH}"):
        assert ask(installation, lines, "/operator/")[0] == 404
