"""What the platform host answers: operators' sign-in and pages, and on a local installation the demo's inbox."""

from django.conf import settings
from django.urls import include, path
from django.views.defaults import page_not_found

from portal.admin import operator_site
from portal.views import customers, demo, operator, own, people, personal_data

handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.forbidden"
handler404 = "portal.views.errors.not_found"
handler500 = "portal.views.errors.server_error"

operator_patterns = [
    path("", operator.agencies, name="overview"),
    path("health/", operator.health, name="health"),
    path("events/", operator.events, name="events"),
    path("agencies/new/", operator.new_agency, name="agency-new"),
    path("agencies/<uuid:agency>/", operator.agency, name="agency"),
    path("agencies/<uuid:agency>/stop/", operator.stop, name="agency-stop"),
    path("agencies/<uuid:agency>/resume/", operator.resume, name="agency-resume"),
    path("agencies/<uuid:agency>/differences/", operator.differences, name="differences"),
    path("agencies/<uuid:agency>/limits/", operator.limits, name="limits"),
    path("agencies/<uuid:agency>/view-as/", operator.view_as, name="view-as"),
    path("agencies/<uuid:agency>/hosts/", operator.hosts, name="hosts"),
    path("agencies/<uuid:agency>/hosts/<int:host>/remove/", operator.host_remove, name="host-remove"),
    path("agencies/<uuid:agency>/hosts/<int:host>/main/", operator.host_main, name="host-main"),
]

urlpatterns = [
    path("", customers.home, name="home"),
    # Nobody signs up with the operator; the name stays, because allauth's pages link it.
    path("account/signup/", page_not_found, {"exception": None}, name="account_signup"),
    path("account/profile/", own.profile, name="profile"),
    path("account/data/", personal_data.own, name="own-data"),
    path("account/data/erase/", personal_data.own_erase, name="own-erase"),
    path("account/confirm-email/", people.ConfirmCode.as_view(), name="account_email_verification_sent"),
    path(
        "account/password/reset/confirm/",
        people.ConfirmResetCode.as_view(),
        name="account_confirm_password_reset_code",
    ),
    path("account/", include("allauth.urls")),
    path("operator/all/", operator_site.urls),
    path("operator/", include((operator_patterns, "operator"))),
]

if settings.DEPLOYMENT == "local":
    urlpatterns.append(path("demo/", demo.inbox, name="demo_inbox"))
