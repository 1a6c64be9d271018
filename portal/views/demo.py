"""Local installations only: the mails that were sent, and what a newcomer needs to sign in."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal import demo_inbox


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    if settings.DEPLOYMENT != "local":
        raise Http404
    context = {
        "mails": demo_inbox.mails(),
        "codes": demo_inbox.codes(),
        "sign_ins": demo_inbox.sign_ins(),
        "agencies": demo_inbox.agencies(),
    }
    return render(request, "demo/inbox.html", context)
