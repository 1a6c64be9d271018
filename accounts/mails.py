"""Mails that are written with what they tell of, in one transaction, and sent by the worker (accounts/jobs.py)."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.crypto import seal, unseal
from accounts.models import Agency, Customer, Event, Job

KEPT_OF_PAYLOADS = frozenset({"mail", "customer", "subaccount"})


def put_mail(
    mail: str,
    *,
    agency: Agency | None,
    to: str = "",
    secret: str = "",
    customer: Customer | None = None,
    once: str | None = None,
    **facts: Any,
) -> Job:
    """Writes a mail to be sent after the commit. `secret` (a code, a token) is sealed and blanked once sent.

    With a `customer` it stands in their timeline; without `to` it goes to the address that they have then.
    Raises IntegrityError if a mail of the name `once` was written before.
    """
    about = {"customer": customer.pk} if customer and not to else {}
    return Job.objects.create(
        kind=Job.Kind.MAIL,
        agency=agency,
        customer_id=customer.pk if customer else None,
        once=once,
        payload={"mail": mail, **({"to": to} if to else {}), **about, **facts},
        sealed_secret=seal(secret),
    )


def put_mail_once(mail: str, *, agency: Agency, once: str, **facts: Any) -> None:
    """Like `put_mail`, for a mail that is written only if none of the name `once` was before."""
    job = Job(kind=Job.Kind.MAIL, agency=agency, once=once, payload={"mail": mail, **facts})
    Job.objects.bulk_create([job], ignore_conflicts=True)


def render(job: Job) -> EmailMultiAlternatives | None:
    """The mail as it is to be sent now. None where there is nobody to write to, or nothing that is still so."""
    message: EmailMultiAlternatives | None = import_string(settings.MAIL_RENDERER)(
        job.payload, agency=job.agency, secret=unseal(job.sealed_secret)
    )
    return message


@transaction.atomic
def one_each(job: Job, addresses: list[str]) -> None:
    """A mail of its own for each: a mail server that refuses one of them today takes it tomorrow."""
    ours = Job.objects.across_agencies().filter(pk=job.pk, lease_owner=job.lease_owner)
    if not ours.delete()[0]:
        return
    for address in addresses:
        Job.objects.create(
            kind=Job.Kind.MAIL,
            agency=job.agency,
            customer_id=job.customer_id,
            once=job.once if address == addresses[0] else None,  # its name stands for all of them
            payload={**job.payload, "to": address},
            sealed_secret=job.sealed_secret,
        )


def record(job: Job, outcome: str) -> None:
    """What became of a mail; the job itself is forgotten after a while."""
    customer = Customer(pk=job.customer_id) if job.customer_id else None
    Event.objects.record(
        "mail.sent", agency=job.agency, customer=customer, about=job, outcome=outcome, mail=job.payload["mail"]
    )


def kept_of(payload: dict[str, Any]) -> dict[str, Any]:
    """What a mail that is sent or given up said of people, to whom and from where, is nobody's business any more."""
    return {name: value for name, value in payload.items() if name in KEPT_OF_PAYLOADS}
