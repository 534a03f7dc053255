"""
The state that all tests of a process share, and which is restored after each test.

It consists of the environment, the current folder, the time zone, signal handlers, logging, and settings of threads and
garbage collection. Commands of sfcode change this state on purpose, since a command has its own process. Many tests run
in one process, and pytest-xdist distributes them differently in each run.
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
    """Restore at the end of the block the state of the process that the block has changed."""
    environ, folder = _environment(), os.getcwd()  # noqa: PTH109
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    loggers = [logging.getLogger(name) for name in LOGGERS]
    logs = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    zone, switch = _zone(), sys.getswitchinterval()
    collection = gc.get_threshold()
    try:
        yield
    finally:
        os.chdir(folder)
        if (changed := _environment()) != environ:
            for name in changed.keys() - environ.keys():
                del os.environ[name]
            os.environ.update(environ)
        if _zone() != zone:  # also if the test has restored the variable, but not called tzset
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


def _zone() -> tuple[object, ...]:
    return time.tzname, time.timezone, time.altzone


def _environment() -> dict[str, str]:
    """Copy the environment, without the variable that pytest sets before each phase of a test."""
    environ = dict(os.environ)
    environ.pop("PYTEST_CURRENT_TEST", None)
    return environ
