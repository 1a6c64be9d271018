"""What a POST of each URL carries so that it does something."""

from datetime import date, timedelta
from typing import Any

from tests.access.world import Things


def sent(name: str, things: Things) -> dict[str, Any]:
    """The fields for the URL of that name, sent by somebody whose own things these are."""
    package = {
        "name": "New",
        "currency": "EUR",
        "trial_days": "0",
        "vendor_package_id": "pac_9",
        "who": "everybody",
    }
    fields: dict[str, dict[str, Any]] = {
        "customer:launch": {"page": "update_campaign", "campaign": things.campaign},
        "customer:invite": {"email": "h@h.example", "role": "viewer"},
        "customer:member": {"do": "suspend"},
        "console:customer-launch": {"reason": "To look at a coupon.", "page": "campaigns"},
        "console:customer-note": {"text": "hello"},
        "console:customer-pause": {"message": "hello"},
        "console:customer-close": {"message": "hello", "confirm": things.customer.company_name},
        "console:customer-extend": {"last_day": date.today() + timedelta(days=30), "reason": "They asked."},
        "console:customer-package": {"package": things.other_package.public_id},
        "console:customer-choose": {"do": "retry"},
        "console:customer-new": {
            "company_name": "New",
            "first_name": "N",
            "last_name": "N",
            "email": "n@new.example",
            "country": "NL",
            "package": things.package.public_id,
        },
        "console:customer-invite": {"email": "h@h.example", "role": "viewer"},
        "console:customer-person-erase": {"confirm": things.colleague.email},
        "console:staff-erase": {"confirm": things.colleague.email},
        "console:panel": {"as": "teammate"},
        "console:package-new": package,
        "console:package": package,
        "console:package-move": {"direction": "down"},
        "console:brand": {
            "name": things.agency.name,
            "product_name": "Changed",
            "support_email": "s@north.example",
            "language": "en",
            "colour": "#0b7a75",
            "grey": "cool",
            "corner": "8",
        },
        "console:connection-pair-new": {"client_id": "another-id", "client_secret": "another-secret"},
        "console:connection-pair": {"do": "check"},
        "console:staff-invite": {"email": "h@h.example", "role": "analyst"},
        "console:staff-person": {"do": "end_sessions"},
        "console:staff-second-factor": {"reason": "They lost their telephone."},
        "console:staff-teammate": {"teammate_id": "4711"},
        "profile": {"first_name": "Changed", "last_name": "Name", "language": "nl"},
        "operator:limits": {"customer_limit": "7", "daily_creates": "7"},
        "operator:hosts": {"name": "another.localhost"},
        "operator:agency-new": {"name": "Third", "host": "third.localhost", "owner_email": "o@third.example"},
        "operator:agency-stop": {"reason": "Because of a test."},
        "operator:view-as": {"person": things.colleague.pk, "reason": "To help."},
    }
    return fields.get(name, {})
