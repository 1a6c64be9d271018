"""Tests of a production installation as it really runs: several processes, behind a proxy that does https."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment import certificates, front, production
from tests.deployment.world import NORTH, PLATFORM, SOUTH, UNKNOWN


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.production)


@pytest.fixture(scope="session")
def installation() -> Iterator[production.Production]:
    with production.production() as running:
        yield running


@pytest.fixture(scope="session")
def authority_and_front(
    installation: production.Production, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, front.Front]]:
    """The certificate to trust, and the https proxy."""
    folder = tmp_path_factory.mktemp("certificates")
    authority, pair = certificates.write(folder, [PLATFORM, NORTH, SOUTH, UNKNOWN])
    with front.running(installation.port, pair) as running:
        yield authority, running
