"""Every endpoint of the client. The resources declare them and call with them, so this list is what is really called.

for endpoint in ENDPOINTS:
    print(endpoint.name, endpoint.http_method, endpoint.path, endpoint.dialect, endpoint.evidence, endpoint.source)
"""

from coupontools_api import (
    account,
    campaigns,
    directories,
    directories_v4,
    loyalty,
    loyalty_v4,
    messages,
    sessions,
    single_use,
    subaccounts,
    teammates,
    webhooks,
)
from coupontools_api.endpoints import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    declared
    for resource in (
        account,
        teammates,
        subaccounts,
        campaigns,
        sessions,
        loyalty,
        loyalty_v4,
        directories,
        directories_v4,
        single_use,
        messages,
        webhooks,
    )
    for declared in vars(resource).values()
    if isinstance(declared, Endpoint)
)
