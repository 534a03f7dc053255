from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.projects import FILES, Repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Give a repository with the small project on main, as the current folder."""
    made = Repository(tmp_path / "repository")
    made.commit(FILES)
    monkeypatch.chdir(made.root)
    return made
