"""What staff reach under /console/ on their agency's host."""

from django.urls import path

from portal.views.console import customers

urlpatterns = [
    path("", customers.customers, name="overview"),
    path("customers/", customers.customers, name="customers"),
]
