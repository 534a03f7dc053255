"""`make pytest` runs once more, alone, what failed beside other tests; make is real, and a program stands in for pytest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

KILL = "-m pytest --quiet tests/relay/e2e/test_kill.py"
REST = "-m pytest --quiet --numprocesses 3 --ignore tests/relay/e2e/test_kill.py"
AGAIN = "-m pytest --last-failed --last-failed-no-failures none"

PROGRAM = """#!/bin/sh
echo "$*" >> calls
exit "$(sed -n "$(wc -l < calls)p" codes)"
"""


@pytest.mark.parametrize(
    ("codes", "calls", "passed"),
    [
        pytest.param([0, 0], [KILL, REST], True, id="all pass"),
        pytest.param([0, 1, 0], [KILL, REST, AGAIN], True, id="one passes alone"),
        pytest.param([0, 1, 1], [KILL, REST, AGAIN], False, id="one fails again"),
        pytest.param([0, 1, 5], [KILL, REST, AGAIN], False, id="what failed is not found again"),
        pytest.param([0, 2], [KILL, REST], False, id="interrupted"),
        pytest.param([0, 3], [KILL, REST], False, id="pytest itself failed"),
        pytest.param([1], [KILL], False, id="a message was lost"),
    ],
)
def test_a_run_fails_if_a_test_fails_again(root: Path, tmp_path: Path, codes, calls, passed) -> None:
    for name in ("pyproject.toml", "requirements/dev.txt", "scripts/venv.sh", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(PROGRAM)
        (tmp_path / name).chmod(0o755)
    made = ".venv/.ready .cache/sf/.ready .cache/cci/.ready"
    (tmp_path / "codes").write_text("".join(f"{code}\n" for code in codes))
    shutil.copy(root / "Makefile", tmp_path)
    marks = [option for path in made.split() for option in ("--assume-old", path)]
    process = subprocess.run(["make", *marks, "pytest"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert (tmp_path / "calls").read_text().splitlines() == calls
    assert (process.returncode == 0) is passed, process.stderr
