"""
Git repositories of any structure are read through GitPython without running programs of the repository.

Errors have messages with hints.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sfcode.git import GitFailed, describe_revision, find_pushed_commit, open_repository

Git = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a repository with one commit."""
    top = tmp_path / "repository"
    (top / "config").mkdir(parents=True)
    (top / "config" / "sfcode.yaml").write_text("version: 1\n", encoding="utf-8")
    run(top, "init", "--quiet", "--initial-branch=main")
    commit(top)
    return top


def run(folder: Path, *words: str) -> str:
    process = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return process.stdout.strip()


def read_head(folder: Path) -> str:
    """Read the commit of the only branch from its file, without git."""
    return (folder / ".git" / "refs" / "heads" / "main").read_text(encoding="ascii").strip()


def commit(folder: Path) -> str:
    run(folder, "add", "--all")
    person = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    run(folder, *person, "commit", "--quiet", "--allow-empty", "--message", "A change")
    return run(folder, "rev-parse", "HEAD")


def test_the_revision_of_a_folder_is_its_commit(folder: Path) -> None:
    assert describe_revision(folder) == run(folder, "rev-parse", "HEAD")


def test_the_revision_is_dirty_when_the_folder_itself_differs(folder: Path) -> None:
    head = run(folder, "rev-parse", "HEAD")
    (folder / "elsewhere").write_text("", encoding="utf-8")
    assert describe_revision(folder / "config") == head
    (folder / "config" / "new.yaml").write_text("", encoding="utf-8")
    assert describe_revision(folder / "config") == f"{head}-dirty"


def test_a_branch_that_follows_another_has_a_revision_too(folder: Path, tmp_path: Path) -> None:
    """The output of git has more lines for such a branch: the branch that it follows, and the number of commits ahead."""
    run(tmp_path, "clone", "--quiet", str(folder), "clone")
    clone = tmp_path / "clone"
    run(clone, "config", "status.showStash", "true")
    run(clone, "config", "status.aheadBehind", "true")
    assert describe_revision(clone) == run(folder, "rev-parse", "HEAD")


def test_the_revision_is_read_without_gitpython(folder: Path) -> None:
    code = f"import sys, pathlib, sfcode.git as g; print(g.describe_revision(pathlib.Path({str(folder)!r})), 'git' in sys.modules)"
    head = run(folder, "rev-parse", "HEAD")
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == [head, "False"]


def test_there_is_no_revision_without_a_commit_or_outside_of_git(tmp_path: Path) -> None:
    assert describe_revision(tmp_path) is None
    run(tmp_path, "init", "--quiet")
    assert describe_revision(tmp_path) is None


def test_without_the_git_program_there_is_no_revision_and_a_review_reports_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert describe_revision(folder) is None
    with pytest.raises(GitFailed, match="program git was not found") as failed:
        open_repository(folder)
    assert "Install git" in failed.value.hint


@pytest.mark.parametrize("read", [describe_revision, open_repository, find_pushed_commit])
def test_programs_configured_in_a_repository_are_not_run(
    folder: Path, tmp_path: Path, read: Callable[[Path], object]
) -> None:
    """The clone of a foreign repository can configure programs and contain hooks."""
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n", encoding="utf-8")
    trap.chmod(0o755)
    run(folder, "config", "core.fsmonitor", str(trap))
    hook = folder / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(trap.read_text(encoding="utf-8"), encoding="utf-8")
    hook.chmod(0o755)
    os.utime(folder / "config" / "sfcode.yaml", (1, 1))
    with contextlib.suppress(GitFailed):  # raised since the commit is not pushed
        read(folder)
    assert not sprung.exists()


def test_the_configured_program_would_run_without_the_protection(folder: Path, tmp_path: Path) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n", encoding="utf-8")
    trap.chmod(0o755)
    run(folder, "config", "core.fsmonitor", str(trap))
    run(folder, "status")
    assert sprung.exists()


def test_a_shallow_clone_is_known_as_one(folder: Path, tmp_path: Path) -> None:
    commit(folder)
    clone = tmp_path / "clone"
    run(tmp_path, "clone", "--quiet", "--depth=1", folder.as_uri(), str(clone))
    repository = open_repository(clone / "config")
    assert (repository.top, repository.bare, repository.shallow) == (clone, False, True)
    with pytest.raises(GitFailed, match="There is no commit HEAD~1") as failed:
        repository.resolve_commit("HEAD~1")
    assert "fetch-depth: 0" in failed.value.hint
    assert open_repository(folder).shallow is False
    assert describe_revision(clone) == run(clone, "rev-parse", "HEAD")


def test_the_environment_of_a_hook_is_ignored_and_not_changed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert open_repository(folder).top == folder
    assert describe_revision(folder) == read_head(folder)
    assert (os.environ["GIT_DIR"], os.environ["GIT_WORK_TREE"]) == (str(tmp_path / "other"), str(tmp_path))


def test_a_repository_of_another_user_is_refused_with_gits_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitFailed, match="dubious ownership"):
        open_repository(folder)
    assert describe_revision(folder) is None
