"""The hooks for pre-commit: each runs a command on its files, and fails if there are problems."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.programs import run

ROOT = Path(__file__).resolve().parents[1]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def start(hook: dict[str, Any], folder: Path):
    """Run a hook like pre-commit: with the names of its files, unless the hook takes none."""
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [name for name in names if re.search(hook["files"], name)]
    assert files
    program, *words = hook["entry"].split()
    assert program == "sfcode"
    return run(*words, *(files if hook.get("pass_filenames", True) else ()), cwd=folder)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_passes_on_a_good_project_and_fails_on_a_broken_one(hook, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    good = start(hook, tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    (tmp_path / "config/mappings/contact.yaml").write_text("object: [\n", encoding="utf-8")
    failure = start(hook, tmp_path)
    assert failure.returncode == 1
    assert "contact.yaml:" in failure.stderr


def test_the_formatting_hook_takes_the_files_of_a_project_alone():
    pattern = next(hook["files"] for hook in HOOKS if hook["id"] == "sfcode-fmt")
    matching_files = [
        name
        for name in (
            "config/sfcode.yaml",
            "events.yaml",
            "recipes.yaml",
            "x/mappings/a.yaml",
            "mappings/sub/a.yaml",
            "other.yaml",
            "a.yml",
        )
        if re.search(pattern, name)
    ]
    assert matching_files == ["config/sfcode.yaml", "events.yaml", "recipes.yaml", "x/mappings/a.yaml"]
