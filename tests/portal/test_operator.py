"""Operators' pages: agencies, hosts, limits, health, events. Every change has its event; nobody else gets in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import agencies, customer_care, customers, jobs, operators, provisioning, tasks, workers
from accounts.errors import NotAllowed
from accounts.models import (
    Agency,
    Cause,
    Customer,
    Event,
    Host,
    Job,
    Note,
    Package,
    State,
    Subaccount,
    User,
    VendorAccount,
    Worker,
)
from coupontools_api.sandbox import Sandbox
from portal import access_operator
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]
PLATFORM = "platform.localhost"


def page_of(agency: Agency) -> str:
    return f"/operator/agencies/{agency.pk}/"


def last_event() -> Event:
    return Event.objects.across_agencies().latest("pk")


def test_the_list_shows_every_agency_with_its_numbers_and_finds_one_by_host(
    olu_client: Client, north: Agency, south: Agency, bos_company: Customer
):
    VendorAccount.objects.filter(agency=south).update(trouble="credentials", trouble_since=timezone.now())

    text = olu_client.get("/operator/").content.decode()
    assert "North" in text
    assert "Access refused" in text
    assert "No worker is seen." in text

    text = olu_client.get("/operator/?q=south.local").content.decode()
    assert page_of(south) in text
    assert page_of(north) not in text
    assert "No agency is called" in olu_client.get("/operator/?q=nowhere").content.decode()


def test_the_list_costs_the_same_for_one_agency_and_for_twenty(
    olu_client: Client, north: Agency, django_assert_max_num_queries: Any
):
    olu_client.get("/operator/")
    for number in range(20):
        factories.agency(f"Agency {number}", f"a{number}.localhost", keys=(f"id-{number}", "secret"))

    with django_assert_max_num_queries(10):
        olu_client.get("/operator/")


def test_a_new_agency_gets_its_host_and_its_owner_an_invitation(olu_client: Client, olu: User):
    wanted = {"name": "Harbour", "host": "Coupons.Harbour.example", "owner_email": "fatima@harbour.example"}
    response = olu_client.post("/operator/agencies/new/", wanted | {"stopped_at": "2026-01-01", "colour": "#000000"})
    while jobs.run():
        pass

    made = Agency.objects.get(name="Harbour")
    assert response.url == page_of(made)
    assert made.canonical_host == "coupons.harbour.example"
    assert made.stopped_at is None
    assert mail.outbox[-1].to == ["fatima@harbour.example"]
    assert Event.objects.for_agency(made).get(kind="agency.created").actor_id == olu.pk


@pytest.mark.parametrize(
    "host", ["north.localhost", "NORTH.localhost.", "no spaces", "host:8000", "http://x.example", ""]
)
def test_a_host_that_is_taken_or_none_is_said_so_and_nothing_is_lost(olu_client: Client, north: Agency, host: str):
    wanted = {"name": "Harbour", "host": host, "owner_email": "fatima@harbour.example"}

    text = olu_client.post("/operator/agencies/new/", wanted).content.decode()

    assert 'value="Harbour"' in text
    assert "is-invalid" in text
    assert not Agency.objects.filter(name="Harbour").exists()


def test_an_agency_is_stopped_with_a_reason_and_resumed(
    olu_client: Client, client_for: Browse, north: Agency, olu: User
):
    assert "is-invalid" in olu_client.post(f"{page_of(north)}stop/", {"reason": ""}).content.decode()

    olu_client.post(f"{page_of(north)}stop/", {"reason": "Does not pay"})

    event = last_event()
    assert (event.kind, event.agency, event.actor_id) == ("agency.stopped", north, olu.pk)
    assert Note.objects.for_agency(north).get(event=event).text == "Does not pay"
    assert client_for(north).get("/start/").status_code == 400
    assert "Stopped since" in olu_client.get(page_of(north)).content.decode()

    olu_client.post(f"{page_of(north)}resume/", {"reason": "Paid now"})
    assert client_for(north).get("/start/").status_code == 200


def test_hosts_come_and_go_but_the_main_one_stays(olu_client: Client, client_for: Browse, north: Agency):
    path = f"{page_of(north)}hosts/"
    olu_client.post(path, {"name": "coupons.north.example", "is_canonical": "1"})
    assert last_event().kind == "agency.host_added"
    new, old = Host.objects.get(name="coupons.north.example"), Host.objects.get(name="north.localhost")
    assert not new.is_canonical

    text = olu_client.post(f"{path}{old.pk}/remove/", follow=True).content.decode()
    assert "The main host stays" in text
    olu_client.post(f"{path}{new.pk}/main/")
    assert last_event().kind == "agency.host_made_canonical"
    assert Agency.objects.get(pk=north.pk).canonical_host == "coupons.north.example"
    olu_client.post(f"{path}{old.pk}/remove/")

    assert last_event().kind == "agency.host_removed"
    assert client_for("north.localhost").get("/start/").status_code == 400


def test_a_host_of_another_agency_is_not_touched(olu_client: Client, north: Agency, south: Agency):
    theirs = Host.objects.create(agency=south, name="other.localhost")

    assert olu_client.post(f"{page_of(north)}hosts/{theirs.pk}/remove/").status_code == 404


def test_limits_are_saved_and_checked(olu_client: Client, north: Agency):
    text = olu_client.post(
        f"{page_of(north)}limits/", {"customer_limit": "-1", "daily_creates": "many"}
    ).content.decode()
    assert 'value="many"' in text
    olu_client.post(f"{page_of(north)}limits/", {"customer_limit": "2", "daily_creates": ""})

    north.refresh_from_db()
    assert (north.customer_limit, north.daily_creates) == (2, None)
    assert last_event().data == {"customer_limit": 2, "daily_creates": None}


def sign_up_with(client: Client, package: Package, email: str) -> str:
    wanted = {
        "package": str(package.public_id),
        "company_name": "Late Shop",
        "first_name": "Lee",
        "last_name": "Late",
        "country": "NL",
        "email": email,
        "password1": factories.PASSWORD,
    }
    return client.post("/account/signup/", wanted).content.decode()


def test_at_its_limit_an_agency_takes_nobody_and_says_so(
    client_for: Browse, north: Agency, bo: User, bos_company: Customer, package: Package
):
    """The same sentence for an address that signs in here already: it must tell nobody that it does."""
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)

    for email in ("lee@late.example", bo.email):
        text = sign_up_with(client_for(north), package, email)
        assert "We cannot take new customers at the moment." in text
        assert 'value="Late Shop"' in text

    assert Customer.objects.for_agency(north).count() == 1
    Customer.objects.for_agency(north).update(closed_at=timezone.now())
    sign_up_with(client_for(north), package, "lee@late.example")
    assert Customer.objects.for_agency(north).count() == 2


def test_the_doors_themselves_keep_the_limit(north: Agency, ada: User, bos_company: Customer, package: Package):
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()

    with pytest.raises(customers.NoRoom):
        factories.customer(north, factories.person(north, "kim@shop.example"))
    with pytest.raises(customers.NoRoom):
        customer_care.add(
            agency=north,
            package=package,
            company_name="By hand",
            first_name="Kim",
            last_name="K",
            country="NL",
            email="kim@shop.example",
            acting_user=ada,
        )


def test_an_agencys_own_number_of_new_accounts_a_day_counts(
    north: Agency, bos_company: Customer, sandbox: Sandbox, settings: Any
):
    Agency.objects.filter(pk=north.pk).update(daily_creates=0)

    provisioning.attempt()

    subaccount = bos_company.subaccount
    subaccount.refresh_from_db()
    assert (subaccount.state, subaccount.cause) == (State.REQUESTED, Cause.DAILY_BUDGET)


@pytest.mark.parametrize("who", ["ada", "bo"])
def test_only_operators_pass_these_doors(request: Any, north: Agency, who: str):
    person = request.getfixturevalue(who)
    host = Host.objects.get(agency=north)

    for door in (
        lambda: operators.stop(north, reason="x", acting_user=person),
        lambda: operators.resume(north, reason="x", acting_user=person),
        lambda: operators.add_host(north, name="x.example", acting_user=person),
        lambda: operators.remove_host(host, acting_user=person),
        lambda: operators.make_canonical(host, acting_user=person),
        lambda: operators.set_limits(north, customer_limit=None, daily_creates=None, acting_user=person),
    ):
        with pytest.raises(NotAllowed):
            door()


def test_health_says_what_is_due_what_was_given_up_and_who_works(
    olu_client: Client, north: Agency, bos_company: Customer
):
    Job.objects.create(
        kind="mail", agency=north, payload={"to": "secret@x.example"}, run_at=None, last_error="SMTPError"
    )
    VendorAccount.objects.filter(agency=north).update(trouble="unreachable", trouble_since=timezone.now())

    text = olu_client.get("/operator/health/").content.decode()
    assert "No worker is seen" in text
    assert "SMTPError" in text
    assert "secret@x.example" not in text
    assert "Not answering" in text

    workers.beat("work@here:1")
    text = olu_client.get("/operator/health/").content.decode()
    assert "No worker is seen" not in text
    assert "work@here:1" in text


def test_no_worker_is_late_for_an_agency_that_is_stopped(olu_client: Client, north: Agency, bos_company: Customer):
    Subaccount.objects.for_agency(north).update(run_at=timezone.now() - timedelta(hours=1))
    assert not access_operator.health().checks[1][1]

    Agency.objects.filter(pk=north.pk).update(stopped_at=timezone.now())

    assert access_operator.health().checks[1][1]


def test_the_workers_say_that_they_are_alive(db: None):
    tasks.sweep()

    assert Worker.objects.get().name.startswith("celery@")


def test_a_worker_that_stops_is_not_missed(db: None):
    workers.beat("work@new:1")

    workers.leave("work@new:1")

    assert not Worker.objects.exists()


def test_all_rows_are_still_there(olu_client: Client, north: Agency):
    assert "North" in olu_client.get("/operator/all/agency/").content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "user/?password__regex=^md5",
        "user/?password__startswith=md5",
        "user/?email__startswith=a",
        "user/?password=md5",
        "subaccount/?state__startswith=r",
        "job/?sealed_secret__contains=g",
        "subaccount/?sealed_keys__gt=a",
    ],
)
def test_no_filter_tells_what_a_list_does_not_show(olu_client: Client, ada: User, address: str):
    assert olu_client.get(f"/operator/all/{address}").status_code == 400


def test_the_filters_of_the_lists_themselves_work(olu_client: Client, bos_company: Customer):
    assert "requested" in olu_client.get("/operator/all/subaccount/?state__exact=requested").text


def test_the_operators_own_host_is_nobodys(olu_client: Client, olu: User, north: Agency):
    answer = olu_client.post(f"{page_of(north)}hosts/", {"name": PLATFORM})

    assert "already in use" in answer.content.decode()
    with pytest.raises(operators.BadHost):
        operators.add_host(north, name=PLATFORM, acting_user=olu)
    with pytest.raises(NotAllowed):
        agencies.create(name="Odd", host=PLATFORM, owner_email="o@odd.example")
    assert not Host.objects.filter(name=PLATFORM).exists()
