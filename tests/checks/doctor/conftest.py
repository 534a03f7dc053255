from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checks.doctor.clinic import Clinic
from tests.e2e.journey import Journey


@pytest.fixture(scope="session")
def applied_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Apply the repository's own config to a local org once."""
    journey = Journey.start(tmp_path_factory.mktemp("applied"))
    result = journey.apply()
    assert result.code == 0, result.err
    return journey.folder


@pytest.fixture
def clinic(applied_once: Path, tmp_path: Path) -> Clinic:
    """Return a copy of an applied project and its org."""
    shutil.copytree(applied_once, tmp_path / "project")
    return Clinic(tmp_path / "project")
