from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.appcues.account import Appcues, serving


@pytest.fixture
def appcues(tmp_path: Path) -> Iterator[Appcues]:
    """Serve a new account without a rate limit."""
    with serving(tmp_path / "state", rate=None) as appcues:
        yield appcues
