"""Differences of Windows and macOS: each is supported, or refused with a message."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sfcode.process import is_running, try_lock
from tests.e2e.journey import Journey

POSIX_ONLY = {"fcntl", "grp", "pwd", "resource", "termios"}
"""Modules that Python does not have on Windows."""


def test_no_module_that_windows_needs_imports_what_python_lacks_there(root: Path) -> None:
    importing = set()
    for path in (root / "sfcode").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not any(name in text for name in POSIX_ONLY):
            continue
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if POSIX_ONLY.intersection(names):
                importing.add(path.relative_to(root).as_posix())
    assert not importing


def test_the_relay_says_that_it_does_not_run_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    refused = Journey.start(tmp_path).run("relay", "serve")
    assert (refused.code, refused.out) == (1, "")
    assert "The relay does not run on Windows." in refused.err
    assert "Run it in WSL" in refused.err


def test_on_windows_no_process_is_signaled_to_see_whether_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, os.kill ends a process with any signal."""
    signals: list[Any] = []
    monkeypatch.setattr(os, "kill", lambda *words: signals.append(words))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "psutil", SimpleNamespace(pid_exists=lambda pid: pid == 7))  # type: ignore[misc]
    assert is_running(7)
    assert not is_running(8)
    assert signals == []


def test_a_file_is_locked_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as first, path.open("w") as second:
        assert try_lock(first.fileno())
        assert not try_lock(second.fileno())
        first.close()
        assert try_lock(second.fileno())


def test_on_windows_a_file_is_locked_by_its_own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[tuple[int, int, int]] = []

    def locking(descriptor: int, mode: int, length: int) -> None:
        if locked:
            raise PermissionError(13, "Permission denied")
        locked.append((descriptor, mode, length))

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))  # type: ignore[misc]
    with (tmp_path / "lock").open("w") as file:
        assert try_lock(file.fileno())
        assert locked == [(file.fileno(), 2, 1)]
        assert not try_lock(file.fileno())
