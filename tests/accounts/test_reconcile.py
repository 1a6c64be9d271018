"""The hourly comparison with the vendor's list: what it finds, what it leaves alone, and what it never does."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import jobs, reconcile, refreshes, vendor
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.models import Agency, Event, Finding, Job, State, Subaccount, User, VendorAccount
from coupontools_api.client import Coupontools
from coupontools_api.sandbox import Sandbox
from coupontools_api.subaccounts import AccountStatus, ListedSubaccount
from tests import factories
from tests.accounts.reading import LIST, calls, fresh

pytestmark = pytest.mark.django_db(transaction=True)
NORTH = "north-id"


def settle() -> None:
    """The worker's part: whatever job is due, until none is."""
    while jobs.run():
        pass


def compare_now(agency: Agency) -> VendorAccount:
    """The clock an hour later, and the worker."""
    VendorAccount.objects.filter(agency=agency).exclude(reconciled_at=None).update(
        reconciled_at=timezone.now() - timedelta(hours=1, seconds=1)
    )
    reconcile.schedule()
    settle()
    Job.objects.for_agency(agency).filter(done_at=None).update(run_at=timezone.now())
    settle()
    return VendorAccount.objects.get(agency=agency)


def open_findings(agency: Agency) -> list[tuple[str, str]]:
    rows = Finding.objects.for_agency(agency).open()
    return sorted(rows.values_list("kind", "vendor_id"))


def to_decide(agency: Agency) -> list[tuple[str, str]]:
    return sorted(Finding.objects.for_agency(agency).to_decide().values_list("kind", "vendor_id"))


def make_another(sandbox: Sandbox, email: str) -> str:
    """A second account with an address: what somebody in the vendor's panel can make, or a late effect."""
    sandbox.settings(email_unique="none")
    with closing(Coupontools(client_id=NORTH, client_secret="north-secret", base_url=sandbox.url)) as client:
        made = client.subaccounts.create(
            email=email,
            password="x" * 20,
            package="pac_1",
            status=AccountStatus.CUSTOMER,
            first_name="A",
            last_name="B",
            country="NL",
            company_name="C",
        )
    return str(made.id)


def several(north: Agency, sandbox: Sandbox, number: int) -> list[Subaccount]:
    people = [factories.person(north, f"s{n}@shop.example") for n in range(number)]
    return [factories.activate(factories.customer(north, person), sandbox, NORTH) for person in people]


def test_where_all_is_well_nothing_is_found_and_nothing_is_written(sandbox: Sandbox, active: Subaccount):
    account = compare_now(active.agency)

    assert open_findings(active.agency) == []
    assert account.reconcile_result == {
        "outcome": "compared",
        "listed": 1,
        "bound": 1,
        "twice": 0,
        "unbound": 0,
        "changed": 0,
        "absent": 0,
    }
    before = Event.objects.for_agency(active.agency).count()
    compare_now(active.agency)
    assert Event.objects.for_agency(active.agency).count() == before, "an hour in which nothing changed is no event"


def test_a_double_subaccount_is_on_the_attention_list_after_one_comparison(
    sandbox: Sandbox, active: Subaccount, ada: User, client_for: Any
):
    second = make_another(sandbox, active.email.upper())

    compare_now(active.agency)

    assert to_decide(active.agency) == [("twice", second)]
    page = client_for(active.agency, ada).get("/console/attention/").content.decode()
    assert second in page
    assert f"whose account is {active.vendor_id}" in page
    assert 'bg-orange-lt ms-auto">1' in page, "and it is counted beside Attention"
    assert len(sandbox.subaccounts(NORTH)) == 2, "nothing was deleted"


def test_of_200_doubles_none_is_unseen_after_one_comparison(sandbox: Sandbox, north: Agency):
    rows = several(north, sandbox, 20)
    doubles = {make_another(sandbox, row.email) for row in rows for _ in range(10)}

    compare_now(north)

    assert {vendor_id for kind, vendor_id in to_decide(north) if kind == "twice"} == doubles
    assert len(doubles) == 200


def test_what_was_there_before_the_agency_came_is_listed_and_set_aside_and_what_comes_later_is_not(
    sandbox: Sandbox, active: Subaccount
):
    old = sandbox.add_subaccount(NORTH, email="old@elsewhere.example")

    compare_now(active.agency)
    assert open_findings(active.agency) == [("unbound", old)]
    assert to_decide(active.agency) == []

    new = sandbox.add_subaccount(NORTH, email="new@elsewhere.example")
    compare_now(active.agency)
    assert to_decide(active.agency) == [("unbound", new)]


def test_a_changed_address_is_found_and_the_binding_stays(sandbox: Sandbox, active: Subaccount):
    Subaccount.objects.for_agency(active.agency).filter(pk=active.pk).update(email="other@shop.example")

    compare_now(active.agency)

    assert to_decide(active.agency) == [("changed", active.vendor_id)]
    assert fresh(active).state == State.ACTIVE


def test_what_the_list_lacks_and_the_vendor_denies_is_missing_and_told_once(sandbox: Sandbox, active: Subaccount):
    sandbox.remove_subaccount(active.vendor_id)

    compare_now(active.agency)
    compare_now(active.agency)

    assert fresh(active).state == State.MISSING
    assert calls(sandbox, "/v3/subaccount") + calls(sandbox, "/v4/subaccount") >= 1
    assert [message.subject for message in mail.outbox if "missing" in message.subject] == [
        f"The account of {active.customer.company_name} is missing"
    ]
    assert open_findings(active.agency) == [], "the customer itself is on the attention list"


def test_mails_of_another_hour_or_agency_take_no_mail_away(sandbox: Sandbox, active: Subaccount, south: Agency):
    for agency in (active.agency, south):
        for _ in range(refreshes.MISSING_MAILS_AN_HOUR):
            put_mail("missing", agency=agency)
    settle()
    Job.objects.for_agency(active.agency).update(created_at=timezone.now() - timedelta(hours=1, seconds=1))
    sandbox.remove_subaccount(active.vendor_id)
    mail.outbox.clear()

    compare_now(active.agency)

    assert [message.subject for message in mail.outbox] == [f"The account of {active.customer.company_name} is missing"]


def test_what_the_list_lacks_and_the_vendor_answers_for_stays_active(sandbox: Sandbox, active: Subaccount):
    vendor.look(VendorAccount.objects.select_related("active_credential").get(agency=active.agency))
    listing: tuple[ListedSubaccount, ...] = ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vendor, "look", lambda account: listing)
        compare_now(active.agency)

    assert fresh(active).state == State.ACTIVE
    assert open_findings(active.agency) == [("absent", active.vendor_id)]
    assert to_decide(active.agency) == [], "it settles itself"
    compare_now(active.agency)
    assert open_findings(active.agency) == []


def test_a_list_that_is_behind_is_no_absence_of_what_was_made_a_moment_ago(
    sandbox: Sandbox, north: Agency, settings: Any
):
    settings.PROVISIONING_QUARANTINE_SECONDS = 600.0
    rows = several(north, sandbox, 4)
    sandbox.fault(LIST, "stale_list", seconds=3600, times=None)
    ours = Subaccount.objects.for_agency(north)

    ours.update(bound_at=timezone.now() - timedelta(seconds=590))
    assert compare_now(north).reconcile_result["outcome"] == reconcile.COMPARED
    ours.filter(pk__in=[row.pk for row in rows[:3]]).update(bound_at=timezone.now() - timedelta(seconds=610))
    assert compare_now(north).reconcile_result["outcome"] == reconcile.TOO_MANY_ABSENT, "whatever is newer"
    assert not Finding.objects.for_agency(north).open().exists()


def test_one_that_was_made_a_moment_ago_makes_no_absence_of_all_others_believed(
    sandbox: Sandbox, north: Agency, settings: Any
):
    settings.PROVISIONING_QUARANTINE_SECONDS = 600.0
    *old, newest = several(north, sandbox, 4)
    ours, now = Subaccount.objects.for_agency(north), timezone.now()
    ours.filter(pk__in=[row.pk for row in old]).update(bound_at=now - timedelta(days=9))
    ours.filter(pk__in=[row.pk for row in old[1:]]).update(state=State.MISSING, changed_at=now)
    ours.filter(pk=newest.pk).update(bound_at=now)
    account = VendorAccount.objects.select_related("agency").get(agency=north)

    assert reconcile.doubts_absence(account), "the last of three"

    ours.filter(pk=newest.pk).update(bound_at=now - timedelta(seconds=601))
    assert not reconcile.doubts_absence(account)


def test_it_never_writes_to_the_vendor(sandbox: Sandbox, active: Subaccount):
    make_another(sandbox, active.email)
    sandbox.add_subaccount(NORTH, email="x@elsewhere.example")
    before = len(sandbox.effects())

    compare_now(active.agency)

    assert len(sandbox.effects()) == before


def test_a_wish_in_the_making_is_left_alone_and_two_accounts_for_it_are_not(
    sandbox: Sandbox, bos_subaccount: Subaccount
):
    Subaccount.objects.for_agency(bos_subaccount.agency).update(
        state=State.UNCERTAIN, run_at=timezone.now() + timedelta(hours=1), had_unknown_outcome=True
    )
    first = sandbox.add_subaccount(NORTH, email=bos_subaccount.email)
    compare_now(bos_subaccount.agency)
    assert open_findings(bos_subaccount.agency) == []

    second = make_another(sandbox, email=bos_subaccount.email)
    compare_now(bos_subaccount.agency)
    assert to_decide(bos_subaccount.agency) == sorted([("twice", first), ("twice", second)])


def test_an_account_left_by_a_customer_who_was_closed_in_the_making_is_found(
    sandbox: Sandbox, bos_subaccount: Subaccount
):
    Subaccount.objects.for_agency(bos_subaccount.agency).update(state=State.CLOSED, run_at=None)
    left = sandbox.add_subaccount(NORTH, email=bos_subaccount.email)

    compare_now(bos_subaccount.agency)

    assert to_decide(bos_subaccount.agency) == [("unbound", left)]


def test_what_is_set_aside_stays_so_and_what_ends_and_returns_does_not(sandbox: Sandbox, active: Subaccount, ada: User):
    second = make_another(sandbox, active.email)
    compare_now(active.agency)
    finding = Finding.objects.for_agency(active.agency).select_related("agency", "subaccount__customer").get()
    reconcile.dismiss(finding, acting_user=ada)
    compare_now(active.agency)
    assert to_decide(active.agency) == []
    with pytest.raises(NotAllowed):
        reconcile.dismiss(finding, acting_user=ada)

    Subaccount.objects.for_agency(active.agency).update(email="changed@shop.example")
    compare_now(active.agency)
    Subaccount.objects.for_agency(active.agency).update(email=active.email)
    compare_now(active.agency)
    assert to_decide(active.agency) == [("twice", second)]


def test_no_address_stands_in_findings_or_events(sandbox: Sandbox, active: Subaccount):
    make_another(sandbox, active.email)
    sandbox.add_subaccount(NORTH, email="old@elsewhere.example")

    compare_now(active.agency)

    rows = [str(row) for row in Finding.objects.for_agency(active.agency).values()]
    rows += [str(row) for row in Event.objects.for_agency(active.agency).values("kind", "data")]
    assert [row for row in rows if "@" in row] == []


def test_a_neighbours_accounts_are_not_ours(
    sandbox: Sandbox, active: Subaccount, south: Agency, ada: User, client_for: Any
):
    foreign = sandbox.add_subaccount("south-id", email=active.email)

    compare_now(active.agency)
    compare_now(south)

    assert open_findings(active.agency) == []
    assert open_findings(south) == [("unbound", foreign)]
    assert foreign not in client_for(active.agency, ada).get("/console/differences/?show=set_aside").content.decode()


def test_the_vendor_out_of_reach_is_no_difference_and_the_comparison_comes_later(
    sandbox: Sandbox, active: Subaccount, settings: Any
):
    settings.VENDOR_LIST_DEADLINE_SECONDS = 1.0
    sandbox.fault(LIST, "html", status=500)

    reconcile.schedule()
    reconcile.schedule()
    settle()

    pending = Job.objects.for_agency(active.agency).get(kind=Job.Kind.RECONCILE)
    assert pending.done_at is None
    assert open_findings(active.agency) == []
    assert compare_now(active.agency).compared_at is not None


def test_an_agency_that_is_stopped_is_not_compared(active: Subaccount):
    Agency.objects.filter(pk=active.agency_id).update(stopped_at=timezone.now())

    reconcile.schedule()

    assert not Job.objects.for_agency(active.agency).filter(kind=Job.Kind.RECONCILE).exists()


def test_a_comparison_that_is_under_way_is_no_other_agencys(active: Subaccount, south: Agency):
    Job.objects.create(agency=active.agency, kind=Job.Kind.RECONCILE, once="waits")

    assert reconcile.schedule() == 1
    assert reconcile.schedule() == 0
    assert [job.once[:9] for job in Job.objects.for_agency(south).filter(kind="reconcile")] == ["reconcile"]


def test_each_agency_is_compared_once_an_hour(sandbox: Sandbox, active: Subaccount, south: Agency):
    for _ in range(3):
        reconcile.schedule()
        settle()

    assert calls(sandbox, LIST) == 2, "one for each of the two"


def test_what_was_set_aside_does_not_come_back_with_a_list_that_was_cut_and_is_whole_again(
    sandbox: Sandbox, active: Subaccount
):
    for number in range(10):
        sandbox.add_subaccount(NORTH, email=f"old{number}@elsewhere.example")
    compare_now(active.agency)
    whole = vendor.look(VendorAccount.objects.select_related("active_credential").get(agency=active.agency))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vendor, "look", lambda account: whole[:3])
        compare_now(active.agency)
    assert len(open_findings(active.agency)) < 10

    compare_now(active.agency)

    assert len([kind for kind, _ in open_findings(active.agency) if kind == "unbound"]) == 10
    assert to_decide(active.agency) == []


def test_a_row_that_was_set_aside_hides_no_account_of_its_address(sandbox: Sandbox, bos_subaccount: Subaccount):
    """As long as it is shown, staff find the account there; after that nobody would."""
    north = bos_subaccount.agency
    row = Subaccount.objects.for_agency(north).filter(pk=bos_subaccount.pk)
    row.update(state=State.NEEDS_REVIEW, cause="contradiction", run_at=None)
    compare_now(north)
    made = sandbox.add_subaccount(NORTH, email=bos_subaccount.email)
    compare_now(north)
    assert open_findings(north) == []

    row.update(dismissed_at=timezone.now())
    compare_now(north)

    assert to_decide(north) == [(Finding.Kind.UNBOUND, made)]
