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


def client_of(script: Vendor, seconds: float) -> Coupontools:
    return Coupontools(
        client_id="id-canary",
        client_secret="client-secret-canary",
        base_url=script.url,
        deadline=seconds,
        list_deadline=seconds,
        allow_undocumented=True,
    )


@pytest.fixture
def bold(script: Vendor) -> Iterator[Coupontools]:
    """A client of the scripted vendor that makes undocumented calls, too. No busy machine reaches its deadline."""
    with client_of(script, seconds=20) as client:
        yield client


@pytest.fixture
def hasty(script: Vendor) -> Iterator[Coupontools]:
    """The same for tests of the deadline itself: on a busy machine even a good answer may come too late for it."""
    with client_of(script, seconds=0.25) as client:
        yield client
