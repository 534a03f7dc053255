from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.relay.salesforce.world import World, applied


@pytest.fixture(scope="package")
def applied_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Create an org with the applied config of the repository, once."""
    with applied(tmp_path_factory.mktemp("salesforce")) as world:
        yield world


@pytest.fixture
def world(applied_world: World) -> Iterator[World]:
    """Return the org in its initial state."""
    yield applied_world
    applied_world.clean()
