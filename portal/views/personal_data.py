"""Personal data: everybody's own, and what owners and admins of an agency do for those who ask them."""

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import data_export, erasure
from accounts.erasure import CannotErase, Why
from accounts.errors import NotAllowed
from portal import access, access_console, access_people
from portal.access import PersonRequest, User
from portal.forms.personal_data import ConfirmForm
from portal.wording_erasure import obstacle_sentence


@require_http_methods(["GET", "HEAD", "POST"])
@access.recent_sign_in_required
def own(request: PersonRequest) -> HttpResponse:
    """What one may do with one's own data; the button downloads it."""
    if request.method == "POST":
        return _download(request, request.user)
    return render(request, "own/data.html")


@require_http_methods(["GET", "HEAD", "POST"])
@access.recent_sign_in_required
def own_erase(request: PersonRequest) -> HttpResponse:
    """Erases the reader: says what happens, asks for the address, signs them out for ever."""
    form = _confirm_form(request, request.user, _("Type your e-mail address"))
    if request.method == "POST" and form.is_valid():
        try:
            erasure.erase_person(request.user, why=Why.OWN_WISH, acting_user=request.user)
        except CannotErase:
            return redirect("own-erase")  # where the obstacle stands
        except NotAllowed:
            return redirect("account_login")
        request.session.flush()
        request.user = AnonymousUser()
        return render(request, "own/erased.html", {"user": None})
    context = {"form": form, "obstacles": _obstacles(request.user, to_oneself=True)}
    return render(request, "own/erase.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.MANAGERS)
@access.recent_sign_in_required
def member(request: PersonRequest, customer: UUID, person: UUID) -> HttpResponse:
    """A member's data, for managers to hand out."""
    found = access_console.customer_for_staff_or_404(request, customer)
    who = access_people.member_or_404(found, person).person
    erase = reverse("console:customer-person-erase", args=[customer, person])
    return _of_somebody(request, who, back=reverse("console:customer-people", args=[customer]), erase=erase)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def member_erase(request: PersonRequest, customer: UUID, person: UUID) -> HttpResponse:
    found = access_console.customer_for_staff_or_404(request, customer)
    who = access_people.member_or_404(found, person).person
    back = reverse("console:customer-person-data", args=[customer, person])
    return _erase_somebody(request, who, back=back, then=reverse("console:customer-people", args=[customer]))


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def staff(request: PersonRequest, person: UUID) -> HttpResponse:
    """A staff member's data, for owners to hand out."""
    who = access_people.staff_or_404(request, person)
    erase = reverse("console:staff-erase", args=[person])
    return _of_somebody(request, who, back=reverse("console:staff-person", args=[person]), erase=erase)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.OWNERS)
@access.recent_sign_in_required
def staff_erase(request: PersonRequest, person: UUID) -> HttpResponse:
    who = access_people.staff_or_404(request, person)
    return _erase_somebody(
        request, who, back=reverse("console:staff-data", args=[person]), then=reverse("console:staff")
    )


def _of_somebody(request: PersonRequest, who: User, *, back: str, erase: str) -> HttpResponse:
    if who.pk == request.user.pk:
        return redirect("own-data")
    if request.method == "POST":
        return _download(request, who)
    context = {
        "person": who,
        "back": back,
        "may_export": data_export.may_export(request.user, who),
        "erase": erase if erasure.may_erase(request.user, who) else "",
    }
    return render(request, "console/person_data.html", context)


def _erase_somebody(request: PersonRequest, who: User, *, back: str, then: str) -> HttpResponse:
    if who.pk == request.user.pk:
        return redirect("own-erase")
    form = _confirm_form(request, who, _("Type their e-mail address"))
    if request.method == "POST" and form.is_valid():
        try:
            erasure.erase_person(who, why=Why.ASKED, acting_user=request.user)
        except CannotErase:
            return redirect(request.path)  # where the obstacle stands
        except NotAllowed:
            messages.error(request, _("Nothing was changed: what you saw had changed meanwhile. Please look again."))
        else:
            # No name: a message may wait in the session until it is shown.
            messages.success(
                request, _("Erased. What is left to do in the vendor's panel, if anything, waits under “Attention”.")
            )
        return redirect(then)
    context = {"form": form, "person": who, "back": back, "obstacles": _obstacles(who, to_oneself=False)}
    return render(request, "console/person_erase.html", context)


def _confirm_form(request: PersonRequest, who: User, label: str) -> ConfirmForm:
    return ConfirmForm(request.POST if request.method == "POST" else None, label=label, expected=who.email)


def _obstacles(who: User, *, to_oneself: bool) -> list[str]:
    return [str(obstacle_sentence(obstacle, to_oneself=to_oneself)) for obstacle in erasure.obstacles(who)]


def _download(request: PersonRequest, who: User) -> HttpResponse:
    try:
        data = data_export.export_person(who, acting_user=request.user)
    except NotAllowed:
        raise PermissionDenied from None
    text = json.dumps(data, ensure_ascii=False, indent=2)
    name = f"personal-data-{timezone.localdate():%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="application/json", headers=headers)
