"""Two at once: one person, one wish, one subaccount."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections

from accounts import provisioning
from accounts.models import Agency, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Any, times: int) -> list[Any]:
    def run(_: int) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_two_sign_ups_for_one_address_make_one_person(
    sandbox: Sandbox, north: Agency, visit: Any, work: Any, settings: Any
):
    package = str(north.packages.first().public_id)

    def sign_up() -> tuple[int, str]:
        visitor = visit("north.localhost")
        page = visitor.get("/account/signup/")
        sent = visitor.send(
            page,
            field="company_name",
            package=package,
            company_name="Kim's Kiosk",
            first_name="Kim",
            last_name="Kist",
            country="NL",
            email="kim@shop.example",
            password1=PASSWORD,
        )
        return sent.status, sent.path

    answers = at_once(sign_up, 3)
    work()

    # Who comes within ten seconds of the other for the same address is asked to wait, taken or not.
    assert set(answers) <= {(200, "/account/confirm-email/"), (429, "/account/signup/")}
    assert (200, "/account/confirm-email/") in answers
    assert User.objects.filter(agency=north, email="kim@shop.example").count() == 1
    assert Subaccount.objects.for_agency(north).count() == 1
    assert 1 <= len(mail.outbox) <= 3


def test_several_workers_make_each_subaccount_once(sandbox: Sandbox, north: Agency):
    wishes = 6
    for n in range(wishes):
        factories.customer(north, factories.person(north, f"n{n}@shop.example"))

    for _ in range(20):
        at_once(lambda: [provisioning.attempt() for _ in range(4)], 8 if connection.vendor == "postgresql" else 4)
        Subaccount.objects.for_agency(north).exclude(run_at=None).update(run_at="2020-01-01T00:00Z")
        if not Subaccount.objects.for_agency(north).exclude(state=State.ACTIVE).exists():
            break

    assert Subaccount.objects.for_agency(north).filter(state=State.ACTIVE).count() == wishes
    assert len(sandbox.effects("subaccount_created")) == wishes
    assert len(sandbox.requests("/v4/subaccount/create")) == wishes
    # Who arrives during a look shares the next one.
    assert len(sandbox.requests("/v4/subaccount/list")) <= wishes + 4
