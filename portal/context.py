"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from portal import access


def portal(request: HttpRequest) -> dict[str, Any]:
    """The agency with its brand, the CSP nonce under the name that django-htmx and Django 6 use, the reference."""
    agency = access.agency_of(request)
    return {
        "agency": agency,
        "brand": getattr(agency, "brand", None) if agency else None,
        "product_name": agency.product_name if agency else "Reseller portal",
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "reference": getattr(request, "reference", ""),
        "view_as": getattr(request, "view_as", None),
        "is_local": settings.DEPLOYMENT == "local",
    }
