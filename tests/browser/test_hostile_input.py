"""Payloads typed into every field of every form, and every page that shows them, in a browser: nothing runs."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django import forms
from django.db import transaction
from django.test import Client
from playwright.sync_api import BrowserType

from accounts import jobs, refreshes
from accounts.models import Subaccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.conftest import NORTH_KEYS
from tests.figures import RecordFigure
from tests.forms import forms_of_ours
from tests.hostile import payloads, world
from tests.hostile.places import FORMS, text_fields
from tests.hostile.replay import Replay, browser_for, serving, show
from tests.hostile.world import Answer

BLOCKS = 6
TAG = re.compile(r"<[a-zA-Z/!]|[\"'][^<>]*\w+\s*=")  # opens an element, or leaves an attribute for another
ShowAll = Callable[..., tuple[list[str], int]]


def test_every_field_that_takes_text_or_a_file_is_typed_into():
    typed: dict[type[forms.BaseForm], set[str]] = {}
    for place in FORMS:
        typed.setdefault(place.form, set()).update(place.text)
    # allauth adds the name to its form and takes it away again for people who sign in by address.
    missing = {form.__name__: text_fields(form) - typed.get(form, set()) - {"username"} for form in forms_of_ours()}

    assert {form: fields for form, fields in missing.items() if fields} == {}


@pytest.fixture
def show_all(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> ShowAll:
    """Shows recorded pages in Chromium; what was heard, and how many pages it loaded."""

    def shown(answers: list[Answer], sheets: dict[str, bytes] | None = None) -> tuple[list[str], int]:
        with (
            serving(Replay(answers, sheets or {})) as replay,
            browser_for(replay, browser_type, browser_type_launch_args) as context,
        ):
            return show(replay, context)

    return shown


def record(payload: str, shown: world.World, *, everywhere: bool) -> tuple[list[Answer], int, dict[str, bytes]]:
    """What is answered while one payload is everywhere; then all is as before."""
    with transaction.atomic():
        answers, taken = world.answers_to(shown, payload, everywhere=everywhere)
        sheets = {
            path: shown.clients["anonymous"].get(path).content
            for path in {path for answer in answers for path in world.style_sheets(answer)}
        }
        transaction.set_rollback(True)
    return answers, taken, sheets


def planted(answers: list[Answer]) -> list[str]:
    """Where an element or an attribute was typed and stands in the page as one: what need not run to do harm."""
    return [
        f"{answer.path}: {answer.payload}"
        for answer in answers
        if TAG.search(answer.payload) and answer.payload.strip().encode() in answer.body
    ]


@pytest.mark.prove
@pytest.mark.django_db
@pytest.mark.parametrize("block", range(BLOCKS))
def test_nothing_that_was_typed_runs(block: int, sandbox: Sandbox, show_all: ShowAll, record_figure: RecordFigure):
    shown = world.make()
    answers: list[Answer] = []
    sheets: dict[str, bytes] = {}
    taken, chosen = 0, payloads()[block::BLOCKS]
    for number, payload in enumerate(chosen):
        found, accepted, styles = record(payload, shown, everywhere=number % 5 == 0)
        answers += found
        taken += accepted
        sheets |= styles

    heard, loads = show_all(answers, sheets)

    assert heard == []
    assert planted(answers) == []
    assert taken > len(chosen) * 8, "most texts are stored, not refused"
    record_figure(
        "Hostile input",
        {"payloads": len(chosen), "forms accepted": taken, "answers shown": len(answers), "page loads": loads},
    )


@pytest.mark.prove
@pytest.mark.django_db
def test_nothing_that_the_vendor_says_runs(
    sandbox: Sandbox,
    show_all: ShowAll,
    record_figure: RecordFigure,
):
    """Names, codes, addresses and states of coupons, as the worker reads them."""
    shown = world.make()
    answers: list[Answer] = []
    for first in range(0, len(payloads()), 50):
        texts = payloads()[first : first + 50]
        person = factories.person(shown.north)
        customer = factories.customer(shown.north, person)
        vendor_id = sandbox.add_subaccount(
            NORTH_KEYS[0],
            email=customer.email,
            campaigns=[{"name": text, "status": text, "code": text} for text in texts],
        )
        factories.activate(customer, None)
        Subaccount.objects.for_agency(shown.north).filter(customer=customer).update(vendor_id=vendor_id)
        customer.subaccount.refresh_from_db()
        refreshes.put(customer.subaccount)
        while jobs.run():
            pass
        member = Client(headers={"host": world.NORTH})
        member.force_login(person)
        for client, path in (
            (member, f"/c/{customer.public_id}/"),
            (shown.clients["staff"], f"/console/customers/{customer.public_id}/"),
        ):
            response = client.get(path)
            answers.append(Answer(texts[0], path, response.content, response.headers["Content-Security-Policy"]))
        assert customer.subaccount.campaigns.count() >= len(texts) - 1

    heard, loads = show_all(answers)

    assert heard == []
    assert planted([replace(answer, payload=text) for answer in answers for text in payloads()]) == []
    record_figure("Hostile vendor", {"payloads": len(payloads()), "page loads": loads})


@pytest.mark.prove
def test_the_browser_hears_payloads_that_nobody_escaped(show_all: ShowAll, record_figure: RecordFigure):
    """Without escaping most of them do run: what was heard above was worth listening to."""
    raw = [
        page.replace("@", payload)
        for payload in payloads()
        for page in ("<!doctype html><p>@</p>", '<!doctype html><input value="@"><a href="@">x</a>')
    ]
    answers = [Answer(text, "raw", text.encode(errors="replace"), "script-src 'none'; img-src 'none'") for text in raw]

    heard, _loads = show_all(answers)

    told = {line.partition(": raw ")[2] for line in heard if ": raw " in line}
    assert len(told) > 150
    record_figure("Payloads heard where nobody escapes", f"{len(told)} of {len(raw)} pages")
