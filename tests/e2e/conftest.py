from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.local import serve
from tests.e2e.journey import Journey
from tests.e2e.org import show_fields


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


@pytest.fixture
def visible(applied: Journey) -> Journey:
    """Give an applied project whose fields the administrator sees; otherwise none of them is deleted unasked."""
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        show_fields(org)
    return applied
