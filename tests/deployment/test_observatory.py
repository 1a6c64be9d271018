"""What the MDN HTTP Observatory says of every kind of page, on every kind of host."""

from pathlib import Path

import pytest

from tests import observatory
from tests.deployment import certificates
from tests.deployment.front import Front
from tests.deployment.production import Production
from tests.deployment.world import NORTH, PLATFORM, SOUTH, UNKNOWN
from tests.figures import RecordFigure

GOAL = 130
EVERYWHERE = {
    "sign-in": ("/account/login/", 200),
    "forgotten password": ("/account/password/reset/", 200),
    "no such page": ("/nothing/", 404),
    "health": ("/healthz", 200),
    "readiness": ("/readyz", 200),
}
# Answered over plain http, too: probes that know no https, and a host that is nobody's. Judged by their https answer.
NOT_LED_TO_HTTPS = ("health", "readiness", "unknown host")
NO_PORT = 1
AT_AGENCIES = {
    "sign-up": ("/account/signup/", 200),
    "start": ("/start/", 200),
    "gone invitation": ("/invitation/no-such-token/", 404),
}
AT_THE_PLATFORM = {"home": ("/", 200)}


def pages(installation: Production) -> list[tuple[str, str, str, int, str]]:
    """Host, kind, path, status and session of every page."""
    found = [(UNKNOWN, "unknown host", "/", 400, "")]
    for host in (NORTH, SOUTH, PLATFORM):
        facts = installation.facts[host]
        kinds = EVERYWHERE | (AT_THE_PLATFORM if host == PLATFORM else AT_AGENCIES)
        found += [(host, kind, path, status, "") for kind, (path, status) in kinds.items()]
        page = installation.ask("/account/login/", host=host).body.decode()
        static = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
        found.append((host, "static file", static, 200, ""))
        if host == PLATFORM:
            found.append((host, "operator", "/operator/", 200, facts["operator"]))
            found.append((host, "operator's rows", "/operator/all/", 200, facts["operator"]))
            continue
        found += [
            (host, "brand", facts["brand"], 200, ""),
            (host, "invitation", facts["invitation"], 200, ""),
            (host, "dashboard", facts["dashboard"], 200, facts["member"]),
            (host, "people", f"{facts['dashboard']}people/", 200, facts["member"]),
            (host, "wrong method", f"{facts['dashboard']}launch/", 405, facts["member"]),
            (host, "not allowed", "/console/", 404, facts["member"]),
            (host, "console", "/console/", 200, facts["staff"]),
            (host, "customers", "/console/customers/", 200, facts["staff"]),
        ]
    found.append((NORTH, "logo", installation.facts[NORTH]["logo"], 200, ""))
    return found


@pytest.mark.observatory
def test_the_observatory_gives_the_best_grade_to_every_kind_of_page(
    installation: Production, authority_and_front: tuple[Path, Front], record_figure: RecordFigure
):
    authority, front = authority_and_front
    asked = pages(installation)

    answers = observatory.judge(
        [
            {
                "host": host,
                "path": path,
                "cookie": f"__Host-session={session}" if session else "",
                "httpsPort": front.https_port,
                "httpPort": NO_PORT if kind in NOT_LED_TO_HTTPS else front.http_port,
            }
            for host, kind, path, _status, session in asked
        ],
        authority=authority,
    )

    judged = {(host, kind): answer for (host, kind, *_), answer in zip(asked, answers, strict=True)}
    lines = {key: (answer["grade"], answer["score"], answer["failed"]) for key, answer in judged.items()}
    assert {key: answer["status"] for key, answer in judged.items()} == {
        (host, kind): status for host, kind, _path, status, _session in asked
    }
    assert {key: line for key, line in lines.items() if line[0] != "A+" or line[1] < GOAL or line[2]} == {}
    scores = [answer["score"] for answer in answers]
    record_figure("Observatory", f"{len(scores)} pages on 4 hosts, all A+, {min(scores)} to {max(scores)} points")


@pytest.mark.observatory
def test_the_engine_sees_a_page_without_the_headers(installation: Production, tmp_path: Path):
    """What is judged is what was sent: the same page loses its grade once the proxy drops a header."""

    class Careless(Front):
        dropped = "content-security-policy"

    authority, pair = certificates.write(tmp_path, [NORTH])
    careless = Careless(installation.port, pair)
    try:
        ports = {"httpsPort": careless.https_port, "httpPort": careless.http_port}
        (answer,) = observatory.judge([{"host": NORTH, "path": "/start/", "cookie": "", **ports}], authority=authority)
    finally:
        careless.close()

    assert answer["failed"] == ["csp-not-implemented"]
    assert answer["score"] < 100
