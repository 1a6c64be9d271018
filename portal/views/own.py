"""A person's own pages: name and language, and what staff did with their customers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_safe

from accounts import people
from portal import access, access_people
from portal.access import PersonRequest
from portal.forms.team import ProfileForm


@require_http_methods(["GET", "HEAD", "POST"])
@access.person_required
def profile(request: PersonRequest) -> HttpResponse:
    """Name and language."""
    form = ProfileForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        people.save_profile(**form.cleaned_data, acting_user=request.user)
        with override(form.cleaned_data["language"] or None):
            messages.success(request, _("Saved."))
        return redirect("profile")
    return render(request, "own/profile.html", {"form": form})


@require_safe
@access.person_required
def activity(request: PersonRequest) -> HttpResponse:
    """What staff did with this person's customers: who, when, what and why. Newest first."""
    page = access_people.staff_activity(request, before=request.GET.get("before", ""))
    return render(request, "own/activity.html", {"page": page})
