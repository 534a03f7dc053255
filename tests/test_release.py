"""The checks of a release, and the action that other repositories use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import sfcode
from scripts.release import check, main, notes_of
from tests.programs import search_path

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n- b\n\n## [1.2.0] - 2026-01-01\n\n### Added\n\n- a\n\n## [1.1.0] - 2025-01-01\n\n- c\n"


def load(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("version", "notes"), [("1.2.0", "### Added\n\n- a"), ("1.1.0", "- c"), ("Unreleased", "- b"), ("1", "")]
)
def test_the_notes_of_a_version_are_its_section(version, notes):
    assert notes_of(version, CHANGELOG) == notes


@pytest.mark.parametrize(
    ("tag", "version", "problems"),
    [
        ("v1.2.0", "1.2.0", []),
        ("1.2.0", "1.2.0", ["The tag is 1.2.0"]),
        ("v1.2.0", "1.2.1", ["The tag is v1.2.0", "CHANGELOG.md has no section [1.2.1]"]),
        ("v1.3.0", "1.3.0", ["CHANGELOG.md has no section [1.3.0]"]),
    ],
)
def test_a_tag_names_the_version_and_a_section_of_the_changelog(tag, version, problems):
    messages = check(tag, f'__version__ = "{version}"\n', CHANGELOG)
    assert [text.startswith(start) for text, start in zip(messages, problems, strict=True)] == [True] * len(problems)


def test_the_version_of_today_could_be_tagged(capsys):
    assert main("notes", f"v{sfcode.__version__}") == 0
    assert "### Added" in capsys.readouterr().out
    assert main("check", "v0.0.0") == 1
    assert "tag v" in capsys.readouterr().err


def test_the_action_has_the_outputs_of_the_one_that_init_writes():
    assert load("action.yml")["outputs"] == load(".github/actions/sfcode/action.yml")["outputs"]


def test_the_action_installs_its_own_checkout_and_no_name_of_an_index():
    install = next(step["run"] for step in load("action.yml")["runs"]["steps"] if step.get("name") == "Install sfcode")
    words = subprocess.run(
        ["bash", "-c", install.replace("python -I -m pip", "printf '%s\\n'")],
        env={**os.environ, "GITHUB_ACTION_PATH": "/action", "EXTRAS": "relay"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [word for word in words if not word.startswith("-")] == ["install", "/action[relay]"]


def test_the_action_runs_a_command_in_its_folder(tmp_path):
    step = load("action.yml")["runs"]["steps"][-1]
    (tmp_path / "project").mkdir()
    output = tmp_path / "output"
    process = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path / "project",
        env={
            **os.environ,
            "PATH": search_path(),
            "COMMAND": "schema  mapping",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert '"title": "Mapping"' in process.stdout


def files_without_address(folder: Path) -> set[str]:
    """List the files that contain the placeholder of the repository's address."""
    listing = subprocess.run(
        ["git", "grep", "-l", "OWNER/sfcode"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert listing.returncode in (0, 1), listing.stderr
    # In messages of `init` and in tests, the placeholder is an example of any address.
    return {name for name in listing.stdout.splitlines() if not name.startswith(("sfcode/scaffold/", "tests/"))}


def test_one_block_of_commands_writes_the_address_of_the_repository(tmp_path):
    names = files_without_address(ROOT)
    if "urls" in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]:
        assert names == set(), "the block was run, and these files were not rewritten"
        return
    page = (ROOT / "docs/releasing.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"<!-- run: address -->\n  ```sh\n(.*?)^  ```$", page, re.MULTILINE | re.DOTALL)
    assert len(names) > 5
    for name in (*names, "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    script = f"git init -q && git add . && {commands}"
    subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert files_without_address(tmp_path) == set()
    for name in names:
        assert "your-name/sfcode" in (tmp_path / name).read_text(encoding="utf-8"), name
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"] == {"Source": "https://github.com/your-name/sfcode"}
    assert project["name"] == "sfcode"
