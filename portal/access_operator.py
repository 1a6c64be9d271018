"""What operators' pages read, over all agencies. Only views behind `access.operator_required` call these."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import provisioning
from accounts.customer_list import WAITING_STATES
from accounts.models import (
    IN_THE_MAKING,
    Agency,
    Customer,
    Event,
    Finding,
    Host,
    Job,
    State,
    Subaccount,
    User,
    VendorAccount,
    Worker,
)
from portal.access_console import Waiting, page_of

LONG_SILENT = timedelta(seconds=45)
TOO_OLD = timedelta(minutes=10)


def _number(rows: QuerySet[Any]) -> Coalesce:
    """How many of those rows an agency has, as a column."""
    counted = rows.order_by().values("agency").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), Value(0), output_field=IntegerField())


def _with_numbers(rows: QuerySet[Agency]) -> QuerySet[Agency]:
    mine = Subaccount.objects.for_agency(OuterRef("pk"))
    launches = Event.objects.for_agency(OuterRef("pk")).filter(kind="launch", at__gt=timezone.now() - timedelta(days=1))
    main_host = Host.objects.filter(agency=OuterRef("pk"), is_canonical=True).values("name")[:1]
    return rows.select_related("vendor_account__active_credential", "brand").annotate(
        host=Subquery(main_host),
        customer_number=_number(Customer.objects.for_agency(OuterRef("pk")).filter(closed_at=None)),
        waiting=_number(mine.filter(state__in=IN_THE_MAKING)),
        attention=_number(mine.filter(state__in=WAITING_STATES, dismissed_at=None)),
        launches=_number(launches.filter(outcome="opened")),
    )


def agencies(*, search: str, after: str, size: int = 50) -> list[Agency]:
    """One page of agencies by name with their numbers, and one more row if there is a next page."""
    rows = _with_numbers(Agency.objects.annotate(by_name=Lower("name")))
    if search:
        found = Q(name__icontains=search) | Q(pk__in=Host.objects.filter(name__icontains=search).values("agency"))
        rows = rows.filter(found)
    last = _agency(after)
    if last is not None:
        name = last.name.lower()
        rows = rows.filter(Q(by_name__gt=name) | Q(by_name=name, pk__gt=last.pk))
    return list(rows.order_by("by_name", "pk")[: size + 1])


def number_of_agencies() -> int:
    return Agency.objects.count()


def _agency(text: str) -> Agency | None:
    try:
        return Agency.objects.filter(pk=UUID(text)).first()
    except ValueError:
        return None


def agency_or_404(agency: UUID) -> Agency:
    """One agency with its numbers."""
    found = _with_numbers(Agency.objects.filter(pk=agency)).first()
    if found is None:
        raise Http404
    return found


@dataclass(frozen=True)
class About:
    """What the page of one agency shows beside its numbers."""

    hosts: list[Host]
    staff: list[User]
    events: list[Event]
    created_today: int
    daily_creates: int
    oldest_wait: datetime | None
    refused_launches: int


def about(agency: Agency) -> About:
    now = timezone.now()
    launches = Event.objects.for_agency(agency).filter(kind="launch", at__gt=now - timedelta(days=1))
    created_today, daily_creates = provisioning.creates_today(agency, now=now)
    return About(
        hosts=hosts_of(agency),
        staff=list(User.objects.filter(agency=agency).exclude(staff_role="").order_by("staff_role", "email")[:100]),
        events=list(Event.objects.for_agency(agency).select_related("reason").order_by("-pk")[:12]),
        created_today=created_today,
        daily_creates=daily_creates,
        oldest_wait=Subaccount.objects.for_agency(agency)
        .filter(state__in=IN_THE_MAKING)
        .aggregate(oldest=Min("changed_at"))["oldest"],
        refused_launches=launches.exclude(outcome="opened").count(),
    )


def differences_of(agency: Agency, *, after: str) -> Waiting[Finding]:
    """Every difference between the vendor's list and ours that holds, whether it was set aside or not."""
    rows = Finding.objects.for_agency(agency).open().select_related("subaccount__customer")
    return page_of(rows, by="found_at", after=after)


def number_waiting_for_pause(agency: Agency) -> int:
    """How many customers wait until the pause is over."""
    return Subaccount.objects.for_agency(agency).filter(state=State.REQUESTED).count()


def hosts_of(agency: Agency) -> list[Host]:
    return list(Host.objects.filter(agency=agency).order_by("-is_canonical", "name"))


def host_or_404(agency: Agency, pk: int) -> Host:
    host = Host.objects.filter(agency=agency, pk=pk).first()
    if host is None:
        raise Http404
    host.agency = agency
    return host


def viewable_staff(agency: Agency) -> list[User]:
    """As whom an operator may look at the agency's console."""
    return list(
        User.objects.filter(agency=agency, is_active=True).exclude(staff_role="").order_by("staff_role", "email")
    )


# -- health ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Queue:
    """Work that is due and nobody has: how much, and since when the oldest of it."""

    due: int
    oldest: datetime | None

    @property
    def is_late(self) -> bool:
        return self.oldest is not None and timezone.now() - self.oldest > TOO_OLD


@dataclass(frozen=True)
class Health:
    wishes: Queue
    jobs: Queue
    given_up: list[Job]
    workers: list[Worker]
    troubles: list[VendorAccount]
    paused: list[VendorAccount]

    @property
    def has_worker(self) -> bool:
        return any(timezone.now() - worker.seen_at < LONG_SILENT for worker in self.workers)

    @property
    def checks(self) -> list[tuple[str, bool]]:
        """What ought to be so, each with whether it is."""
        return [
            (_("A worker was seen in the last 45 seconds"), self.has_worker),
            (_("No account waits for a worker longer than ten minutes"), not self.wishes.is_late),
            (_("No mail or other job waits for a worker longer than ten minutes"), not self.jobs.is_late),
            (_("Every vendor account answers and takes its credentials"), not self.troubles),
            (_("No job was given up"), not self.given_up),
            (_("No agency is paused after a restore"), not self.paused),
            (_("People sign in over https"), settings.IS_PRODUCTION),
        ]


def _queue(rows: QuerySet[Any]) -> Queue:
    now = timezone.now()
    due = rows.filter(Q(lease_until=None) | Q(lease_until__lt=now), run_at__lte=now)
    found = due.aggregate(number=Count("pk"), oldest=Min("run_at"))
    return Queue(found["number"], found["oldest"])


def health() -> Health:
    """How the installation does: queues, workers, breakers, and mails that nobody took."""
    jobs = Job.objects.across_agencies()
    return Health(
        wishes=_queue(Subaccount.objects.across_agencies().filter(agency__stopped_at=None)),
        jobs=_queue(jobs.filter(done_at=None)),
        given_up=list(
            jobs.filter(run_at=None, done_at=None).exclude(last_error="").select_related("agency").order_by("-pk")[:20]
        ),
        workers=list(Worker.objects.order_by("-seen_at")[:50]),
        troubles=list(
            VendorAccount.objects.exclude(trouble="").select_related("agency").order_by("trouble_since")[:100]
        ),
        paused=list(
            VendorAccount.objects.exclude(creates_paused_at=None)
            .select_related("agency")
            .order_by("agency__name")[:100]
        ),
    )


# -- events ------------------------------------------------------------------------------------------------------


def customer_key(text: str) -> int | None:
    """The row that an operator names by its public id or its number; None if it names nothing."""
    if text.isascii() and text.isdigit() and len(text) < 18:
        return int(text)
    try:
        found = Customer.objects.across_agencies().filter(public_id=UUID(text)).values_list("pk", flat=True).first()
    except ValueError:
        return None
    return found


def person_keys(text: str) -> list[UUID]:
    """Whom an operator names by id, or by an address (which may be several people: one at each agency)."""
    try:
        return [UUID(text)]
    except ValueError:
        return list(User.objects.filter(email=text.lower()).values_list("pk", flat=True)[:100])


def events(
    *,
    agency: Agency | None,
    kind: str,
    customer: str,
    actor: str,
    first_day: date | None,
    last_day: date | None,
    before: int | None,
    size: int = 50,
) -> list[Event]:
    """One page of events, newest first, and one more row if there is a next page."""
    rows = Event.objects.across_agencies().select_related("agency", "reason").order_by("-pk")
    if agency is not None:
        rows = rows.filter(agency=agency)
    if kind:
        rows = rows.filter(kind=kind)
    if customer:
        rows = rows.filter(customer_id=customer_key(customer)) if customer_key(customer) is not None else rows.none()
    if actor:
        rows = rows.filter(actor_id__in=person_keys(actor))
    if first_day is not None:
        rows = rows.filter(at__date__gte=first_day)
    if last_day is not None:
        rows = rows.filter(at__date__lte=last_day)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[: size + 1])


def person_of(event: Event) -> UUID | None:
    """The person whom an event is about, or whose rights were used, beside the one who acted."""
    return event.on_behalf_of or (UUID(event.object_id) if event.object_type == "person" else None)


def names_over_all(ids: set[UUID]) -> dict[UUID | None, str]:
    """What people are called, of whatever agency."""
    return {person.pk: person.get_full_name() or person.email for person in User.objects.filter(pk__in=ids)}


def agencies_by_name() -> list[Agency]:
    """For a choice."""
    return list(Agency.objects.annotate(by_name=Lower(F("name"))).order_by("by_name", "pk")[:1000])
