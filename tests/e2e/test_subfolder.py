"""A command in a subfolder of a project uses that project and its local org."""

from __future__ import annotations

import pytest

from tests.e2e.journey import Journey


@pytest.fixture
def inner(applied: Journey) -> Journey:
    """Return a folder below an applied project."""
    folder = applied.folder / "docs" / "guide"
    folder.mkdir(parents=True)
    return Journey(folder, applied.environ)


def test_the_config_above_is_used_and_named(inner: Journey) -> None:
    planned = inner.run("plan", "--detailed-exitcode")
    assert planned.code == 0, "the same local org, in which everything is applied"
    assert "Using ../../config/sfcode.yaml\n" in planned.err
    assert "Using" not in inner.run("--quiet", "validate").err
    assert inner.run("--json", "validate").json["status"] == 0
    assert [*inner.folder.iterdir()] == []


def test_positions_are_relative_to_the_subfolder(applied: Journey, inner: Journey) -> None:
    applied.edit("mappings/contact.yaml", "object: Contact", "object: Nobody")
    assert "../../config/mappings/contact.yaml:" in inner.run("validate").err


def test_an_import_does_not_write_to_the_folder_above(inner: Journey) -> None:
    words = ("--org", "env:NOWHERE", "import")
    assert "A config already exists" in inner.run("--config", "../../config", *words).err
    result = inner.run(*words)
    assert result.code == 1
    assert "NOWHERE_" in result.err, "it goes on to the org"
