from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.projects import Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a valid config folder, seen from its parent as users do."""
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)
