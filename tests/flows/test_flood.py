"""A flood of sign-ups: nothing is made for mailboxes that nobody proved, and no more a day than the agency may."""

from typing import Any

import pytest
from django.conf import settings as settings_of_the_run
from django.test import Client
from django.utils import timezone

from accounts import jobs, provisioning
from accounts.crypto import unseal
from accounts.models import Agency, Job, State, Subaccount
from coupontools_api.sandbox import Sandbox
from tests.factories import PASSWORD
from tests.figures import RecordFigure

pytestmark = [pytest.mark.django_db, pytest.mark.prove]

# The whole flood on one database; on the other a tenth of it, for its way of counting.
ADDRESSES, EACH = 1_000 if settings_of_the_run.IS_SQLITE else 100, 10
BUDGET, PROVEN = 20, 60
ONE_IN = ADDRESSES * EACH // PROVEN


def test_a_flood_makes_no_more_than_the_budget_and_nothing_unproven(
    sandbox: Sandbox, north: Agency, settings: Any, record_figure: RecordFigure
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    north.daily_creates = BUDGET
    north.save()
    package = str(north.packages.first().public_id)
    client = Client(headers={"host": "north.localhost"})
    statuses: dict[int, int] = {}
    proven = []

    for number in range(ADDRESSES * EACH):
        address = f"10.{number // EACH // 256}.{number // EACH % 256}.9"
        client.cookies.clear()
        sent = client.post(
            "/account/signup/",
            {
                "package": package,
                "company_name": f"Flood {number}",
                "first_name": "F",
                "last_name": "L",
                "country": "NL",
                "email": f"flood{number}@flood.example",
                "password1": PASSWORD,
            },
            headers={"x-forwarded-for": address},
        )
        statuses[sent.status_code] = statuses.get(sent.status_code, 0) + 1
        if number % ONE_IN == 0 and len(proven) < PROVEN:
            code = unseal(Job.objects.for_agency(north).exclude(sealed_secret="").latest("pk").sealed_secret)
            client.post("/account/confirm-email/", {"code": code}, headers={"x-forwarded-for": address})
            proven.append(f"flood{number}@flood.example")

    Job.objects.for_agency(north).filter(kind=Job.Kind.MAIL).delete()  # read above
    wishes = Subaccount.objects.for_agency(north)
    for _ in range(3):
        wishes.exclude(run_at=None).update(run_at=timezone.now())
        while provisioning.attempt() or jobs.run():
            pass

    made = {effect["email"] for effect in sandbox.effects("subaccount_created")}
    assert wishes.count() == statuses[302]
    assert wishes.exclude(state=State.AWAITING_EMAIL).count() == PROVEN
    assert len(sandbox.effects("subaccount_created")) == len(made) == BUDGET
    assert made <= set(proven)
    record_figure(
        "Flood",
        f"{ADDRESSES * EACH:,} sign-ups from {ADDRESSES:,} addresses, {statuses[302]:,} taken, {PROVEN} mailboxes"
        f" proven, {len(made)} accounts made of {BUDGET} a day, 0 unproven",
    )
