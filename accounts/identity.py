"""What people do with their own sign-in, written down: the pages are allauth's, which tells the portal's receivers."""

from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import DONE, REFUSED, Agency, Event, Job, User


class Deed(StrEnum):
    """What a person did, or was refused."""

    SIGNED_IN = "person.signed_in"
    SIGNED_OUT = "person.signed_out"
    SIGN_IN_FAILED = "person.sign_in_failed"
    SECOND_STEP_FAILED = "person.second_step_failed"
    PASSWORD_CHANGED = "person.password_changed"  # noqa: S105 -- the name of a deed
    PASSWORD_RESET = "person.password_reset"  # noqa: S105 -- the same
    ADDRESS_PROVEN = "person.address_proven"
    ADDRESS_ADDED = "person.address_added"
    ADDRESS_CHANGED = "person.address_changed"
    ADDRESS_REMOVED = "person.address_removed"
    SECOND_STEP_ADDED = "person.second_step_added"
    SECOND_STEP_REMOVED = "person.second_step_removed"
    SECOND_STEP_RENAMED = "person.second_step_renamed"
    RECOVERY_CODES_MADE = "person.recovery_codes_made"
    RECOVERY_CODES_SEEN = "person.recovery_codes_seen"
    RECOVERY_CODE_USED = "person.recovery_code_used"
    SESSION_ENDED = "person.session_ended"


def note(deed: Deed, person: User, *, about: models.Model | None = None, **facts: Any) -> None:
    """Writes down what a person did with their sign-in; `facts` are words of a closed list, never what was typed."""
    Event.objects.record(
        deed.value,
        agency=person.agency,
        acting_user=person,
        about=about or person,
        outcome=REFUSED if deed is Deed.SECOND_STEP_FAILED else DONE,
        **facts,
    )


def note_refused(agency: Agency | None, person: User | None) -> None:
    """Somebody typed an address and a password that do not go together. Whose address stays unsaid, and unasked:
    a known one and an unknown one leave the same trace. `person` is who typed it while signed in, to prove it again.
    """
    Event.objects.record(
        Deed.SIGN_IN_FAILED.value, agency=agency, acting_user=person, about=person or agency, outcome=REFUSED
    )


def note_mail(job: Job, asked_by: User | AnonymousUser) -> None:
    """A page of the sign-in has had a mail written: a code, or a notice. `asked_by` is who is signed in, if anybody."""
    person = asked_by if isinstance(asked_by, User) else None
    Event.objects.record("mail.written", agency=job.agency, acting_user=person, about=job, mail=job.payload["mail"])
