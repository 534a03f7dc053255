from __future__ import annotations

import shutil
from collections.abc import Callable
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


@pytest.fixture(scope="session")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Journey]:
    """Give a function that makes a project with its org: one that nobody applied, one applied, one whose fields are seen."""
    folder = tmp_path_factory.mktemp("starts")
    new, applied, visible = (folder / name for name in ("new", "applied", "visible"))
    new.mkdir()
    Journey.start(new)
    with serve(new / ".sfcode" / "local-org"):
        pass
    shutil.copytree(new, applied)
    assert Journey(applied).apply().code == 0
    shutil.copytree(applied, visible)
    with serve(visible / ".sfcode" / "local-org") as org:
        show_fields(org)

    def start(name: str, to: Path) -> Journey:
        shutil.copytree(folder / name, to)
        return Journey(to)

    return start
