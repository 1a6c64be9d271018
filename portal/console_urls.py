"""What staff reach under /console/ on their agency's host."""

from django.urls import path

from portal.views.console import attention, brand, changes, connection, customers, overview, packages, panel, staff

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("attention/", attention.attention_list, name="attention"),
    path("approvals/", attention.approvals, name="approvals"),
    path("approvals/switch/", attention.switch_approval, name="approvals-switch"),
    path("customers/", customers.customers, name="customers"),
    path("customers/export/", customers.export, name="customers-export"),
    path("customers/new/", customers.new, name="customer-new"),
    path("customers/<uuid:customer>/", customers.customer, name="customer"),
    path("customers/<uuid:customer>/note/", customers.note, name="customer-note"),
    path("customers/<uuid:customer>/remind/", customers.remind, name="customer-remind"),
    path("customers/<uuid:customer>/tasks/<uuid:task>/", customers.tick, name="customer-task"),
    path("customers/<uuid:customer>/choose/", attention.choose, name="customer-choose"),
    path("customers/<uuid:customer>/launch/", panel.customers_panel, name="customer-launch"),
    path("customers/<uuid:customer>/link/", changes.link, name="customer-link"),
    path("customers/<uuid:customer>/make-new/", changes.make_new, name="customer-make-new"),
    *(
        path(f"customers/<uuid:customer>/{what}/", changes.change, {"what": what}, name=f"customer-{what}")
        for what in changes.CHANGES
    ),
    path("panel/", panel.own_panel, name="panel"),
    path("packages/", packages.packages, name="packages"),
    path("packages/new/", packages.new, name="package-new"),
    path("packages/<uuid:package>/", packages.package, name="package"),
    path("packages/<uuid:package>/archive/", packages.archive, name="package-archive"),
    path("packages/<uuid:package>/restore/", packages.restore, name="package-restore"),
    path("packages/<uuid:package>/move/", packages.move, name="package-move"),
    path("brand/", brand.brand, name="brand"),
    path("brand/preview/", brand.preview, name="brand-preview"),
    path("brand/preview.css", brand.preview_style_sheet, name="brand-preview-css"),
    path("connection/", connection.connection, name="connection"),
    path("connection/try/", connection.try_now, name="connection-try"),
    path("connection/switches/", connection.switches, name="connection-switches"),
    path("connection/pair/", connection.new_pair, name="connection-pair-new"),
    path("connection/pair/<int:slot>/", connection.pair, name="connection-pair"),
    path("connection/panel-host/", connection.panel_host, name="connection-panel-host"),
    path("staff/", staff.staff, name="staff"),
    path("staff/invite/", staff.invite, name="staff-invite"),
    path("staff/<uuid:person>/", staff.person, name="staff-person"),
    path("staff/<uuid:person>/second-factor/", staff.second_factor, name="staff-second-factor"),
    path("staff/<uuid:person>/hand-over/", staff.hand_over, name="staff-hand-over"),
    path("staff/<uuid:person>/teammate/", staff.teammate, name="staff-teammate"),
    path("staff/invitations/<uuid:invitation>/resend/", staff.resend, name="staff-invitation-resend"),
    path("staff/invitations/<uuid:invitation>/withdraw/", staff.withdraw, name="staff-invitation-withdraw"),
]
