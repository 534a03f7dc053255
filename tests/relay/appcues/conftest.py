from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.appcues.desk import Desk, opened


@pytest.fixture
def desk(tmp_path: Path, sqlite_inbox_url: str) -> Iterator[Desk]:
    with opened(tmp_path, sqlite_inbox_url) as desk:
        yield desk
