"""The demo's past: launches over twelve weeks, notes, a task for the vendor's panel, mails that were sent."""

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import (
    Agency,
    Customer,
    Event,
    Job,
    Membership,
    Note,
    PanelTask,
    State,
    Subaccount,
    User,
    VendorCall,
)

LAUNCHES_A_WEEK = (2, 3, 3, 5, 4, 6, 7, 6, 9, 8, 11, 10)


def write(agency: Agency, owner: User) -> None:
    """Gives an agency of the demo a past. Its customers are there already."""
    now = timezone.now()
    active = list(
        Customer.objects.for_agency(agency)
        .filter(subaccount__state=State.ACTIVE)
        .select_related("subaccount")
        .order_by("pk")
    )
    for customer in active:
        _calls(agency, customer)
    started = active[:-1] or active  # the youngest never signed in
    for weeks_ago, number in zip(range(len(LAUNCHES_A_WEEK) - 1, -1, -1), LAUNCHES_A_WEEK, strict=True):
        for turn in reversed(range(number)):
            at = now - timedelta(weeks=weeks_ago, hours=3 + 5 * turn)
            there = [customer for customer in started if customer.created_at < at]
            if there:
                _launch(agency, there[turn % len(there)], at)
    for customer in started:
        Customer.objects.for_agency(agency).filter(pk=customer.pk).update(
            first_sign_in_at=customer.created_at, first_launch_at=customer.created_at
        )
    first = active[0]
    Customer.objects.for_agency(agency).filter(pk=first.pk).update(
        first_campaign_at=first.created_at, trial_ends_on=now.date() + timedelta(days=11)
    )
    _note(agency, first, owner, "Wants to start a loyalty card in spring. Call in February.")
    for paused in Customer.objects.for_agency(agency).exclude(paused_at=None):
        PanelTask.objects.create(agency=agency, customer=paused, kind=PanelTask.Kind.BLOCK)
    for review in Subaccount.objects.for_agency(agency).filter(cause="existed_before"):
        Subaccount.objects.for_agency(agency).filter(pk=review.pk).update(
            candidates=["sub_71002"], first_look=Subaccount.FirstLook.PRESENT, looked_at=now
        )


def _launch(agency: Agency, customer: Customer, at: datetime) -> None:
    member = Membership.objects.for_agency(agency).filter(customer=customer).select_related("person").first()
    Event.objects.record(
        "launch",
        agency=agency,
        acting_user=member.person if member else None,
        customer=customer,
        about=customer.subaccount,
        outcome="opened",
        at=at,
        page="campaigns",
        ms=380 + 37 * ((customer.pk + at.hour) % 9),
    )
    Customer.objects.for_agency(agency).filter(pk=customer.pk).update(last_launch_at=at)


def _calls(agency: Agency, customer: Customer) -> None:
    created = customer.created_at
    for seconds, endpoint, milliseconds in ((3, "subaccount/create", 1100), (6, "subaccount", 640)):
        VendorCall.objects.create(
            agency=agency,
            customer_id=customer.pk,
            endpoint=endpoint,
            at=created + timedelta(seconds=seconds),
            milliseconds=milliseconds,
            outcome="ok",
        )
    sent = created + timedelta(seconds=7)
    mail = Job.objects.create(
        kind=Job.Kind.MAIL,
        agency=agency,
        customer_id=customer.pk,
        payload={"mail": "account_ready", "customer": customer.pk},
        run_at=None,
        created_at=created + timedelta(seconds=5),
        done_at=sent,
    )
    Event.objects.record("mail.sent", agency=agency, customer=customer, about=mail, at=sent, mail="account_ready")


def _note(agency: Agency, customer: Customer, owner: User, text: str) -> None:
    Note.objects.create(agency=agency, customer=customer, author_id=owner.pk, text=text)
