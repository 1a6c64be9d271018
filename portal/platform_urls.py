"""What the platform host answers: operators' sign-in and pages, and on a local installation the demo's inbox."""

from django.conf import settings
from django.urls import include, path
from django.views.defaults import page_not_found

from portal.admin import operator_site
from portal.views import customers, demo, own

handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.forbidden"
handler404 = "portal.views.errors.not_found"
handler500 = "portal.views.errors.server_error"

urlpatterns = [
    path("", customers.home, name="home"),
    # Nobody signs up with the operator; the name stays, because allauth's pages link it.
    path("account/signup/", page_not_found, {"exception": None}, name="account_signup"),
    path("account/profile/", own.profile, name="profile"),
    path("account/", include("allauth.urls")),
    path("operator/", operator_site.urls),
]

if settings.DEPLOYMENT == "local":
    urlpatterns.append(path("demo/", demo.inbox, name="demo_inbox"))
