"""
`make pytest` runs the kill test beside the other tests, and runs failed tests once more, alone.

make is real, and a program replaces pytest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

KILL = "-m pytest --quiet -p no:cacheprovider tests/relay/e2e/test_kill.py"
OTHERS = "-m pytest --quiet --numprocesses 4 --ignore tests/relay/e2e/test_kill.py"
AGAIN = "-m pytest --last-failed --last-failed-no-failures none"

PROGRAM = """#!/bin/sh
case "$*" in
  *--ignore*) name=others ;;
  *--last-failed*) name=again ;;
  *) name=kill; until [ -e ended ]; do sleep 0.01; done ;;
esac
echo "$*" >> calls
[ $name = kill ] || touch ended
[ -z "$PYTHONDONTWRITEBYTECODE" ] || exit 3
exit "$(cat $name)"
"""
"""
A replacement for pytest: its kill test runs until the other tests have ended, and a run fails if Python may not write
bytecode.
"""


@pytest.mark.parametrize(
    ("codes", "passed"),
    [
        pytest.param({"kill": 0, "others": 0}, True, id="all pass"),
        pytest.param({"kill": 0, "others": 1, "again": 0}, True, id="one passes alone"),
        pytest.param({"kill": 0, "others": 1, "again": 1}, False, id="one fails again"),
        pytest.param({"kill": 0, "others": 1, "again": 5}, False, id="what failed is not found again"),
        pytest.param({"kill": 0, "others": 2}, False, id="interrupted"),
        pytest.param({"kill": 0, "others": 3}, False, id="pytest itself failed"),
        pytest.param({"kill": 1, "others": 0}, False, id="a message was lost"),
        pytest.param({"kill": 1, "others": 1, "again": 0}, False, id="a message was lost, and one passes alone"),
    ],
)
def test_a_run_fails_if_a_test_fails_again(root: Path, tmp_path: Path, codes, passed) -> None:
    for name in ("pyproject.toml", "requirements/dev.txt", "scripts/venv.sh", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(PROGRAM)
        (tmp_path / name).chmod(0o755)
    stamps = ".venv/.ready .cache/sf/.ready .cache/cci/.ready"
    for name, code in codes.items():
        (tmp_path / name).write_text(f"{code}\n")
    shutil.copy(root / "Makefile", tmp_path)
    marks = [option for path in stamps.split() for option in ("--assume-old", path)]
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.run(
        ["make", *marks, "pytest"],
        check=False,
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    calls = (tmp_path / "calls").read_text().splitlines()
    assert sorted(calls) == sorted([KILL, OTHERS, *([AGAIN] if "again" in codes else [])])
    assert (process.returncode == 0) is passed, process.stderr
