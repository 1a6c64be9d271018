"""Nobody learns from a form whether an address is known, here or at another agency: same answer, same work."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Agency, Job, User
from tests import factories
from tests.addresses import every_address
from tests.factories import PASSWORD
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

KNOWN, ELSEWHERE, UNKNOWN = "known1@shop.example", "south1@shop.example", "nobody@shop.example"
OUTSIDER = "a password that an outsider chose"
UNPROVEN, WITH_FACTOR, STAFF = "unsure@shop.example", "second@shop.example", "staff1@shop.example"


@dataclass(frozen=True)
class Answer:
    """One request's: what is seen of it, and how many statements it took."""

    request: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    statements: int


@dataclass(frozen=True)
class Trace:
    """What an address did, request by request, and the work behind it."""

    answers: tuple[Answer, ...]
    hashes: int
    mails: int


class Listener(Client):
    """A browser that writes down what it was answered, and what that took."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.answers: list[Answer] = []
        self.email = ""

    def request(self, **request: Any) -> Any:
        statements: list[str] = []

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            answer = super().request(**request)
        name = f"{request['REQUEST_METHOD']} {request['PATH_INFO']}"
        headers = ((name, masked(value, self.email)) for name, value in answer.headers.items() if name not in VARYING)
        body = masked(b"".join(answer).decode(errors="replace"), self.email)
        self.answers.append(Answer(name, answer.status_code, tuple(sorted(headers)), body, len(statements)))
        return answer


def masked(text: str, email: str) -> str:
    """A text without what is different each time, and without the address itself."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value="|nonce[-="]+)[^"\' ]+', "", text)
    text = re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{8}|\d\d?:\d\d(:\d\d)?( [ap]\.m\.)?(\.\d+)?", "", text
    )
    return text.replace(email, "ADDRESS")


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many passwords were hashed."""
    counted: Counter[str] = Counter()
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        counted["all"] += 1
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    return counted


PATHS = [address.path(token="guess", page="campaigns") for address in every_address() if address.on == "agency"]
METHODS = ("GET", "POST", "OPTIONS", "DELETE")
VARYING = ("Date", "Expires")
Ask = Callable[[Client, str], Any]
Tracing = Callable[[Ask, str], Trace]


@pytest.fixture
def trace(north: Agency, hashes: Counter[str]) -> Callable[[Ask, str], Trace]:
    client = Listener(headers={"host": "north.localhost"})

    def run(ask: Ask, email: str) -> Trace:
        cache.clear()
        client.cookies.clear()
        client.answers.clear()
        client.email = email
        hashes.clear()
        with transaction.atomic():
            jobs = Job.objects.for_agency(north).count()
            answer = ask(client, email)
            while answer is not None and answer.status_code in (302, 303):
                answer = client.get(answer.headers["Location"])
            mails = Job.objects.for_agency(north).count() - jobs
            transaction.set_rollback(True)
        return Trace(tuple(client.answers), hashes["all"], mails)

    return run


def sign_in(client: Client, email: str) -> Any:
    return client.post("/account/login/", {"login": email, "password": "wrong wrong wrong"})


def sign_up(client: Client, email: str, password: str = PASSWORD) -> Any:
    package = re.search(r'value="([0-9a-f-]{36})"', client.get("/account/signup/").text)
    assert package
    values = {"company_name": "X", "first_name": "X", "last_name": "X", "country": "NL", "package": package.group(1)}
    return client.post("/account/signup/", values | {"email": email, "password1": password})


def reset(client: Client, email: str) -> Any:
    return client.post("/account/password/reset/", {"email": email})


def wrong_code_after_a_reset(client: Client, email: str) -> Any:
    reset(client, email)
    return client.post("/account/password/reset/confirm/", {"code": "AAA-BBB"})


def type_a_wrong_code(client: Client) -> Any:
    return client.post("/account/confirm-email/", {"code": "AAA-BBB"})


def ask_for_another_code(client: Client) -> Any:
    return client.post("/account/confirm-email/", {"action": "resend"})


def wrong_code_after_a_sign_up(client: Client, email: str) -> Any:
    sign_up(client, email)
    return type_a_wrong_code(client)


def new_code_after_a_sign_up(client: Client, email: str) -> Any:
    sign_up(client, email)
    cache.clear()  # as if some minutes had passed
    return ask_for_another_code(client)


def new_code_at_once(client: Client, email: str) -> Any:
    """Refused: one may be asked for every few seconds."""
    sign_up(client, email)
    return ask_for_another_code(client)


def wrong_codes_until_it_is_over(client: Client, email: str) -> Any:
    sign_up(client, email)
    for _ in range(4):
        type_a_wrong_code(client)
    return client.get("/account/confirm-email/")


def wrong_codes_after_a_reset_until_it_is_over(client: Client, email: str) -> Any:
    reset(client, email)
    for _ in range(4):
        client.post("/account/password/reset/confirm/", {"code": "AAA-BBB"})
    return client.get("/account/password/reset/confirm/")


def sign_in_elsewhere_after_a_sign_up(client: Client, email: str) -> Any:
    """With the password of that sign-up: it works for nobody before the address is proven."""
    sign_up(client, email, OUTSIDER)
    client.cookies.clear()
    return client.post("/account/login/", {"login": email, "password": OUTSIDER})


def change_of_address(client: Client, email: str) -> Any:
    client.force_login(User.objects.get(agency__name="North", email="bo@shop.example"))
    return client.post("/account/email/", {"email": email, "action_add": "1"})


def wrong_code_after_a_change(client: Client, email: str) -> Any:
    change_of_address(client, email)
    return type_a_wrong_code(client)


def new_code_after_a_change(client: Client, email: str) -> Any:
    change_of_address(client, email)
    cache.clear()  # as if some minutes had passed
    return ask_for_another_code(client)


def invitation(client: Client, email: str) -> Any:
    """By a customer's owner, who may not learn who else is a customer here."""
    bo = User.objects.get(agency__name="North", email="bo@shop.example")
    client.force_login(bo)
    customer = bo.memberships.get().customer
    return client.post(f"/c/{customer.public_id}/people/invite/", {"email": email, "role": "viewer"})


FORMS = {
    form.__name__.replace("_", " "): form
    for form in (
        sign_in,
        sign_up,
        reset,
        wrong_code_after_a_reset,
        wrong_code_after_a_sign_up,
        new_code_after_a_sign_up,
        new_code_at_once,
        wrong_codes_until_it_is_over,
        wrong_codes_after_a_reset_until_it_is_over,
        sign_in_elsewhere_after_a_sign_up,
    )
}
SIGNED_IN = {
    form.__name__.replace("_", " "): form
    for form in (change_of_address, wrong_code_after_a_change, new_code_after_a_change, invitation)
}


@pytest.fixture(autouse=True)
def _people(north: Agency, south: Agency) -> None:
    factories.person(north, KNOWN)
    factories.person(north, UNPROVEN, verified=False)
    factories.second_factor(factories.person(north, WITH_FACTOR))
    factories.staff(north, STAFF, "admin")
    factories.person(south, ELSEWHERE)
    factories.customer(north, factories.person(north, "bo@shop.example"))


@pytest.mark.parametrize("form", [*FORMS, *SIGNED_IN])
@pytest.mark.parametrize("other", [KNOWN, ELSEWHERE, UNPROVEN, WITH_FACTOR, STAFF])
def test_known_and_unknown_addresses_take_the_same_path(
    form: str, other: str, trace: Tracing, record_figure: RecordFigure
):
    ask = (FORMS | SIGNED_IN)[form]
    trace(ask, "warmup@shop.example")

    assert trace(ask, other) == trace(ask, UNKNOWN)
    record_figure("Enumeration", {"pairs of addresses with the same answer and the same work": 1})


@pytest.mark.parametrize(
    ("begin", "minutes"),
    [(sign_up, 0), (sign_up, 20), (reset, 0), (reset, 20), (sign_in, 0)],
    ids=lambda given: getattr(given, "__name__", given),
)
def test_no_page_tells_it_in_the_browser_that_waits(
    begin: Ask, minutes: int, trace: Tracing, record_figure: RecordFigure
):
    """Every address of the agency's host is asked, in four ways, by somebody who has sent that form."""

    def walk(client: Client, email: str) -> None:
        begin(client, email)
        cookies = client.cookies.copy()
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            for path in PATHS:
                for method in METHODS:
                    with transaction.atomic():
                        cache.clear()
                        client.cookies = cookies.copy()
                        client.generic(method, path)
                        transaction.set_rollback(True)

    trace(walk, "warmup@shop.example")
    unknown = trace(walk, UNKNOWN)
    for other in (KNOWN, STAFF):
        assert trace(walk, other) == unknown
    assert len(unknown.answers) > len(METHODS) * len(PATHS)
    record_figure(
        "Enumeration", {"answers in browsers that wait, the same for each of three addresses": len(unknown.answers)}
    )


def test_nor_at_the_moment_when_the_code_is_over(trace: Tracing):
    """What waits for a code was begun a little before the code was made."""

    def ask(client: Client, email: str) -> Any:
        sign_up(client, email)
        begun = [
            client.session["account_login"]["initiated_at"],
            client.session["account_email_verification_code"]["at"],
        ]
        over = datetime.fromtimestamp(sum(begun) / 2, UTC) + timedelta(minutes=15)
        with time_machine.travel(over, tick=False):
            return client.get("/account/confirm-email/")

    unknown = trace(ask, UNKNOWN)
    for other in (KNOWN, ELSEWHERE, UNPROVEN, WITH_FACTOR, STAFF):
        assert trace(ask, other) == unknown
