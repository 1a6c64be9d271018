"""A customer's own pages: start page, set-up, and the ways into the panel. GET never calls the vendor."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import panel
from accounts.errors import DoorError
from accounts.states import State
from portal import access, wording, wording_problems
from portal.access import PersonRequest, Place
from portal.forms.panel import LaunchForm


@require_safe
@access.person_required
def home(request: PersonRequest) -> HttpResponse:
    """To the one customer; else a choice; staff to the console; operators to their pages."""
    if access.agency_of(request) is None:
        return render(request, "platform/home.html")
    customers = access.customers_of_person(request)
    if len(customers) == 1:
        return redirect("customer:dashboard", customer=customers[0].public_id)
    if customers:
        return render(request, "customer/chooser.html", {"customers": customers})
    if request.user.staff_role:
        return redirect("console:overview")
    # Who belongs somewhere and finds nothing to open is suspended there.
    return render(request, "customer/nobody.html", {"is_suspended": access.belongs_somewhere(request.user)})


@require_safe
@access.person_required
def dashboard(request: PersonRequest, customer: UUID) -> HttpResponse:
    """The start page; before the account is there, the set-up page at the same address."""
    place = access.place_or_404(request, customer)
    if place.is_paused:
        return render(request, "customer/paused.html", {"place": place})
    if place.subaccount.state == State.MISSING:
        return render(request, "customer/missing.html", {"place": place})
    if place.subaccount.state != State.ACTIVE:
        return _setup(request, place)
    now = timezone.localtime()
    context = {
        "place": place,
        "greeting": _greeting(request, now),
        "running": sum(campaign.status == "active" for campaign in place.campaigns),
        "trial": wording.trial(place.customer, now.date()),
        "outage_since": _outage_since(place),
        "may_launch": place.membership.may_launch,
    }
    return _allowing_panel(render(request, "customer/dashboard.html", context), place)


@require_safe
@access.person_required
def setup(request: PersonRequest, customer: UUID) -> HttpResponse:
    """What is happening while the account is being made; asks for itself again until there is nothing to wait for."""
    place = access.place_or_404(request, customer)
    if place.is_paused:
        return render(request, "customer/paused.html", {"place": place})
    return _setup(request, place)


@require_POST
@access.person_required
def launch(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Into the panel: 303 to a URL that was minted for this click and is kept nowhere."""
    place = _launchable(request, customer)
    form = LaunchForm(request.POST, campaigns=place.campaigns)
    if not form.is_valid():
        raise BadRequest("Unknown page or campaign.")
    try:
        url = panel.open_panel(place.subaccount, acting_user=request.user, **form.cleaned_data)
    except DoorError as error:
        action = reverse("customer:launch", args=[place.customer.public_id])
        return _problem(request, place, error, action=action, **form.cleaned_data)
    return HttpResponse(status=303, headers={"Location": url, "Referrer-Policy": "no-referrer"})


@require_POST
@access.person_required
def password_link(request: PersonRequest, customer: UUID) -> HttpResponse:
    """A link to set the panel password: the answer itself shows it, once."""
    place = _launchable(request, customer)
    try:
        link = panel.password_link(place.subaccount, acting_user=request.user)
    except DoorError as error:
        return _problem(request, place, error, action=reverse("customer:password-link", args=[customer]))
    return render(request, "customer/password_link.html", {"place": place, "link": link})


@require_safe
@access.person_required
def open_page(request: PersonRequest, customer: UUID, page: str, campaign: str = "") -> HttpResponse:
    """A deep link from a mail: a page with the button. Only the button's POST asks the vendor."""
    place = access.place_or_404(request, customer)
    if place.is_paused or place.subaccount.state != State.ACTIVE:
        return redirect("customer:dashboard", customer=customer)
    form = LaunchForm({"page": page, "campaign": campaign}, campaigns=place.campaigns)
    if not form.is_valid():
        raise Http404
    label = next((own.label for own in place.campaigns if own.vendor_id == campaign), "")
    context = {
        "place": place,
        "target": wording.target(page, campaign, label),
        "may_launch": place.membership.may_launch,
        "outage_since": _outage_since(place),
    }
    return _allowing_panel(render(request, "customer/open.html", context), place)


def _setup(request: PersonRequest, place: Place) -> HttpResponse:
    context = {"place": place, "setup": wording.setup_page(place, reader=request.user.email)}
    response = render(request, "customer/setup.html", context)
    if place.subaccount.state == State.ACTIVE and request.headers.get("HX-Request"):
        response["HX-Redirect"] = reverse("customer:dashboard", args=[place.customer.public_id])
    return response


def _launchable(request: PersonRequest, customer: UUID) -> Place:
    """The place, for somebody who may launch: a viewer never gets a sign-on."""
    place = access.place_or_404(request, customer)
    if not place.membership.may_launch:
        raise PermissionDenied
    return place


def _problem(
    request: PersonRequest, place: Place, error: DoorError, *, action: str, page: str = "", campaign: str = ""
) -> HttpResponse:
    problem = wording_problems.problem(
        error, seconds=settings.LAUNCH_DEADLINE_SECONDS, own_words=place.customer.agency.outage_message
    )
    context = {"place": place, "problem": problem, "action": action, "page": page, "campaign": campaign}
    response = render(request, "customer/problem.html", context, status=problem.status)
    return _allowing_panel(response, place)


def _allowing_panel(response: HttpResponse, place: Place) -> HttpResponse:
    """Lets the page's forms end at the panel: Chromium applies `form-action` to the redirects after a form, too."""
    response._csp_update = {"form-action": list(panel.panel_origins(place.vendor_account))}
    return response


def _outage_since(place: Place) -> datetime | None:
    return place.vendor_account.trouble_since if place.vendor_account.is_open else None


def _greeting(request: PersonRequest, now: datetime) -> str:
    words = _("Good morning") if now.hour < 12 else _("Good afternoon") if now.hour < 18 else _("Good evening")
    return f"{words}, {request.user.first_name}" if request.user.first_name else words
