"""What waits for a person, the choices, and the queue of sign-ups that want a yes."""

from collections.abc import Callable
from itertools import groupby
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import agencies, attention
from accounts.attention import Choice
from accounts.customers import NoRoom
from accounts.errors import DoorError, NotAllowed
from portal import access, access_console, wording_console, wording_differences, wording_vendor
from portal.access import PersonRequest, Subaccount
from portal.access_console import Waiting
from portal.forms.console import DeclineForm, PickForm

# The choices that are one click; the others have pages of their own (portal/views/console/changes.py).
DOORS: dict[str, Callable[..., None]] = {
    Choice.RETRY: attention.retry,
    Choice.LOOK: attention.look,
    Choice.DISMISS: attention.dismiss,
    Choice.APPROVE: attention.approve,
}


def _entry(subaccount: Subaccount, role: str) -> dict[str, object]:
    return {
        "subaccount": subaccount,
        "customer": subaccount.customer,
        "happened": wording_console.what_happened(subaccount),
        "next": wording_console.what_happens_next(subaccount),
        "choices": wording_console.choices(subaccount, role=role),
    }


@require_safe
@access.staff_required(*access.ANY_STAFF)
def attention_list(request: PersonRequest) -> HttpResponse:
    """Only what a person has to decide, by cause; and what is to be done by hand in the vendor's panel."""
    shows_dismissed = request.GET.get("show") == "set_aside"
    after, tasks_after = request.GET.get("after", ""), request.GET.get("tasks_after", "")
    waiting: Waiting[Subaccount] = Waiting([])
    tasks: Waiting[access_console.PanelTask] = Waiting([])
    if not tasks_after:
        waiting = access_console.waiting_for_staff(request, dismissed=shows_dismissed, after=after)
    if not after and not shows_dismissed:
        tasks = access_console.open_tasks(request, after=tasks_after)
    if (after or tasks_after) and not waiting.rows and not tasks.rows:
        return redirect("console:attention")  # what stood on that page is done
    is_start = not (after or tasks_after or shows_dismissed)
    findings = access_console.first_findings(request) if is_start else []
    by_group = sorted(waiting.rows, key=lambda subaccount: wording_console.group_of(subaccount).key)
    groups = [
        (group, [_entry(subaccount, request.user.staff_role) for subaccount in rows])
        for group, rows in groupby(by_group, key=wording_console.group_of)
    ]
    context = {
        "groups": groups,
        "tasks": [
            (task, wording_console.task_sentence(task.kind, task.customer.subaccount.vendor_id, task.data))
            for task in tasks.rows
        ],
        "page": waiting,
        "task_page": tasks,
        "findings": [wording_differences.line(finding) for finding in findings],
        "account": request.agency.vendor_account,
        "news": wording_vendor.news(
            request.agency.vendor_account,
            waiting=lambda: access_console.number_in_the_making(request.agency),
            now=timezone.now(),
        ),
        "result": wording_differences.result(request.agency.vendor_account),
        "shows_dismissed": shows_dismissed,
        "may_care": request.user.staff_role in access.SUPPORTERS,
    }
    return render(request, "console/attention.html", context)


@require_POST
@access.staff_required(*access.SUPPORTERS)
def choose(request: PersonRequest, customer: UUID) -> HttpResponse:
    """One click: try again, look again, set aside, approve."""
    found = access_console.customer_for_staff_or_404(request, customer)
    door = DOORS.get(request.POST.get("do", ""))
    if door is None:
        raise BadRequest("Unknown choice.")
    try:
        if request.POST.get("seen", found.subaccount.cause) != found.subaccount.cause:
            raise NotAllowed("The page that was clicked on said something else.")
        door(found.subaccount, acting_user=request.user)
    except NoRoom:
        messages.warning(request, NO_ROOM)
    except NotAllowed:
        messages.info(request, _("%s has moved on meanwhile. Nothing was changed.") % found.company_name)
    else:
        messages.success(request, _DONE[request.POST["do"]]() % {"name": found.company_name})
    if request.POST.get("from") == "customer":
        return redirect("console:customer", customer=customer)
    return redirect("console:attention")


NO_ROOM = gettext_lazy("Your agency has reached its number of customers. The operator can raise it.")
_DONE: dict[str, Callable[[], str]] = {
    Choice.RETRY: lambda: _("%(name)s is in the queue again."),
    Choice.LOOK: lambda: _("We look for the account of %(name)s again."),
    Choice.DISMISS: lambda: _("%(name)s is set aside until something changes."),
    Choice.APPROVE: lambda: _("%(name)s is approved. The account is made next."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.SUPPORTERS)
def approvals(request: PersonRequest) -> HttpResponse:
    """The queue of sign-ups: one, some or all of a page at once."""
    page = access_console.approvals_for_staff(request, after=request.GET.get("after", ""))
    if request.method != "POST" and not page.rows and not page.is_first:
        return redirect("console:approvals")
    pick = PickForm(
        request.POST if request.method == "POST" else None,
        waiting={str(subaccount.customer.public_id): subaccount for subaccount in page.rows},
    )
    declines = request.POST.get("do") == "decline"
    decline = DeclineForm(request.POST if declines else None)
    if request.method == "POST" and pick.is_valid() and (not declines or decline.is_valid()):
        picked = pick.cleaned_data["customer"]
        try:
            done = sum(_decide(subaccount, request, decline if declines else None) for subaccount in picked)
        except NoRoom:
            messages.warning(request, NO_ROOM)
        else:
            _report(request, done, len(picked) + pick.moved_on, declines)
        return redirect("console:approvals")
    context = {
        "waiting": page.rows,
        "page": page,
        "pick": pick,
        "decline": decline,
        "picked": request.POST.getlist("customer"),
        "is_on": request.agency.approval_required,
        "may_switch": request.user.staff_role in access.MANAGERS,
    }
    return render(request, "console/approvals.html", context)


def _decide(subaccount: Subaccount, request: PersonRequest, decline: DeclineForm | None) -> bool:
    """One of those picked, in a transaction of its own: what moved on meanwhile does not hold up the others.

    Raises NoRoom; those before it are decided.
    """
    try:
        with transaction.atomic():
            if decline is None:
                attention.approve(subaccount, acting_user=request.user)
            else:
                attention.decline(subaccount, acting_user=request.user, **decline.cleaned_data)
    except NoRoom:
        raise
    except DoorError:
        return False
    return True


def _report(request: PersonRequest, done: int, picked: int, declines: bool) -> None:
    if declines:
        sentence = ngettext("%(number)s sign-up declined.", "%(number)s sign-ups declined.", done)
    else:
        sentence = ngettext("%(number)s sign-up approved.", "%(number)s sign-ups approved.", done)
    if done:
        messages.success(request, sentence % {"number": done})
    if done < picked:
        left = picked - done
        sentence = ngettext("%(number)s had moved on meanwhile.", "%(number)s had moved on meanwhile.", left)
        messages.info(request, sentence % {"number": left})


@require_POST
@access.staff_required(*access.MANAGERS)
def switch_approval(request: PersonRequest) -> HttpResponse:
    """Whether new customers wait for a yes before their account is made."""
    is_on = request.POST.get("is_on") == "yes"
    agencies.require_approval(request.agency, is_on=is_on, acting_user=request.user)
    messages.success(
        request,
        _("New customers wait for your approval now.") if is_on else _("New customers need no approval any more."),
    )
    return redirect("console:approvals")
