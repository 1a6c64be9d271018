"""Doors for operators: stopping and resuming an agency, its hosts, its limits. Operators only, each with its event."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import clock, customers, provisioning, tasks
from accounts.claims import make_due
from accounts.errors import STOPPED, NotAllowed
from accounts.models import Agency, Cause, Event, Host, Job, Note, Subaccount, User, VendorAccount, ViewAs


class BadHost(NotAllowed):
    """The name is no host name, or it is in use."""


@transaction.atomic
def stop(agency: Agency, *, reason: str, acting_user: User) -> None:
    """Its hosts answer nothing any more, and nothing is made or refreshed. Running coupons are the vendor's: they go
    on. Raises NotAllowed if it is stopped already."""
    _operator(acting_user)
    if not Agency.objects.filter(pk=agency.pk, stopped_at=None).update(stopped_at=timezone.now()):
        raise NotAllowed("This agency is stopped already.")
    # Who was signed in signs in again when it goes on, and nobody looks on as somebody else.
    User.objects.filter(agency=agency).update(session_generation=F("session_generation") + 1)
    ViewAs.objects.for_agency(agency).filter(ended_at=None).update(ended_at=timezone.now())
    _record_with_reason("agency.stopped", agency, acting_user, reason)


@transaction.atomic
def resume(agency: Agency, *, reason: str, acting_user: User) -> None:
    """Its hosts answer again, and what slept goes on. Raises NotAllowed if it is not stopped."""
    _operator(acting_user)
    if not Agency.objects.filter(pk=agency.pk).exclude(stopped_at=None).update(stopped_at=None):
        raise NotAllowed("This agency is not stopped.")
    now = clock.now()
    make_due(Subaccount.objects.for_agency(agency).filter(run_at__gt=now), now)
    # Mails above all: each was put off for longer and longer, and what it says may be over by then.
    make_due(Job.objects.for_agency(agency).filter(run_at__gt=now, last_error=STOPPED), now)
    _record_with_reason("agency.resumed", agency, acting_user, reason)
    tasks.wake()


@transaction.atomic
def add_host(agency: Agency, *, name: str, acting_user: User) -> Host:
    """One more host name that answers for the agency. Raises BadHost."""
    _operator(acting_user)
    host = Host(agency=agency, name=name.strip().lower().rstrip("."))
    if host.name == settings.PLATFORM_HOST:
        raise BadHost("This is the operators' own host.")
    try:
        Host._meta.get_field("name").run_validators(host.name)
        with transaction.atomic():
            host.save()
    except (ValidationError, IntegrityError):
        raise BadHost("This is no host name, or it is in use.") from None
    Event.objects.record("agency.host_added", agency=agency, acting_user=acting_user, about=host, host=host.name)
    return host


@transaction.atomic
def remove_host(host: Host, *, acting_user: User) -> None:
    """The name answers no more. Raises NotAllowed for the main host: links in mails lead there."""
    _operator(acting_user)
    if not Host.objects.filter(pk=host.pk, is_canonical=False).delete()[0]:
        raise NotAllowed("The main host stays.")
    Event.objects.record("agency.host_removed", agency=host.agency, acting_user=acting_user, about=host, host=host.name)


@transaction.atomic
def make_canonical(host: Host, *, acting_user: User) -> None:
    """The name that links in mails use, and to which the others redirect from now on."""
    _operator(acting_user)
    Agency.objects.select_for_update(no_key=True).get(pk=host.agency_id)
    Host.objects.filter(agency=host.agency_id, is_canonical=True).update(is_canonical=False)
    if not Host.objects.filter(pk=host.pk).update(is_canonical=True):
        raise NotAllowed("This host is gone.")
    Event.objects.record(
        "agency.host_made_canonical", agency=host.agency, acting_user=acting_user, about=host, host=host.name
    )


@transaction.atomic
def set_limits(agency: Agency, *, customer_limit: int | None, daily_creates: int | None, acting_user: User) -> None:
    """How many open customers it may have (None: any number), and new accounts a day (None: the installation's).

    Who waits for tomorrow goes on at once, if there is room today; so do those who wait for a place, as many as fit.
    """
    _operator(acting_user)
    agency.customer_limit, agency.daily_creates = customer_limit, daily_creates
    agency.save(update_fields=["customer_limit", "daily_creates"])
    customers.let_in(agency)  # before the vendor account's lock, as a claim takes them
    # Who counts today's accounts holds this, and has put its row off before we wake it.
    account = VendorAccount.objects.select_for_update().get(agency=agency)
    now = clock.now()
    made, allowed = provisioning.creates_today(agency, now=now)
    if made < allowed:
        VendorAccount.objects.filter(pk=account.pk).update(budget_reached_on=None)  # and a second stop is told, too
        waiting = Subaccount.objects.for_agency(agency).filter(cause=Cause.DAILY_BUDGET, run_at__isnull=False)
        make_due(waiting, now, cause=Cause.NONE)
    Event.objects.record(
        "agency.limits_changed",
        agency=agency,
        acting_user=acting_user,
        customer_limit=customer_limit,
        daily_creates=daily_creates,
    )
    tasks.wake()


def _operator(acting_user: User) -> None:
    if not acting_user.is_operator:
        raise NotAllowed("Only an operator may do this.")


def _record_with_reason(kind: str, agency: Agency, acting_user: User, reason: str) -> None:
    event = Event.objects.record(kind, agency=agency, acting_user=acting_user)
    Note.objects.create(agency=agency, author_id=acting_user.pk, text=reason, event=event)
