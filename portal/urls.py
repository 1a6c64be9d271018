"""What an agency's host answers."""

from django.urls import include, path

from portal import console_urls
from portal.views import brand, customers, members, own, people, personal_data, view_as

handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.forbidden"
handler404 = "portal.views.errors.not_found"
handler500 = "portal.views.errors.server_error"

customer_patterns = (
    [
        path("", customers.dashboard, name="dashboard"),
        path("setup/", customers.setup, name="setup"),
        path("launch/", customers.launch, name="launch"),
        path("password-link/", customers.password_link, name="password-link"),
        path("open/<slug:page>/", customers.open_page, name="open"),
        path("open/<slug:page>/<slug:campaign>/", customers.open_page, name="open-campaign"),
        path("people/", members.members, name="people"),
        path("people/invite/", members.invite, name="invite"),
        path("people/<uuid:person>/", members.member, name="member"),
        path("people/<uuid:person>/hand-over/", members.hand_over, name="member-hand-over"),
        path("people/invitations/<uuid:invitation>/resend/", members.resend, name="invitation-resend"),
        path("people/invitations/<uuid:invitation>/withdraw/", members.withdraw, name="invitation-withdraw"),
    ],
    "customer",
)

urlpatterns = [
    path("", customers.home, name="home"),
    path("start/", people.start, name="start"),
    path("account/signup/", people.SignUp.as_view(), name="account_signup"),
    path("account/profile/", own.profile, name="profile"),
    path("account/data/", personal_data.own, name="own-data"),
    path("account/data/erase/", personal_data.own_erase, name="own-erase"),
    path("account/activity/", own.activity, name="activity"),
    path("account/confirm-email/", people.ConfirmCode.as_view(), name="account_email_verification_sent"),
    path(
        "account/password/reset/confirm/",
        people.ConfirmResetCode.as_view(),
        name="account_confirm_password_reset_code",
    ),
    path("account/", include("allauth.urls")),
    path("invitation/<str:token>/", people.accept_invitation, name="accept_invitation"),
    path("view-as/end/", view_as.end, name="view_as_end"),
    path("view-as/<str:token>/", view_as.open_view, name="view_as_open"),
    path("c/<uuid:customer>/", include(customer_patterns)),
    path("console/", include((console_urls.urlpatterns, "console"))),
    path("brand/<slug:digest>.css", brand.style_sheet, name="brand_css"),
    path("brand/<slug:digest>.png", brand.logo, name="brand_logo"),
]
