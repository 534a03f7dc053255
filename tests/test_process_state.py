"""A test finds the same state of the process whatever ran before it in this process."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import structlog

from sfcode.relay import log
from tests.process_state import process_state_restored


def _state() -> dict[str, Any]:
    return {
        "folder": Path.cwd(),
        "environment": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "time zone": time.localtime(0).tm_hour,
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
        "levels": (logging.getLogger().level, logging.getLogger("sfcode").level),
        "handlers": logging.getLogger().handlers[:],
        "structlog": {name: str(value) for name, value in structlog.get_config().items() if name != "processors"},
        "context": structlog.contextvars.get_contextvars(),
        "switch": sys.getswitchinterval(),
    }


@pytest.fixture(scope="module")
def states() -> list[dict[str, Any]]:
    """Collect the process state that each of two tests finds."""
    return []


@pytest.mark.parametrize("name", ["first", "second"])
def test_changes_of_the_process_are_restored_before_the_next_test(states, tmp_path, name):
    states.append(_state())
    assert states[-1] == states[0]
    os.chdir(tmp_path)
    os.environ.update({"TZ": "Asia/Tokyo", "SFCODE_ORG": "left behind"})
    time.tzset()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    log.configure(io.StringIO(), verbose=True)
    structlog.contextvars.bind_contextvars(request="left behind")
    sys.setswitchinterval(1.0)
    changed = _state()
    assert all(changed[key] != states[0][key] for key in changed)


def test_the_time_zone_is_restored_if_its_variable_was_restored_before(monkeypatch):
    before = time.localtime(0).tm_hour
    with process_state_restored(), monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert time.localtime(0).tm_hour != before
    assert time.localtime(0).tm_hour == before
