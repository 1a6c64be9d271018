"""Limits with four processes and many at once: as exact as with one."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from tests.deployment.production import GUESSES, PROCESSES, VISITORS, Answer, Production
from tests.deployment.world import NORTH, SOUTH
from tests.figures import RecordFigure

AT_ONCE = 16
ALLAUTHS_SIGN_INS, ALLAUTHS_TRIES_OF_ONE = 30, 5
TOLERANCE = 0.05


def at_once(ask: Callable[[int], Answer], times: int) -> Counter[int]:
    """Asks from many threads, which all begin together; how often there was which status."""
    begin = threading.Barrier(AT_ONCE)

    def hand(first: int) -> list[int]:
        begin.wait()
        return [ask(number).status for number in range(first, times, AT_ONCE)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(status for statuses in pool.map(hand, range(AT_ONCE)) for status in statuses)


def form_of(installation: Production, path: str) -> tuple[str, str]:
    """The token and the cookie of a page with a form, which serve for many tries."""
    shown = installation.ask(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.body.decode())
    assert token is not None
    return token.group(1), "; ".join(cookie.partition(";")[0] for cookie in shown.cookies)


def assert_exact(allowed: int, limit: int) -> None:
    assert abs(allowed - limit) <= limit * TOLERANCE, f"{allowed} of {limit}"


def test_ours_are_exact(installation: Production, record_figure: RecordFigure):
    token, cookie = form_of(installation, "/account/login/")
    form = urlencode({"csrfmiddlewaretoken": token})

    def ask(number: int) -> Answer:
        return installation.ask(
            "/account/confirm-email/",
            host=NORTH,
            method="POST",
            form=form,
            came_from="198.51.100.50",
            headers={"Cookie": cookie},
        )

    answers = at_once(ask, VISITORS * 3 // 2)

    allowed = sum(count for status, count in answers.items() if status != 429)
    assert_exact(allowed, VISITORS)
    assert answers[429] == VISITORS * 3 // 2 - allowed
    record_figure("Limit with four processes", f"{allowed} let through of {VISITORS} ({PROCESSES} processes, ours)")


def test_allauths_are_exact_by_address(installation: Production, record_figure: RecordFigure):
    """Its own limit of sign-ins a minute from one address."""
    # Without a password the form is refused before anything is hashed.
    token, cookie = form_of(installation, "/account/login/")
    form = urlencode({"csrfmiddlewaretoken": token, "login": "x@x.example"})

    answers = at_once(
        lambda number: installation.ask(
            "/account/login/", method="POST", form=form, came_from="198.51.100.60", headers={"Cookie": cookie}
        ),
        ALLAUTHS_SIGN_INS * 4,
    )

    assert_exact(answers[200], ALLAUTHS_SIGN_INS)
    record_figure("Limit with four processes, allauth's", f"{answers[200]} let through of {ALLAUTHS_SIGN_INS}")


def test_allauths_are_exact_by_person(installation: Production, record_figure: RecordFigure):
    """Tries of one person's password from everywhere: the others are told to wait, and nothing is hashed."""
    refused, tried = [], []
    token, cookie = form_of(installation, "/account/login/")
    values = {"csrfmiddlewaretoken": token, "login": "bo@shop.example", "password": "wrong wrong wrong"}

    def noted(number: int) -> Answer:
        answer = installation.ask(
            "/account/login/",
            method="POST",
            form=urlencode(values),
            came_from=f"198.51.{number}.70",
            headers={"Cookie": cookie},
        )
        (refused if b"Too many tries" in answer.body else tried).append(number)
        return answer

    at_once(noted, AT_ONCE * 2)

    assert len(tried) == ALLAUTHS_TRIES_OF_ONE
    assert len(refused) == AT_ONCE * 2 - ALLAUTHS_TRIES_OF_ONE
    record_figure("Passwords tried of one person", f"{len(tried)} of {AT_ONCE * 2} at once")


def test_headers_of_the_visitor_gain_nothing_behind_a_proxy(installation: Production):
    """The proxy adds the address that it saw; what stood there before, and other headers, were written by anybody."""
    limit = GUESSES
    spoofs = [
        {"X-Forwarded-For": "203.0.113.{}, 198.51.100.80"},
        {"X-Forwarded-For": "198.51.100.81", "X-Real-IP": "203.0.113.{}"},
        {"X-Forwarded-For": "198.51.100.82", "Forwarded": "for=203.0.113.{}"},
        {"X-Forwarded-For": "198.51.100.83", "X_FORWARDED_FOR": "203.0.113.{}"},
    ]
    for spoof in spoofs:
        answers = Counter(
            installation.ask(
                "/invitation/guess/",
                host=(NORTH, SOUTH)[number % 2],
                headers={name: value.format(number) for name, value in spoof.items()},
            ).status
            for number in range(limit + 4)
        )
        assert answers == {404: limit, 429: 4}, spoof
