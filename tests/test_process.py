from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sfcode.process import is_running


def test_a_process_counts_as_running_until_it_is_waited_for():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_running(process.pid)
    assert not is_running(process.pid)


def test_this_process_and_those_of_others_run():
    assert is_running(os.getpid())
    assert is_running(1)


@pytest.mark.parametrize("pid", [0, -1])
def test_no_process_has_an_id_below_one(pid):
    """The operating system uses these numbers for groups of processes."""
    assert not is_running(pid)
