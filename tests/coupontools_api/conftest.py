from collections.abc import Iterator

import pytest

from coupontools_api.client import Coupontools
from coupontools_api.sandbox import Sandbox
from coupontools_api.vendor_findings import PANEL_HOST
from tests.coupontools_api.assumptions import furnish
from tests.coupontools_api.scripted import Vendor, running


@pytest.fixture(scope="session")
def running_script() -> Iterator[Vendor]:
    with running() as vendor:
        yield vendor


@pytest.fixture(scope="session")
def running_panel() -> Iterator[Sandbox]:
    with Sandbox(panel_url=f"https://{PANEL_HOST}") as sandbox:
        yield sandbox


@pytest.fixture
def furnished(running_panel: Sandbox) -> Sandbox:
    """The sandbox with the account that `./run vendor-check` is tried on, at the panel that it expects."""
    running_panel.reset()
    furnish(running_panel)
    return running_panel


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
    with client_of(script, seconds=0.75) as client:
        yield client
