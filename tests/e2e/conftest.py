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
    """Return a project that was not applied yet."""
    return Journey.start(tmp_path)


@pytest.fixture
def applied(journey: Journey, prepared: Path) -> Journey:
    """Return a project that is applied to its local org."""
    shutil.copytree(prepared / "applied" / ".sfcode", journey.folder / ".sfcode")
    return journey


@pytest.fixture
def visible(journey: Journey, prepared: Path) -> Journey:
    """Return an applied project whose fields the administrator can read, so that they can be deleted."""
    shutil.copytree(prepared / "visible" / ".sfcode", journey.folder / ".sfcode")
    return journey


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the projects with their orgs once: not applied, applied, and applied with readable fields."""
    folder = tmp_path_factory.mktemp("starts")
    new, applied, visible = (folder / name for name in ("new", "applied", "visible"))
    new.mkdir()
    Journey.start(new)
    with serve(new / ".sfcode" / "local-org"):
        pass
    shutil.copytree(new, applied)
    result = Journey(applied).apply()
    assert result.code == 0, result.err
    shutil.copytree(applied, visible)
    with serve(visible / ".sfcode" / "local-org") as org:
        show_fields(org)
    return folder


@pytest.fixture(scope="session")
def starts(prepared: Path) -> Callable[[str, Path], Journey]:
    """Return a function that copies one of the prepared projects with its org: new, applied or visible."""

    def start(name: str, to: Path) -> Journey:
        shutil.copytree(prepared / name, to)
        return Journey(to)

    return start
