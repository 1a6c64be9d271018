"""The vendor account: how it is, its two pairs of credentials, its panel host and its switches."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import panel_host as host_doors
from accounts import vendor_accounts as doors
from accounts.errors import NotAllowed
from accounts.limits import TooMany
from accounts.vendor_accounts import Check, HeldElsewhere, InTheMaking
from portal import access, access_agency, wording_vendor
from portal.access import PersonRequest
from portal.forms.vendor_account import PairForm, PanelHostForm, SwitchesForm
from portal.wording_events import event_sentence
from portal.wording_time import waiting_time

DOINGS = ("check", "switch", "drop")


@require_safe
@access.staff_required(*access.MANAGERS)
def connection(request: PersonRequest) -> HttpResponse:
    """Everything about the vendor account at a glance; only owners find the ways to change it."""
    found = access_agency.connection(request.agency, now=timezone.now())
    account = found.account
    context = {
        "found": found,
        "condition": wording_vendor.condition(account),
        "pairs": [(pair, _said(pair)) for pair in found.pairs],
        "lately": [(event, event_sentence(event.kind, event.data, event.outcome)) for event in found.lately],
        "switches": SwitchesForm(
            initial={"offers_pages": account.offers_pages, "reads_statistics": account.reads_statistics}
        ),
        "is_owner": request.user.staff_role in access.OWNERS,
    }
    return render(request, "console/connection.html", context)


@require_POST
@access.staff_required(*access.MANAGERS)
def try_now(request: PersonRequest) -> HttpResponse:
    """One call with the pair in use, whatever the breaker says."""
    try:
        _tell(request, doors.try_now(request.agency, acting_user=request.user))
    except NotAllowed:
        messages.info(request, _("There is nothing to try yet: no pair is in use."))
    except TooMany as problem:
        _wait(request, problem)
    return redirect("console:connection")


@require_POST
@access.staff_required(*access.OWNERS)
def switches(request: PersonRequest) -> HttpResponse:
    form = SwitchesForm(request.POST)
    if not form.is_valid():
        raise BadRequest("No switches.")
    if doors.change(request.agency, acting_user=request.user, **form.cleaned_data):
        messages.success(request, _("Saved. It counts from now on."))
    else:
        messages.info(request, _("Nothing was different, so nothing changed."))
    return redirect("console:connection")


@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def new_pair(request: PersonRequest) -> HttpResponse:
    """Stores a pair in the place that is not in use, and checks it at once. The one in use stays in use."""
    form = PairForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            stored = doors.store(request.agency, acting_user=request.user, **form.cleaned_data)
        except HeldElsewhere:
            form.add_error(
                "client_id",
                _("This vendor account is already in use in this installation. If it is yours, write to the operator."),
            )
        else:
            _check(request, stored.slot)
            return redirect("console:connection")
    return render(request, "console/connection_pair_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def pair(request: PersonRequest, slot: int) -> HttpResponse:
    """One pair: check it, switch to it, drop it. GET shows the same buttons, for who had to prove who they are."""
    if slot not in (1, 2):
        raise Http404
    if request.method != "POST":
        found = access_agency.pair_of(request.agency, slot)
        if found.credential is None:
            raise Http404
        return render(request, "console/connection_pair.html", {"pair": found, "said": _said(found)})
    doing = request.POST.get("do", "")
    if doing not in DOINGS:
        raise BadRequest("Neither check nor switch nor drop.")
    if doing == "check":
        _check(request, slot)
    elif doing == "switch":
        _switch(request, slot)
    else:
        _drop(request, slot)
    return redirect("console:connection")


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def panel_host(request: PersonRequest) -> HttpResponse:
    """Where launches may lead. The vendor itself has to name the host."""
    account = access_agency.vendor_account_of(request.agency)
    form = PanelHostForm(request.POST if request.method == "POST" else None, initial={"host": account.whitelabel_host})
    if request.method == "POST" and form.is_valid():
        host = form.cleaned_data["host"]
        try:
            found = host_doors.change(request.agency, host=host, acting_user=request.user)
        except TooMany as problem:
            form.add_error(None, _too_many(problem))
        else:
            if found.is_good:
                messages.success(request, _saved_host(host))
                return redirect("console:connection")
            form.add_error("host", wording_vendor.host_sentence(found.outcome, found.codes, found.named))
    return render(request, "console/connection_panel_host.html", {"form": form, "account": account})


def _saved_host(host: str) -> str:
    if not host:
        return _("Launches go to the vendor's own address now.")
    return _("The vendor named %(host)s too. Launches go there from now on.") % {"host": host}


def _said(pair: access_agency.Pair) -> str:
    if pair.credential is None or not pair.credential.test_result:
        return ""
    return wording_vendor.check_sentence(pair.credential.test_result, pair.check.get("codes", []))


def _check(request: PersonRequest, slot: int) -> None:
    try:
        _tell(request, doors.check(request.agency, slot=slot, acting_user=request.user))
    except NotAllowed:
        messages.info(request, _("There is no pair in this place."))
    except TooMany as problem:
        _wait(request, problem)


def _switch(request: PersonRequest, slot: int) -> None:
    try:
        found = doors.switch(request.agency, slot=slot, acting_user=request.user)
    except InTheMaking:
        messages.warning(
            request,
            _(
                "Not switched: accounts are being made with the present client id, and under another one they might be "
                "made twice. Wait until none is in the making, then switch again."
            ),
        )
    except NotAllowed:
        messages.warning(request, _("Not switched: this pair has to pass a check first, or it is in use already."))
    except TooMany as problem:
        _wait(request, problem)
    else:
        if found.is_good:
            messages.success(
                request,
                _("Switched. Watch the calls below for a while; when they are good, drop the old pair."),
            )
        else:
            messages.error(
                request, _("Not switched.") + " " + wording_vendor.check_sentence(found.outcome, found.codes)
            )


def _drop(request: PersonRequest, slot: int) -> None:
    try:
        doors.drop(request.agency, slot=slot, acting_user=request.user)
    except NotAllowed:
        messages.warning(request, _("Not dropped: the pair is in use, or the place is empty already."))
    else:
        messages.success(request, _("Dropped. Revoke the old pair at the vendor, too."))


def _tell(request: PersonRequest, found: Check) -> None:
    sentence = wording_vendor.check_sentence(found.outcome, found.codes)
    if not found.is_good:
        messages.error(request, sentence)
        return
    listed = ngettext("%(number)s account is listed.", "%(number)s accounts are listed.", found.listed)
    messages.success(
        request,
        f"{sentence} {listed % {'number': found.listed}} " + _("It took %(ms)s ms.") % {"ms": found.milliseconds},
    )


def _too_many(problem: TooMany) -> str:
    return _("This was tried several times in a short while. Please wait %(time)s.") % {
        "time": waiting_time(problem.retry_after)
    }


def _wait(request: PersonRequest, problem: TooMany) -> None:
    messages.warning(request, _too_many(problem))
