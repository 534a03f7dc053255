from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.doctor.clinic import Clinic
from tests.e2e.journey import Journey
from tests.org.servers import refusing


@pytest.fixture(scope="session")
def applied_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """
    Apply the repository's own config to a local org once.

    The URL of its relay refuses connections, since the default port may have a relay that no test has started.
    """
    journey = Journey.start(tmp_path_factory.mktemp("applied"))
    with refusing() as url:
        journey.edit("sfcode.yaml", "http://127.0.0.1:8400", url)
        result = journey.apply()
        assert result.code == 0, result.err
        yield journey.folder


@pytest.fixture
def clinic(applied_once: Path, tmp_path: Path) -> Clinic:
    """Return a copy of an applied project and its org."""
    shutil.copytree(applied_once, tmp_path / "project")
    return Clinic(tmp_path / "project")
