"""Test infrastructure: forked programs, and the order in which workers run tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import schedule
from tests.programs import Program, run, search_path
from tests.waiting import PATIENCE


def test_a_program_has_its_own_folder_environment_streams_and_exit_code(tmp_path: Path) -> None:
    result = run("init", "project", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "project" / "config" / "sfcode.yaml").is_file()
    second_result = run("validate", cwd=tmp_path / "project", env={**os.environ, "SFCODE_ENV": "nowhere"})
    assert second_result.returncode == 1
    assert "nowhere" in second_result.stderr
    assert "nowhere" not in run("validate", cwd=tmp_path / "project").stderr


def test_a_program_that_is_killed_ends_with_the_signal(tmp_path: Path) -> None:
    words = ("local", "serve", "--port", "0", "--json")
    with Program(words, cwd=tmp_path, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith('{"url"')
        assert program.poll() is None
        program.kill()
        assert program.wait(PATIENCE) == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(program.pid, 0)


def test_a_script_finds_the_program_on_its_path_and_takes_it_down_with_it(tmp_path: Path) -> None:
    environ = {**os.environ, "PATH": search_path()}
    command = ["sfcode", "local", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline().startswith(b'{"url"')
        launcher.kill()
        assert launcher.stdout.read() == b"", "its end of the pipe is closed when the program has ended"
    failed = subprocess.run(["sfcode", "nonsense"], env=environ, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "No such command 'nonsense'" in failed.stderr


def test_the_files_that_run_first_exist(root: Path) -> None:
    assert [path for path in schedule.LONG if not (root / path).is_file()] == []


def test_a_long_file_that_is_taken_apart_is_a_unit_for_each_test_and_every_other_file_is_one() -> None:
    scheduler = schedule.LongFirst.__new__(schedule.LongFirst)
    nodes = [f"{path}::TestA::test_{name}" for path in ("tests/e2e/test_cut.py", "tests/x.py") for name in "ab"]
    units = Counter(scheduler._split_scope(node) for node in nodes)
    assert units == {nodes[0]: 1, nodes[1]: 1, "tests/x.py": 2}
