"""Where the config of a project is found: here, or in a folder above, up to the top of the git work tree."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sfcode.config.files import find_config
from sfcode.errors import UsageError


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes a file with its folders, and returns its folder."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
        return path.parent

    return make


def test_a_config_in_the_current_folder_precedes_one_above(make: Callable[[str], Path]) -> None:
    make("config/sfcode.yaml")
    inner = make("inner/config/sfcode.yaml").parent
    assert find_config(inner) == Path("config")
    assert find_config(inner / "config") == Path("..", "config")


def test_a_config_is_found_from_its_own_folders_and_from_folders_beside_it(make: Callable[[str], Path]) -> None:
    make("config/sfcode.yaml")
    assert find_config(make("config/mappings/contact.yaml")) == Path("..", "..", "config")
    assert find_config(make("docs/guide/page.md")) == Path("..", "..", "config")


@pytest.mark.parametrize("file_name", ["config/sfcode.yml", "config/mappings/contact.yaml"])
def test_a_config_without_settings_is_used_and_not_one_above(make: Callable[[str], Path], file_name: str) -> None:
    make("config/sfcode.yaml")
    make(f"inner/{file_name}")
    assert find_config(make("inner/page.md")) == Path("config")


def test_a_folder_named_config_of_another_tool_is_ignored(make: Callable[[str], Path]) -> None:
    make("config/sfcode.yaml")
    make("web/config/webpack.js")
    assert find_config(make("web/page.md")) == Path("..", "config")


@pytest.mark.parametrize("marker", [".git/HEAD", ".git"])
def test_the_search_ends_at_the_top_of_the_work_tree(make: Callable[[str], Path], marker: str) -> None:
    make("config/sfcode.yaml")
    make(f"inner/{marker}")
    assert find_config(make("inner/docs/page.md")) == Path("config")
    make("inner/config/sfcode.yaml")
    assert find_config(make("inner/docs/page.md")) == Path("..", "config")


def test_a_config_above_of_another_user_is_not_used(
    make: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    top = make("config/sfcode.yaml").parent
    if os.getuid() == 0:
        os.chown(top / "config" / "sfcode.yaml", 1, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: -1)
    assert find_config(top) == Path("config")
    with pytest.raises(UsageError, match=r"belongs to another user[^-]*Pass --config \.\./config to use it"):
        find_config(make("docs/page.md"))
