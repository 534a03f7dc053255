from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.projects import FILES, Repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Return a repository with the small project on main, as the current folder."""
    new_repository = Repository(tmp_path / "repository")
    new_repository.commit(FILES)
    monkeypatch.chdir(new_repository.root)
    return new_repository
