"""What a caller may log, keep or show: `.raw` and errors, with all that hangs on them."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from tests.coupontools_api.rows import LINK, OK, SUBACCOUNT, TOKEN
from tests.coupontools_api.scripted import Vendor, answers, is_cut_off


def sign_on(**more: Any) -> dict[str, Any]:
    return OK | {"subaccount": {"ID": SUBACCOUNT, "token": TOKEN, "url": LINK} | more}


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """An error and all that hangs on it."""
    if problem is not None:
        yield problem
        yield from chain(problem.__cause__)
        yield from chain(problem.__context__)


def everything_in(problem: BaseException) -> str:
    request = getattr(problem, "request", None)
    details = problem.errors(include_input=True) if hasattr(problem, "errors") else ""
    return f"{problem!r}{vars(problem)}{getattr(request, 'headers', '')}{details}"


@pytest.mark.parametrize(
    "name", ["API_SECRET", "Api_Key", "apikey", "x-api-key", "sso_token", "newPassword", "sso_url", "SSO-URL"]
)
def test_a_secret_is_known_by_its_name_however_it_is_written(name: str, bold: Coupontools, script: Vendor):
    script.plays(answers(sign_on(**{name: "s-canary"}, deep=[{name: "s-canary"}], kept="yes")))

    raw = bold.subaccounts.sign_on(SUBACCOUNT).raw

    assert "canary" not in str(raw)
    assert raw["kept"] == "yes"


def test_a_text_that_holds_the_token_is_hidden_under_any_name(bold: Coupontools, script: Vendor):
    script.plays(answers(sign_on(url_mobile=f"https://m.example/?t={TOKEN}", links=[LINK, "https://panel.example/"])))

    raw = bold.subaccounts.sign_on(SUBACCOUNT).raw

    assert raw == {"ID": SUBACCOUNT, "links": ["https://panel.example/"]}


def test_a_link_that_is_hidden_shows_under_no_other_name(bold: Coupontools, script: Vendor):
    more = {"reset_link": LINK, "links": {"url": LINK}, "urls": [LINK], "kept": "yes"}
    script.plays(answers(OK | {"subaccount": {"ID": SUBACCOUNT, "url": LINK} | more}))

    raw = bold.subaccounts.password_reset_url(SUBACCOUNT).raw

    assert raw == {"ID": SUBACCOUNT, "links": {}, "urls": [], "kept": "yes"}


def test_a_yes_or_a_word_about_tokens_hides_no_other_text(bold: Coupontools, script: Vendor):
    script.plays(answers(sign_on(has_token="1", token_type="e", title="10 percent off", plan="1")))

    raw = bold.subaccounts.sign_on(SUBACCOUNT).raw

    assert raw == {"ID": SUBACCOUNT, "title": "10 percent off", "plan": "1"}


def test_a_link_that_names_a_token_is_hidden_whatever_it_is_called(bold: Coupontools, script: Vendor):
    script.plays(answers(sign_on(login_link="https://m.example/?token=another-canary")))

    assert "canary" not in str(bold.subaccounts.sign_on(SUBACCOUNT).raw)


def test_an_error_about_a_reply_carries_nothing_of_it(bold: Coupontools, script: Vendor):
    script.plays(answers(sign_on(ID="nonsense-canary")))

    with pytest.raises(errors.UnexpectedReply) as caught:
        bold.subaccounts.sign_on(SUBACCOUNT)

    assert "canary" not in "".join(map(everything_in, chain(caught.value)))


def test_an_error_of_the_connection_carries_no_credentials(bold: Coupontools, script: Vendor):
    script.plays(is_cut_off)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    found: list[BaseException] = []
    with Coupontools(client_id="id-canary", client_secret="client-secret-canary", base_url=address) as nobody:
        for client in (bold, nobody):
            with pytest.raises((errors.NoAnswer, errors.NotSent)) as caught:
                client.account.sign_on()
            found += chain(caught.value)

    assert "canary" not in "".join(map(everything_in, found))
