from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.appcues.appcues_relay import AppcuesRelay, opened


@pytest.fixture
def relay(tmp_path: Path, sqlite_inbox_url: str) -> Iterator[AppcuesRelay]:
    with opened(tmp_path, sqlite_inbox_url) as relay:
        yield relay
