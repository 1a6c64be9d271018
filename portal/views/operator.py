"""Operators' pages, on the platform host: agencies, their hosts and limits, health, events, and "view as"."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import agencies as agency_doors
from accounts import operators as doors
from accounts import pausing, views_as
from accounts.errors import NotAllowed
from portal import access, access_operator, wording_differences
from portal.access import PersonRequest
from portal.access_console import moment_or_none
from portal.forms.operator import EventSearchForm, HostForm, LimitsForm, NewAgencyForm, ViewAsForm
from portal.forms.team import ReasonForm
from portal.wording_events import event_sentence, object_word

PAGE = 50


@require_safe
@access.operator_required
def agencies(request: PersonRequest) -> HttpResponse:
    """All agencies by name, with how they do."""
    search = request.GET.get("q", "").strip()[:100]
    after = request.GET.get("after", "")
    rows = access_operator.agencies(search=search, after=after, size=PAGE)
    context = {
        "rows": rows[:PAGE],
        "next_after": str(rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        "is_first": not after,
        "search": search,
        "number": access_operator.number_of_agencies(),
        "health": access_operator.health(),
    }
    return render(request, "operator/agencies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
def new_agency(request: PersonRequest) -> HttpResponse:
    form = NewAgencyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = agency_doors.create(**form.cleaned_data, acting_user=request.user)
        except NotAllowed:
            form.add_error("host", _("This host is already in use."))
        else:
            messages.success(
                request,
                _("%(name)s is there. %(email)s gets an invitation.")
                % {"name": made.name, "email": form.cleaned_data["owner_email"]},
            )
            return redirect("operator:agency", agency=made.pk)
    return render(request, "operator/agency_new.html", {"form": form})


@require_safe
@access.operator_required
def agency(request: PersonRequest, agency: UUID) -> HttpResponse:
    """One agency: numbers, trouble, hosts, staff, what happened."""
    found = access_operator.agency_or_404(agency)
    about = access_operator.about(found)
    context = {"row": found, "about": about, "lines": _lines(about.events)}
    return render(request, "operator/agency.html", context)


def _lines(events: list[access_operator.Event]) -> list[tuple[access_operator.Event, str, str, str, str]]:
    """Events, each with what happened, who did it, and the person, or the kind of thing, that it was about."""
    people = [(event.actor_id, access_operator.person_of(event)) for event in events]
    people = [(who, None if whom == who else whom) for who, whom in people]  # what somebody did with their own
    names = access_operator.names_over_all({key for keys in people for key in keys if key})
    return [
        (
            event,
            event_sentence(event.kind, event.data, event.outcome),
            names.get(who, ""),
            names.get(whom, str(whom or "")),
            "" if event.object_type in ("agency", "person") else object_word(event.object_type),
        )
        for event, (who, whom) in zip(events, people, strict=True)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
def stop(request: PersonRequest, agency: UUID) -> HttpResponse:
    return _with_reason(request, agency, doors.stop, "stop", lambda: _("%(name)s is stopped."))


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
def resume(request: PersonRequest, agency: UUID) -> HttpResponse:
    return _with_reason(request, agency, doors.resume, "resume", lambda: _("%(name)s works again."))


def _with_reason(
    request: PersonRequest, agency: UUID, door: Callable[..., None], doing: str, sentence: Callable[[], str]
) -> HttpResponse:
    found = access_operator.agency_or_404(agency)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            door(found, reason=form.cleaned_data["reason"], acting_user=request.user)
        except NotAllowed:
            messages.error(request, _("Nothing was changed: somebody else did it meanwhile."))
        else:
            messages.success(request, sentence() % {"name": found.name})
        return redirect("operator:agency", agency=agency)
    return render(request, "operator/agency_reason.html", {"row": found, "form": form, "doing": doing})


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
def differences(request: PersonRequest, agency: UUID) -> HttpResponse:
    """Where the vendor's list and ours differ; after a restore, the button that lets creates go on."""
    found = access_operator.agency_or_404(agency)
    if request.method == "POST":
        _acknowledge(request, found)
        return redirect("operator:differences", agency=agency)
    page = access_operator.differences_of(found, after=request.GET.get("after", ""))
    account = found.vendor_account
    context = {
        "row": found,
        "account": account,
        "page": page,
        "findings": [wording_differences.line(finding) for finding in page.rows],
        "counts": wording_differences.counts(account),
        "result": wording_differences.result(account),
        "is_compared": pausing.is_compared(account),
        "waiting": access_operator.number_waiting_for_pause(found),
    }
    return render(request, "operator/differences.html", context)


def _acknowledge(request: PersonRequest, agency: access_operator.Agency) -> None:
    seen = moment_or_none(request.POST.get("compared", ""))
    try:
        pausing.acknowledge(agency, seen=seen, acting_user=request.user)
    except pausing.NotCompared:
        messages.error(request, _("The vendor's list was not read since the pause began, so nobody can have seen it."))
    except NotAllowed:
        messages.error(request, _("Nothing was changed: it is not paused, or was compared anew. Please look again."))
    else:
        messages.success(request, _("New accounts of %(name)s are made again.") % {"name": agency.name})


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
def hosts(request: PersonRequest, agency: UUID) -> HttpResponse:
    """The names that answer for an agency, and the form for another one."""
    found = access_operator.agency_or_404(agency)
    form = HostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            host = doors.add_host(found, name=form.cleaned_data["name"], acting_user=request.user)
        except doors.BadHost:
            form.add_error("name", _("This host is already in use."))
        else:
            messages.success(request, _("%(host)s answers for %(name)s.") % {"host": host.name, "name": found.name})
            return redirect("operator:hosts", agency=agency)
    return render(
        request, "operator/hosts.html", {"row": found, "hosts": access_operator.hosts_of(found), "form": form}
    )


@require_POST
@access.operator_required
def host_remove(request: PersonRequest, agency: UUID, host: int) -> HttpResponse:
    found = access_operator.host_or_404(access_operator.agency_or_404(agency), host)
    try:
        doors.remove_host(found, acting_user=request.user)
    except NotAllowed:
        messages.error(
            request, _("The main host stays: links in mails lead there. Make another one the main host first.")
        )
    else:
        messages.success(request, _("%(host)s answers no more.") % {"host": found.name})
    return redirect("operator:hosts", agency=agency)


@require_POST
@access.operator_required
def host_main(request: PersonRequest, agency: UUID, host: int) -> HttpResponse:
    found = access_operator.host_or_404(access_operator.agency_or_404(agency), host)
    doors.make_canonical(found, acting_user=request.user)
    messages.success(request, _("%(host)s is the main host now.") % {"host": found.name})
    return redirect("operator:hosts", agency=agency)


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
def limits(request: PersonRequest, agency: UUID) -> HttpResponse:
    found = access_operator.agency_or_404(agency)
    now = {"customer_limit": found.customer_limit, "daily_creates": found.daily_creates}
    form = LimitsForm(request.POST if request.method == "POST" else None, initial=now)
    if request.method == "POST" and form.is_valid():
        doors.set_limits(found, **form.cleaned_data, acting_user=request.user)
        messages.success(request, _("The limits of %(name)s are saved.") % {"name": found.name})
        return redirect("operator:agency", agency=agency)
    context = {"row": found, "form": form, "usual": settings.PROVISIONING_DAILY_CREATES}
    return render(request, "operator/limits.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.operator_required
@access.recent_sign_in_required
def view_as(request: PersonRequest, agency: UUID) -> HttpResponse:
    """Asks as whom and why, then leads to the agency's host, where the view opens."""
    found = access_operator.agency_or_404(agency)
    form = ViewAsForm(request.POST or None, staff=access_operator.viewable_staff(found))
    if request.method == "POST" and form.is_valid():
        try:
            token = views_as.ask(found, **form.cleaned_data, acting_user=request.user)
        except NotAllowed:
            messages.error(request, _("This is not possible: the agency is stopped, or the person cannot sign in."))
            return redirect("operator:agency", agency=agency)
        return redirect(access.agency_url(found, f"/view-as/{token}/"))
    response = render(request, "operator/view_as.html", {"row": found, "form": form})
    # Chromium applies form-action to the redirect after the form, which leads to the agency's host.
    response._csp_update = {"form-action": [access.agency_url(found, "")]}
    return response


@require_safe
@access.operator_required
def health(request: PersonRequest) -> HttpResponse:
    """Queues, workers, breakers, and what was given up."""
    return render(request, "operator/health.html", {"health": access_operator.health()})


@require_safe
@access.operator_required
def events(request: PersonRequest) -> HttpResponse:
    """Events of all agencies, by filters that stand in the address."""
    form = EventSearchForm(request.GET)
    found = access_operator.events(**form.cleaned_data, size=PAGE) if form.is_valid() else []
    rows = found[:PAGE]
    kept = request.GET.copy()
    if len(found) > PAGE:
        kept["before"] = str(rows[-1].pk)
    context = {
        "form": form,
        "lines": _lines(rows),
        "next_query": kept.urlencode() if len(found) > PAGE else "",
    }
    return render(request, "operator/events.html", context)
