"""The list as CSV, opened in LibreOffice: no cell is a formula, and every text is what was typed."""

import re
from typing import Any

import pytest

from accounts.models import Agency, Customer, User
from portal.views.console.customers import FORMULA
from tests import factories
from tests.figures import RecordFigure
from tests.hostile import payloads, payloads_of
from tests.hostile.spreadsheet import ANY, COMMA, opened

pytestmark = [pytest.mark.django_db, pytest.mark.office]

FORMULAS = ["=1+1", "+1+1", "-1+1", '=HYPERLINK("https://evil.example")', "x;=1+1", 'x";=1+1', "\t=1+1"]


def seen(text: str) -> str:
    """A text without what LibreOffice keeps as an element of its own, or drops."""
    return re.sub(r"[\s\x00-\x1f\x7f\ufffe\ufeff]", "", text)


def test_no_text_is_a_formula_and_all_are_kept(north: Agency, ada: User, client_for: Any, record_figure: RecordFigure):
    texts = [text.replace("\x00", "") for text in [*payloads_of("formula"), *payloads()] if len(text) <= 120]
    owner = factories.person(north)
    first = factories.customer(north, owner)
    rows = Customer.objects.for_agency(north)
    made = [
        Customer(
            agency=north,
            company_name=text,
            first_name=text[:60],
            last_name=text[-60:],
            country="NL",
            email=f"n{number}@shop.example",
            package=first.package,
        )
        for number, text in enumerate(texts)
    ]
    for customer in made:
        customer.save()
        first.subaccount.pk, first.subaccount.public_id, first.subaccount.customer = None, None, customer
        first.subaccount.public_id = customer.public_id
        first.subaccount.save(force_insert=True)

    answer = client_for(north, ada).post("/console/customers/export/")
    content = b"".join(answer.streaming_content)

    for separators in (COMMA, ANY):
        _cells, formulas = opened(content, separators=separators)
        assert formulas == []
    cells, _none = opened(content, quoted_is_text=True)
    shown = {seen(row[1].removeprefix("'")) for row in cells if len(row) > 1}
    expected = {seen(text.removeprefix("'")) for text in texts}
    assert expected - shown <= {""}
    assert rows.count() == len(texts) + 1
    record_figure("CSV in LibreOffice", f"{len(texts):,} customers with hostile names, 0 formulas")


def test_libreoffice_would_find_a_formula():
    """Written without care the same texts are formulas, so none above means something."""
    careless = "\r\n".join(f"{number},{text}" for number, text in enumerate(FORMULAS)).encode()

    _cells, formulas = opened(careless, separators=ANY)

    assert len(formulas) >= 4


@pytest.mark.parametrize("text", FORMULAS[:4])
def test_each_is_guarded_before_anything_opens_it(text: str):
    assert FORMULA.match(text)
    assert not FORMULA.match(f"x{text}")
