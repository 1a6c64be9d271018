"""Log lines carry no token, whoever writes them."""

import io
import logging
import logging.config
import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from gunicorn.config import Config

from portal.serve import Lines
from tests.addresses import Address, every_address

WITH_TOKEN = [address for address in every_address() if re.search(r"[<:](token|key)>", address.route)]


def written(message: str) -> str:
    logging.config.dictConfig(settings.LOGGING)
    record = logging.makeLogRecord({"name": "django.request", "levelname": "ERROR", "msg": message})
    return logging.getLogger().handlers[0].format(record)


@pytest.mark.parametrize("address", WITH_TOKEN, ids=lambda address: address.route)
def test_an_address_that_is_a_key_is_not_written_down(address: Address):
    path = address.path(token="sesame-open", key="sesame-open")

    line = written(f"Internal Server Error: {path} again")

    assert "sesame-open" in path
    assert "sesame-open" not in line
    assert f"Internal Server Error: {path.replace('sesame-open', '[token]')} again" in line


def test_nor_is_the_token_of_a_way_into_the_panel():
    line = written("no answer from https://panel.example/index.php?logintype=sso&token=sesame-open, gone")

    assert "logintype=sso&token=[token]" in line
    assert "sesame" not in line


def test_nor_is_one_in_the_address_to_go_on_to():
    line = written("Forbidden: /account/login/?next=%2Finvitation%2Fsesame-open%2F")

    assert "next=%2Finvitation%2F[token]%2F" in line


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Where a process writes."""
    logging.config.dictConfig(settings.LOGGING)
    said = io.StringIO()
    logging.getLogger().handlers[0].setStream(said)
    yield said
    logging.config.dictConfig(settings.LOGGING)


def test_what_the_web_server_itself_says_is_written_like_everything_else(
    output: io.StringIO, capfd: pytest.CaptureFixture[str]
):
    Lines(Config()).warning("Invalid request from ip=%s: %r", "192.0.2.1", "GET /invitation/sesame-open/")

    assert "'GET /invitation/[token]/'" in output.getvalue()
    assert capfd.readouterr().err == ""
