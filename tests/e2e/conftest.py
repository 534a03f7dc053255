from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.journey import Journey


@pytest.fixture
def journey(tmp_path: Path) -> Journey:
    """Give a project that nobody has applied yet."""
    return Journey.start(tmp_path)


@pytest.fixture
def applied(journey: Journey) -> Journey:
    """Give a project that is applied to its local org."""
    result = journey.apply()
    assert result.code == 0, result.err
    return journey
