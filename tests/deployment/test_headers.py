"""What every kind of answer carries, and that asking changes nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.addresses import every_address
from tests.deployment.production import GUESSES, Answer, Production
from tests.deployment.world import NORTH, PLATFORM, SOUTH, SPARE, UNKNOWN
from tests.figures import RecordFigure

SET = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": ("same-origin", "no-referrer"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
COOKIE = ("Secure", "HttpOnly", "SameSite=Lax", "Path=/")
WRITTEN_BY_VISITS = {"django_session", "usersessions_usersession"}
MEANT_TO_BE_KEPT = ("brand", "logo", "static", "not modified")


def static_of(installation: Production) -> str:
    page = installation.ask("/account/login/").body.decode()
    return page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]


def a_fault(installation: Production) -> Answer:
    """A page whose table is away."""
    with installation.database() as database:
        database.execute("ALTER TABLE accounts_package RENAME TO away")
        try:
            return installation.ask("/start/")
        finally:
            database.execute("ALTER TABLE away RENAME TO accounts_package")


def too_often(installation: Production) -> Answer:
    answers = [installation.ask("/invitation/guess/", came_from="198.51.100.9") for _ in range(GUESSES + 1)]
    return answers[-1]


def not_modified(installation: Production) -> Answer:
    path = static_of(installation)
    kept = installation.ask(path)
    assert kept.header("Last-Modified")
    # Of the two processes one may have read the files' times before a server beside this one had written them again.
    return installation.ask(path, headers={"If-Modified-Since": kept.header("Date")})


CLASSES: dict[str, tuple[int, Callable[[Production], Answer]]] = {
    "page": (200, lambda p: p.ask("/account/login/")),
    "page of a person": (200, lambda p: p.ask(p.facts[NORTH]["dashboard"], session=p.facts[NORTH]["member"])),
    "console": (200, lambda p: p.ask("/console/", session=p.facts[NORTH]["staff"])),
    "operator": (200, lambda p: p.ask("/operator/", host=PLATFORM, session=p.facts[PLATFORM]["operator"])),
    "led to the sign-in": (302, lambda p: p.ask("/console/")),
    "after a form": (
        302,
        lambda p: p.send(
            "/account/profile/",
            standing_on="/account/profile/",
            session=p.facts[NORTH]["member"],
            first_name="Bo",
            last_name="Bakker",
            language="en",
        ),
    ),
    "to the main host": (301, lambda p: p.ask("/start/", host=SPARE)),
    "not modified": (304, not_modified),
    "unknown host": (400, lambda p: p.ask("/start/", host=UNKNOWN)),
    "bad request": (
        400,
        lambda p: p.send(
            f"{p.facts[NORTH]['dashboard']}launch/",
            standing_on=p.facts[NORTH]["dashboard"],
            session=p.facts[NORTH]["member"],
            page="nonsense",
        ),
    ),
    "no token with a form": (403, lambda p: p.ask("/account/login/", method="POST", form="login=x")),
    "nothing here": (404, lambda p: p.ask("/nothing/")),
    "somebody else's": (404, lambda p: p.ask("/console/", session=p.facts[NORTH]["member"])),
    "wrong method": (
        405,
        lambda p: p.ask(f"{p.facts[NORTH]['dashboard']}launch/", session=p.facts[NORTH]["member"]),
    ),
    "too often": (429, too_often),
    "fault": (500, a_fault),
    "vendor away": (
        503,
        lambda p: p.send(
            f"{p.facts[NORTH]['dashboard']}launch/",
            standing_on=p.facts[NORTH]["dashboard"],
            session=p.facts[NORTH]["member"],
            page="campaigns",
        ),
    ),
    "static": (200, lambda p: p.ask(static_of(p))),
    "static, absent": (404, lambda p: p.ask("/static/nothing.css")),
    "brand": (200, lambda p: p.ask(p.facts[NORTH]["brand"])),
    "logo": (200, lambda p: p.ask(p.facts[NORTH]["logo"])),
    "export": (
        200,
        lambda p: p.send(
            "/console/customers/export/", standing_on="/console/customers/", session=p.facts[NORTH]["staff"]
        ),
    ),
    "health": (200, lambda p: p.ask("/healthz", host=UNKNOWN)),
    "readiness": (200, lambda p: p.ask("/readyz")),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_kind_of_answer_carries_the_whole_set(kind: str, installation: Production, record_figure: RecordFigure):
    status, ask = CLASSES[kind]

    answer = ask(installation)

    assert answer.status == status
    for name, wanted in SET.items():
        assert answer.header(name) in ((wanted,) if isinstance(wanted, str) else wanted), (name, answer.header(name))
    policy = answer.header("Content-Security-Policy")
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action "):
        assert part in policy
    assert "unsafe" not in policy
    wide = "; includeSubDomains; preload" if kind == "operator" else ""
    assert answer.header("Strict-Transport-Security") == f"max-age=63072000{wide}"
    if kind in MEANT_TO_BE_KEPT:
        assert "immutable" in answer.header("Cache-Control")
    else:
        assert "no-store" in answer.header("Cache-Control")
    for cookie in answer.cookies:
        assert cookie.startswith("__Host-")
        assert set(COOKIE) <= set(cookie.split("; ")), cookie
        assert "Domain" not in cookie
    record_figure("Headers", {"kinds of answers with the whole set": 1})


def test_plain_http_is_led_to_https_and_gets_no_cookie(installation: Production):
    answer = installation.ask("/account/login/", headers={"X-Forwarded-Proto": "http"})

    assert (answer.status, answer.header("Location")) == (301, f"https://{NORTH}/account/login/")
    assert answer.cookies == []
    assert answer.header("Strict-Transport-Security") == ""


def test_an_agency_that_serves_from_the_top_of_its_domain_decides_for_itself_alone(installation: Production):
    at_agency, at_platform = installation.ask("/start/"), installation.ask("/account/login/", host=PLATFORM)

    assert "includeSubDomains" not in at_agency.header("Strict-Transport-Security")
    assert "includeSubDomains" in at_platform.header("Strict-Transport-Security")


def rows(installation: Production) -> dict[str, str]:
    """A digest of every table, but for those where visits themselves are kept."""
    with installation.database() as database:
        names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: str(
                database.execute(
                    f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name} AS t"
                ).fetchone()
            )
            for (name,) in names
            if name not in WRITTEN_BY_VISITS
        }


def test_asking_for_a_page_changes_no_row(installation: Production, record_figure: RecordFigure):
    """GET and HEAD on every address as everybody; what they answer is the access matrix's affair."""
    facts = installation.facts
    customer = facts[NORTH]["dashboard"].strip("/").partition("/")[2]
    before, asked = rows(installation), 0

    for address in every_address():
        host = NORTH if address.on == "agency" else PLATFORM
        who = ("", "member", "staff") if address.on == "agency" else ("", "operator")
        path = address.path(customer=customer, page="campaigns", package=facts[NORTH]["package"])
        for session in who:
            for method in ("GET", "HEAD"):
                answer = installation.ask(path, host=host, method=method, session=facts[host].get(session, ""))
                assert answer.status < 500, (path, session, method)
                asked += 1

    assert rows(installation) == before
    record_figure("GET and HEAD that changed no row", f"{asked:,}")


def test_several_processes_share_no_connection(installation: Production):
    """With a connection from before the fork, one host's page is the answer to another's question."""

    def ask(number: int) -> tuple[int, bool, bool]:
        host, foreign = ((NORTH, b"South"), (SOUTH, b"North"))[number % 2]
        answer = installation.ask("/start/", host=host)
        return answer.status, bool(answer.body), foreign in answer.body

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(200)))

    assert answers == {(200, True, False)}
