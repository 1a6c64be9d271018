"""What managers see of their own agency."""

from accounts.models import Agency, Host


def hosts_of(agency: Agency) -> list[Host]:
    """The host names that answer for the agency, the one in its links first."""
    return list(agency.hosts.order_by("-is_canonical", "name"))
