"""The first page of the console: what is going on, what needs a person, what happens next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_safe

from accounts import overview as door
from accounts.customer_care import next_step
from portal import access, charts, wording_console, wording_vendor
from portal.access import PersonRequest


@require_safe
@access.staff_required(*access.ANY_STAFF)
def overview(request: PersonRequest) -> HttpResponse:
    """The agency in numbers."""
    now = timezone.now()
    found = door.overview(request.agency, now=now)
    context = {
        "now": now,
        "found": found,
        "numbers": found.numbers,
        "health": found.health,
        "account": request.agency.vendor_account,
        "news": wording_vendor.news(request.agency.vendor_account, waiting=lambda: found.numbers.being_made, now=now),
        "sign_ups": charts.bars([(week.monday, week.sign_ups) for week in found.weeks]),
        "launches": charts.bars([(week.monday, week.launches) for week in found.weeks]),
        "waiting": [(wording_console.group_of(subaccount), subaccount) for subaccount in found.waiting],
        "stuck": [
            (
                customer,
                wording_console.step_sentence(step),
                timesince(customer.subaccount.bound_at, now, depth=1),
                wording_console.reminder_label(step),
            )
            for customer in found.stuck
            for step in (next_step(customer),)
        ],
        "states": [
            ("active", found.numbers.active),
            ("awaiting_email", found.numbers.awaiting_email),
            ("awaiting_approval", found.numbers.awaiting_approval),
            ("requested", found.numbers.requested),
            ("creating", found.numbers.creating),
            ("uncertain", found.numbers.uncertain),
            ("needs_review", found.numbers.needs_review),
            ("missing", found.numbers.missing),
            ("paused", found.numbers.paused),
            ("closed", found.numbers.closed),
        ],
        "may_care": request.user.staff_role in access.SUPPORTERS,
    }
    return render(request, "console/overview.html", context)
