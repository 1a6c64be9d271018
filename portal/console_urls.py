"""What staff reach under /console/ on their agency's host."""

from django.urls import path

from portal.views.console import customers, packages

urlpatterns = [
    path("", customers.customers, name="overview"),
    path("customers/", customers.customers, name="customers"),
    path("packages/", packages.packages, name="packages"),
    path("packages/new/", packages.new, name="package-new"),
    path("packages/<uuid:package>/", packages.package, name="package"),
    path("packages/<uuid:package>/archive/", packages.archive, name="package-archive"),
    path("packages/<uuid:package>/restore/", packages.restore, name="package-restore"),
    path("packages/<uuid:package>/move/", packages.move, name="package-move"),
]
