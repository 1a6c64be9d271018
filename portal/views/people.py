"""Choosing a package, signing up, accepting an invitation."""

from typing import Any

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import customers, people
from accounts.errors import NotAllowed
from portal import access, pending
from portal.forms.people import AcceptInvitationForm
from portal.scope import current_scope


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The agency's packages."""
    agency = access.agency_of(request)
    assert agency is not None  # this URL exists on agency hosts only
    return render(request, "start.html", {"packages": access.packages_on_offer(agency)})


class SignUp(allauth_views.SignupView):
    """allauth's page, with the package that was chosen before."""

    def get_initial(self) -> dict[str, str]:
        return {**super().get_initial(), "package": self.request.GET.get("package", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        agency = access.agency_of(self.request)
        is_full = agency is not None and not customers.has_room(agency)
        return {**super().get_context_data(**kwargs), "is_full": is_full}

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        """The person, the mail with the code, and the session that waits for it: all or nothing.

        Who is there without a code that counts could neither come in nor sign up again.
        """
        response = super().form_valid(form)
        session = self.request.session
        session.setdefault("scope", current_scope.get())
        session.save()  # the middleware would save it after the commit
        return response


class ConfirmCode(allauth_views.ConfirmEmailVerificationCodeView):
    """allauth's page, but an address that was known before costs the same work and the same mails as a new one.

    By itself it sends nothing again there, and does not read a person whom it does not wait for: that can be counted.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._read_as_for_others()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._read_as_for_others()
        return super().post(request, *args, **kwargs)

    def _read_as_for_others(self) -> None:
        if "user_id" not in self._process.state:
            pending.read_nobody()

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        is_known = self._process.email_address.user_id is None
        if is_known:
            pending.read_nobody()  # before the limit, which ends it with an exception
        answer = super()._resend_form_valid(form)
        if is_known:
            get_adapter().send_account_already_exists_mail(self._process.email)
        return answer


class ConfirmResetCode(allauth_views.ConfirmPasswordResetCodeView):
    """allauth's page, with the same work where nobody waits for that code."""

    def form_invalid(self, form: Any) -> HttpResponse:
        answer = super().form_invalid(form)
        if "user_id" not in self._process.state:
            pending.read_nobody()
        return answer


def _join(request: HttpRequest, invitation: people.Invitation) -> HttpResponse:
    """For somebody who signs in here already: sign in, then one button."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if request.method != "POST":
        page = "join" if request.user.email == invitation.email else "somebody_else"
        return render(request, f"invitation/{page}.html", {"invitation": invitation})
    try:
        people.join(invitation, acting_user=request.user)
    except NotAllowed:
        return render(request, "invitation/gone.html", status=404)
    access.keep_session(request, request.user)
    return redirect(_arrival(invitation))


def _arrival(invitation: people.Invitation) -> str:
    """Where an invitation leads: members to their customer, staff to the console."""
    if invitation.customer is None:
        return reverse("console:overview")
    return reverse("customer:dashboard", args=[invitation.customer.public_id])


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Staff and members accept: name and password. Staff then owe the second factor (SecondFactorMiddleware)."""
    agency = access.agency_of(request)
    assert agency is not None  # this URL exists on agency hosts only
    invitation = people.open_invitation(agency=agency, token=token)
    if invitation is None:
        return render(request, "invitation/gone.html", status=404)
    if people.has_sign_in(invitation):
        return _join(request, invitation)
    form = AcceptInvitationForm(request.POST or None, email=invitation.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "invitation/accept.html", {"form": form, "invitation": invitation})
    try:
        person = people.accept_invitation(invitation, **form.cleaned_data)
    except NotAllowed:
        return render(request, "invitation/gone.html", status=404)
    return perform_login(request, person, email_verification="none", redirect_url=_arrival(invitation))
