"""The agency's customers: the list, one of them with its timeline, a new one, the export."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import customer_care, customer_list, limits, timeline
from accounts.customer_list import Filters
from accounts.errors import DoorError, NotAllowed
from accounts.timeline import Source
from portal import access, access_console, wording, wording_console, wording_timeline
from portal.access import Customer, PersonRequest
from portal.forms.console import FilterForm, NewCustomerForm, NoteForm
from portal.visitors import too_many

CSV_COLUMNS = (
    "customer",
    "company_name",
    "first_name",
    "last_name",
    "email",
    "country",
    "state",
    "package",
    "vendor_id",
    "signed_up",
    "trial_ends_on",
    "last_launch",
)
LAUNCHES = ("launch", "staff_launch", "password_link")
SHOWN: dict[str, dict[str, Any]] = {
    "": {},
    "account": {"only": (Source.EVENT, Source.CALL), "without": LAUNCHES},
    "launches": {"only": (Source.EVENT,), "kinds": LAUNCHES},
    "mails": {"only": (Source.MAIL,)},
    "notes": {"only": (Source.NOTE,)},
}


@dataclass(frozen=True)
class Row:
    """A customer with what staff read about it."""

    customer: Customer
    state: str
    waits: str


def _state(customer: Customer) -> str:
    is_paused = customer.paused_at and customer.subaccount.state != "closed"
    return "paused" if is_paused else str(customer.subaccount.state)


def _chips(filters: Filters) -> list[tuple[str, str, bool]]:
    """The filters that are used most: word, query, whether it is the present one."""
    chips = [
        (_("All"), {}),
        (_("Active"), {"state": "active"}),
        (_("Trial ends soon"), {"trial": "14"}),
        (_("Needs attention"), {"attention": "on"}),
        (_("Waiting for e-mail"), {"state": "awaiting_email"}),
        (_("Paused"), {"state": "paused"}),
        (_("Not launched for 30 days"), {"launch": "long_ago"}),
    ]
    present = {
        name: value
        for name, value in (
            ("state", filters.state),
            ("trial", filters.trial or ""),
            ("attention", "on" if filters.attention else ""),
            ("launch", filters.launch or ""),
            ("package", filters.package or ""),
            ("expiry", filters.expiry or ""),
            ("step", filters.step or ""),
        )
        if value
    }
    return [(word, urlencode(query), query == present) for word, query in chips]


@require_safe
@access.staff_required(*access.ANY_STAFF)
def customers(request: PersonRequest) -> HttpResponse:
    """The agency's customers, newest first or as a search finds them. htmx gets the results alone."""
    form = FilterForm(request.GET, packages=access_console.packages_of(request.agency, archived=True))
    filters = form.filters
    after = request.GET.get("after", "")
    page = access_console.customer_page_for_staff(request, filters, after=after)
    query = {name: value for name, value in request.GET.items() if name in form.fields and value}
    context = {
        "rows": [
            Row(
                customer=customer,
                state=_state(customer),
                waits=wording.cause_sentence(customer.subaccount.cause, customer.subaccount.cause_codes),
            )
            for customer in page.customers
        ],
        "filter_form": form,
        "chips": _chips(filters),
        "is_filtered": filters != Filters(),
        "has_more_filters": bool(filters.package or filters.expiry or filters.step or filters.launch),
        "is_first": not after,
        "query": urlencode(query),
        "hidden": list(query.items()),
        "next_query": urlencode({**query, "after": page.next}) if page.next else "",
        "may_care": request.user.staff_role in access.SUPPORTERS,
    }
    is_fragment = "HX-Request" in request.headers
    return render(request, "console/customers_results.html" if is_fragment else "console/customers.html", context)


# What a spreadsheet may take for the start of a formula, also behind what it does not show, and in full width.
FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\u200b\ufeff]*[=+\-@|\uff1d\uff0b\uff0d\uff20]")


def _plain(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if FORMULA.match(text) else text


class _Echo:
    """A file that gives back what is written: the CSV is streamed, never held."""

    def write(self, line: str) -> str:
        return line


def _day(moment: datetime | None) -> str:
    return timezone.localtime(moment).isoformat(timespec="minutes") if moment else ""


def _lines(found: Iterator[Customer]) -> Iterator[str]:
    # All in quotes: a spreadsheet that also splits at semicolons must not find a cell within one.
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff" + writer.writerow(CSV_COLUMNS)
    for customer in found:
        cells = (
            customer.reference,
            customer.company_name,
            customer.first_name,
            customer.last_name,
            customer.email,
            customer.country,
            _state(customer),
            customer.package.name,
            customer.subaccount.vendor_id,
            _day(customer.created_at),
            customer.trial_ends_on,
            _day(customer.last_launch_at),
        )
        yield writer.writerow([_plain(cell) for cell in cells])


@require_POST
@access.staff_required(*access.SUPPORTERS)
def export(request: PersonRequest) -> StreamingHttpResponse:
    """The list as CSV, as it is filtered. A POST, because an event says who took it."""
    form = FilterForm(request.POST, packages=access_console.packages_of(request.agency, archived=True))
    found = customer_list.export(request.agency, form.filters, now=timezone.now(), acting_user=request.user)
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="customers-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.SUPPORTERS)
def new(request: PersonRequest) -> HttpResponse:
    """A customer made by hand; its owner-to-be gets an invitation."""
    form = NewCustomerForm(request.POST or None, packages=access_console.packages_of(request.agency))
    if request.method == "POST" and form.is_valid():
        try:
            limits.count("invite", request.user.pk, settings.LIMIT_INVITE)
            made = customer_care.add(agency=request.agency, acting_user=request.user, **form.cleaned_data)
        except limits.TooMany as problem:
            return too_many(request, problem)
        except DoorError:
            form.add_error(None, _("Your agency has reached its number of customers. The operator can raise it."))
        else:
            messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": made.email})
            return redirect("console:customer", customer=made.public_id)
    return render(request, "console/customer_new.html", {"form": form})


@require_safe
@access.staff_required(*access.ANY_STAFF)
def customer(request: PersonRequest, customer: UUID) -> HttpResponse:
    """One customer: what is known, what may be done, and the timeline."""
    return _file_page(request, customer, NoteForm())


def _file_page(request: PersonRequest, customer: UUID, note_form: NoteForm) -> HttpResponse:
    file = access_console.customer_file_or_404(request, customer)
    role = request.user.staff_role
    show = request.GET.get("show", "")
    if show not in SHOWN:
        raise Http404
    before = _moment(request.GET.get("before", ""))
    page = timeline.page(file.customer, before=before, shown=_count(request.GET.get("shown", "")), **SHOWN[show])
    context = {
        "file": file,
        "customer": file.customer,
        "subaccount": file.subaccount,
        "trial": wording.trial(file.customer, timezone.localdate()),
        "choices": wording_console.choices(file.subaccount, role=role),
        "what_happened": wording_console.what_happened(file.subaccount) if file.state in WAITING else "",
        "what_happens_next": wording_console.what_happens_next(file.subaccount) if file.state in WAITING else "",
        "holds_up": wording_console.what_holds_it_up(file.subaccount),
        "tasks": [
            (task, wording_console.task_sentence(task.kind, file.subaccount.vendor_id, task.data))
            for task in file.tasks
        ],
        "lines": [wording_timeline.line(entry) for entry in page.entries],
        "next_page": urlencode({"before": page.next.isoformat(), "shown": page.shown}) if page.next else "",
        "show": show,
        "shows": [
            ("", _("Everything")),
            ("account", _("Account")),
            ("launches", _("Launches")),
            ("mails", _("Mails")),
            ("notes", _("Notes")),
        ],
        "is_first": before is None,
        "note_form": note_form,
        "may_care": role in access.SUPPORTERS,
        "is_settled": customer_care.is_settled(file.subaccount),
        "may_be_closed": customer_care.may_be_closed(file.subaccount),
        "next_step": wording_console.step_sentence(customer_care.next_step(file.customer)),
        "summary": wording_timeline.support_summary(file.customer, request.reference),
    }
    return render(request, "console/customer.html", context)


WAITING = ("needs_review", "missing", "awaiting_approval")


def _count(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Http404
    return int(text or 0)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    moment = access_console.moment_or_none(text)
    if moment is None:
        raise Http404
    return moment


@require_POST
@access.staff_required(*access.SUPPORTERS)
def note(request: PersonRequest, customer: UUID) -> HttpResponse:
    """A note about a customer."""
    found = access_console.customer_for_staff_or_404(request, customer)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _file_page(request, customer, form)
    try:
        customer_care.add_note(found, text=form.cleaned_data["text"], acting_user=request.user)
    except NotAllowed:
        messages.error(request, _("This customer was erased: nothing is noted any more."))
    else:
        messages.success(request, _("Note saved."))
    return redirect("console:customer", customer=customer)


@require_POST
@access.staff_required(*access.SUPPORTERS)
def remind(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Mails the next step to a customer who got stuck."""
    found = access_console.customer_for_staff_or_404(request, customer)
    try:
        customer_care.remind(found, acting_user=request.user)
    except DoorError:
        messages.error(request, _("No mail was sent: they have one of this week already, or went on meanwhile."))
    else:
        messages.success(request, _("A mail is on its way to %(email)s.") % {"email": found.email})
    return redirect("console:customer", customer=customer)


@require_POST
@access.staff_required(*access.SUPPORTERS)
def tick(request: PersonRequest, customer: UUID, task: UUID) -> HttpResponse:
    """Something was done by hand in the vendor's panel."""
    found = access_console.task_or_404(request, customer, task)
    customer_care.tick(found, acting_user=request.user)
    messages.success(request, _("Noted as done."))
    if request.POST.get("from") == "attention":
        return redirect("console:attention")
    return redirect("console:customer", customer=customer)
