"""
The relay's log: JSON lines on standard error, or formatted lines on a terminal.

Logs contain IDs of messages, and types and positions of errors. The content of a message, its user
and the text of a foreign exception are left out, since they may be personal or secret.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.types import Processor

from sfcode.errors import OrgError, OrgUnreachable, SfcodeError, SignInError
from sfcode.relay.request_context import add_request_id
from sfcode.text import printable

Event = MutableMapping[str, Any]

MOST_IDS = 20
"""The maximum number of message IDs of a batch in a log line."""


class LogLimit:
    """Limits the log lines of one kind per second, so that a flood of requests does not fill the disk."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._second = 0
        self._lines = 0
        self._omitted = 0

    def take(self) -> dict[str, int] | None:
        """Return the fields to add to a line (the number of omitted lines before it); None to omit the line."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines >= self._most:
            self._omitted += 1
            return None
        self._lines += 1
        omitted, self._omitted = self._omitted, 0
        return {"omitted": omitted} if omitted else {}


def configure(stream: TextIO, *, verbose: bool = False) -> None:
    """Send all logs of this process, from structlog and logging, to one stream."""
    terminal = stream.isatty()
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        add_request_id,
        add_error,
        print_safe,
    ]
    structlog.configure(
        # Lines below the level are dropped before any processing.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=True, timestamp_key="time")
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sfcode").setLevel(logging.DEBUG if verbose else logging.INFO)


def add_error(_logger: Any, _method: str, event: Event) -> Event:
    """Replace an exception by its type and position. Only messages of sfcode's own errors are kept."""
    exc_info = event.pop("exc_info", None)
    if not exc_info:
        return event
    error = sys.exception() if exc_info is True else exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event.update(describe_error(error))
    return event


def print_safe(_logger: Any, _method: str, event: Event) -> Event:
    """Escape control characters, so that received data cannot forge log lines or command a terminal."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = printable(value)
        elif isinstance(value, list):
            event[name] = [printable(element) if isinstance(element, str) else element for element in value]
    return event


def describe_error(error: BaseException) -> dict[str, str]:
    """Describe an exception without values that its text may contain."""
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))
    words = {"error": type(error).__name__, "at": place}
    if isinstance(error, SignInError | OrgUnreachable) or (
        isinstance(error, SfcodeError) and not isinstance(error, OrgError)
    ):
        words["message"] = error.message  # texts of sfcode; the text of an org may quote values
    elif isinstance(error, OrgError):
        words["code"] = error.code
    return words


def message_ids(names: list[str]) -> dict[str, Any]:
    """Return the count and the first IDs of a batch."""
    return {"messages": len(names), "ids": names[:MOST_IDS]}
