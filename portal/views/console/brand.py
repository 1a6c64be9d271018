"""The brand: how the portal looks to customers, with a preview before anybody sees it."""

import base64
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import brands
from portal import access, access_agency, colour_words, mails
from portal.access import Agency, PersonRequest
from portal.forms.brand import BrandForm, LooksForm


@dataclass(frozen=True)
class Preview:
    """Everything that the preview shows; nothing of it is stored."""

    agency: Agency
    looks: dict[str, Any]
    logo: str
    remarks: list[colour_words.Remark]
    sender: str
    subject: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff_required(*access.MANAGERS)
def brand(request: PersonRequest) -> HttpResponse:
    """The form. `do=preview` shows what was entered and saves nothing: the way without script."""
    form = _form(request)
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and request.POST.get("do") != "preview":
        if brands.publish(request.agency, acting_user=request.user, **form.facts):
            messages.success(request, _("Published. Your customers see it from their next page on."))
        else:
            messages.info(request, _("Nothing was different, so nothing changed."))
        return redirect("console:brand")
    context = {
        "form": form,
        "preview": _preview(request, form),
        "hosts": access_agency.hosts_of(request.agency),
        "is_only_preview": is_sent,
    }
    return render(request, "console/brand.html", context)


@require_POST
@access.staff_required(*access.MANAGERS)
def preview(request: PersonRequest) -> HttpResponse:
    """The same preview as a fragment. What is not valid yet is shown as it is published now."""
    form = _form(request)
    form.is_valid()
    return render(request, "console/brand_preview.html", {"form": form, "preview": _preview(request, form)})


@require_safe
@access.staff_required(*access.MANAGERS)
def preview_style_sheet(request: PersonRequest) -> HttpResponse:
    """The style sheet of three choices, for what stands inside `.preview` only."""
    form = LooksForm(request.GET)
    if not form.is_valid():
        raise BadRequest("No looks.")
    return HttpResponse(
        brands.style_sheet(**form.cleaned_data, within=".preview"), content_type="text/css; charset=utf-8"
    )


def _form(request: PersonRequest) -> BrandForm:
    sent = request.method == "POST"
    return BrandForm(request.POST if sent else None, request.FILES if sent else None, agency=request.agency)


def _preview(request: PersonRequest, form: BrandForm) -> Preview:
    data = form.initial | (form.cleaned_data if form.is_bound else {})
    shown = copy(request.agency)
    for name in brands.ABOUT:
        setattr(shown, name, data[name])
    looks = {name: data[name] for name in ("colour", "grey", "corner")}
    with translation.override(shown.language):
        made_up = {"agency": shown, "customer": {"company_name": "Bloom & Co"}, "url": access.agency_url(shown, "/")}
        subject = render_to_string("mail/account_ready.subject.txt", made_up).strip()
        text = render_to_string("mail/account_ready.txt", made_up).strip()
    return Preview(
        agency=shown,
        looks=looks,
        logo=_logo(request.agency, data),
        remarks=colour_words.remarks(looks["colour"]),
        sender=mails.sender(shown),
        subject=subject,
        text=text,
    )


def _logo(agency: Agency, data: dict[str, Any]) -> str:
    """Where the preview finds the logo: in the page itself while it is not saved."""
    if data.get("logo"):
        return f"data:image/png;base64,{base64.b64encode(data['logo']).decode()}"
    if data.get("remove_logo") or not agency.brand.logo:
        return ""
    return reverse("brand_logo", args=[agency.brand.hash])
