"""
What all tests of a process share, put back after each: environment, folder, time zone, signals, logs, the switch of
threads, the search for cycles.

sfcode's commands change some of it on purpose, since a command has its process to itself. Tests run many in one process, and
which of them share one is different in each run of pytest-xdist.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import structlog

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXFSZ, signal.SIGPIPE)
LOGGERS = (None, "sfcode")


@contextlib.contextmanager
def process_state_restored() -> Iterator[None]:
    """Put back at the end of the block what it changed of the state that the process has once."""
    environ, folder = _environment(), os.getcwd()  # noqa: PTH109
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    loggers = [logging.getLogger(name) for name in LOGGERS]
    logs = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    switch = sys.getswitchinterval()
    collection = gc.get_threshold()
    try:
        yield
    finally:
        if os.getcwd() != folder:  # noqa: PTH109
            os.chdir(folder)
        if (changed := _environment()) != environ:
            for name in changed.keys() - environ.keys():
                del os.environ[name]
            os.environ.update(environ)
            if changed.get("TZ") != environ.get("TZ"):
                time.tzset()
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                if signal.getsignal(number) is not handler:
                    signal.signal(number, handler)
        for logger, own_handlers, level in logs:
            logger.handlers[:] = own_handlers
            logger.setLevel(level)
        sys.setswitchinterval(switch)
        gc.set_threshold(*collection)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()


def _environment() -> dict[str, str]:
    """Copy the environment, without what pytest itself writes there before each phase of a test."""
    environ = dict(os.environ)
    environ.pop("PYTEST_CURRENT_TEST", None)
    return environ
