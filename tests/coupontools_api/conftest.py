from collections.abc import Iterator

import pytest

from coupontools_api.client import Coupontools
from tests.coupontools_api.scripted import Vendor, running


@pytest.fixture(scope="session")
def running_script() -> Iterator[Vendor]:
    with running() as vendor:
        yield vendor


@pytest.fixture
def script(running_script: Vendor) -> Iterator[Vendor]:
    """A vendor that answers byte by byte what the test says."""
    yield running_script
    running_script.plays()


@pytest.fixture
def bold(script: Vendor) -> Iterator[Coupontools]:
    """A client of the scripted vendor that makes undocumented calls, too."""
    with Coupontools(
        client_id="id-canary",
        client_secret="client-secret-canary",
        base_url=script.url,
        deadline=0.25,
        list_deadline=0.25,
        allow_undocumented=True,
    ) as client:
        yield client
