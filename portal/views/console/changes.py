"""Changes of a customer that need a word: each a page with its form, what it does where, and one button."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import attention, customer_care, erasure, limits
from accounts.attention import Choice
from accounts.erasure import Why
from accounts.errors import DoorError
from portal import access, access_console, wording_changes
from portal.access import Customer, PersonRequest
from portal.forms.console import (
    AddressForm,
    CloseForm,
    DeclineForm,
    ExtendForm,
    LinkForm,
    PackageChoiceForm,
    PauseForm,
)
from portal.forms.personal_data import ConfirmForm
from portal.forms.team import ReasonForm
from portal.visitors import too_many

MakeForm = Callable[..., forms.Form]
Door = Callable[[Customer, dict[str, Any], PersonRequest], None]


@dataclass(frozen=True)
class Change:
    """One kind of change: its form, the door it opens, and for which customers it is there."""

    form: MakeForm
    door: Door
    is_possible: Callable[[Customer], bool]


def _offers(choice: Choice) -> Callable[[Customer], bool]:
    return lambda customer: choice in {option.choice for option in attention.options(customer.subaccount)}


def _is_settled(customer: Customer) -> bool:
    return not customer.closed_at and customer_care.is_settled(customer.subaccount)


def _may_be_closed(customer: Customer) -> bool:
    return not customer.closed_at and customer_care.may_be_closed(customer.subaccount)


CHANGES: dict[str, Change] = {
    "pause": Change(
        lambda data, customer, packages: PauseForm(data),
        lambda customer, data, request: customer_care.pause(customer, acting_user=request.user, **data),
        lambda customer: not (customer.paused_at or customer.closed_at),
    ),
    "resume": Change(
        lambda data, customer, packages: forms.Form(data),
        lambda customer, data, request: customer_care.resume(customer, acting_user=request.user),
        lambda customer: bool(customer.paused_at and not customer.closed_at),
    ),
    "close": Change(
        lambda data, customer, packages: CloseForm(data, customer=customer),
        lambda customer, data, request: customer_care.close(
            customer, message=data["message"], acting_user=request.user
        ),
        _may_be_closed,
    ),
    "extend": Change(
        lambda data, customer, packages: ExtendForm(data, customer=customer),
        lambda customer, data, request: customer_care.extend_trial(
            customer,
            ends_on=data["last_day"] + timedelta(days=1),
            reason=data["reason"],
            acting_user=request.user,
        ),
        lambda customer: bool(customer.trial_ends_on and not customer.closed_at),
    ),
    "convert": Change(
        lambda data, customer, packages: forms.Form(data),
        lambda customer, data, request: customer_care.convert(customer, acting_user=request.user),
        lambda customer: bool(customer.trial_ends_on and not customer.closed_at),
    ),
    "package": Change(
        lambda data, customer, packages: PackageChoiceForm(
            data, packages=packages, initial={"package": str(customer.package.public_id)}
        ),
        lambda customer, data, request: customer_care.change_package(
            customer, package=data["package"], acting_user=request.user
        ),
        _is_settled,
    ),
    "address": Change(
        lambda data, customer, packages: AddressForm(data),
        lambda customer, data, request: attention.change_address(
            customer.subaccount, email=data["email"], acting_user=request.user
        ),
        _offers(Choice.CHANGE_ADDRESS),
    ),
    "decline": Change(
        lambda data, customer, packages: DeclineForm(data),
        lambda customer, data, request: attention.decline(
            customer.subaccount, message=data["message"], acting_user=request.user
        ),
        _offers(Choice.DECLINE),
    ),
}


def _page(request: PersonRequest, customer: UUID, what: str, change: Change) -> HttpResponse:
    found = access_console.customer_for_staff_or_404(request, customer)
    words = wording_changes.words(what, found)
    if not change.is_possible(found):
        messages.info(request, words.impossible)
        return redirect("console:customer", customer=customer)
    packages = access_console.packages_of(request.agency) if what == "package" else []
    form = change.form(request.POST if request.method == "POST" else None, customer=found, packages=packages)
    if request.method == "POST" and form.is_valid():
        try:
            if what == "address":
                limits.count("invite", request.user.pk, settings.LIMIT_INVITE)
            change.door(found, form.cleaned_data, request)
        except limits.TooMany as problem:
            return too_many(request, problem)
        except DoorError:
            messages.error(request, words.refused)
        else:
            messages.success(request, words.done)
        return redirect("console:customer", customer=customer)
    return render(request, "console/change.html", {"form": form, "customer": found, "words": words})


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.SUPPORTERS)
def change(request: PersonRequest, customer: UUID, what: str) -> HttpResponse:
    """A change that everybody who looks after customers may make. `what` comes from the URL configuration."""
    return _page(request, customer, what, CHANGES[what])


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.SUPPORTERS)
def link(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Linking an account that the vendor has already: which one, typed, and how the person knows."""
    found = access_console.customer_for_staff_or_404(request, customer)
    subaccount = found.subaccount
    words = wording_changes.words("link", found)
    if not _offers(Choice.LINK)(found):
        messages.info(request, words.impossible)
        return redirect("console:customer", customer=customer)
    if not attention.is_listed(subaccount) and request.user.staff_role != "owner":
        messages.info(request, _("Only an owner may link an account that is not listed for this address."))
        return redirect("console:customer", customer=customer)
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["vendor_id"]
        if not attention.is_certain(subaccount, wanted) and request.user.staff_role == "owner":
            return _link_as_owner(request, customer, form)
        return _link(request, found, form)
    context = {"form": form, "customer": found, "words": words, "checks": wording_changes.link_checks(subaccount)}
    return render(request, "console/change.html", context)


@access.recent_sign_in_required
def _link_as_owner(request: PersonRequest, customer: UUID, form: LinkForm) -> HttpResponse:
    """An account with another address: the owner says so with a fresh password or code."""
    return _link(request, access_console.customer_for_staff_or_404(request, customer), form)


def _link(request: PersonRequest, customer: Customer, form: LinkForm) -> HttpResponse:
    words = wording_changes.words("link", customer)
    try:
        attention.link(customer.subaccount, acting_user=request.user, **form.cleaned_data)
    except DoorError:
        messages.error(request, words.refused)
    else:
        messages.success(request, words.done)
    return redirect("console:customer", customer=customer.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def erase(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Taking everything personal out of a closed customer, for ever. An owner's, with a fresh password or code."""
    change = Change(
        lambda data, customer, packages: ConfirmForm(
            data, label=_("Type the name of the customer"), expected=customer.company_name
        ),
        lambda customer, data, request: erasure.erase_customer(
            customer, why=Why.CUSTOMER_CLOSED, acting_user=request.user
        ),
        lambda customer: bool(customer.closed_at and not customer.erased_at),
    )
    return _page(request, customer, "erase", change)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def make_new(request: PersonRequest, customer: UUID) -> HttpResponse:
    """Giving up an account that the vendor no longer knows. An owner's, with a fresh password or code."""
    change = Change(
        lambda data, customer, packages: ReasonForm(data),
        lambda customer, data, request: attention.make_new(
            customer.subaccount, reason=data["reason"], acting_user=request.user
        ),
        _offers(Choice.MAKE_NEW),
    )
    return _page(request, customer, "make_new", change)
