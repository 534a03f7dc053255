"""The log has one line for each event, with any names in it."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import structlog

from sfcode.cli.relay.messages import _table
from sfcode.cli.relay.table import TimeFormat, render_table
from sfcode.relay import log
from sfcode.relay.inbox.types import InboxEntry

HOSTILE = "a\n[error] forged\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_repeated_events_are_suppressed_and_counted():
    now = [100.0]
    limit = log.LogLimit(2, lambda: now[0])
    assert [limit.take() for _ in range(5)] == [{}, {}, None, None, None]
    now[0] = 101.0
    assert [limit.take() for _ in range(3)] == [{"omitted": 3}, {}, None]


def test_names_from_outside_write_no_lines_and_no_commands_of_their_own_on_a_terminal():
    stream = Terminal()
    log.configure(stream)
    structlog.stdlib.get_logger("sfcode.relay").warning("parked", id=HOSTILE, kind=HOSTILE, message_ids=[HOSTILE])
    output = stream.getvalue()
    assert output.count("\n") == 1
    assert not any(sequence in output for sequence in ("\x1b[2J", "\x1b]0", "\x07", "\x9b", "\u202e"))
    assert "\\x1b[2J" in output


def test_names_from_outside_stay_one_value_of_one_line_of_json():
    stream = io.StringIO()
    log.configure(stream)
    structlog.stdlib.get_logger("sfcode.relay").warning("parked", kind=HOSTILE)
    logging.getLogger("uvicorn.error").warning("Odd: %s", HOSTILE)
    first, second = stream.getvalue().splitlines()
    assert (json.loads(first)["event"], json.loads(first)["kind"][:3]) == ("parked", "a\\n")
    assert json.loads(second)["event"].startswith("Odd: a\\n")
    assert "\x9b" not in stream.getvalue()


def test_exceptions_of_libraries_are_logged_without_their_message():
    stream = io.StringIO()
    log.configure(stream)
    try:
        raise ValueError("person@example.com")
    except ValueError:
        structlog.stdlib.get_logger("sfcode.relay").exception("bug")
    assert json.loads(stream.getvalue())["error"] == "ValueError"
    assert "example.com" not in stream.getvalue()


def test_a_listed_message_is_one_line_whatever_it_is_called():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    entry = InboxEntry(1, "appcues", HOSTILE, "", HOSTILE, {}, "parked", "odd", HOSTILE, 1, now, now, None)
    _, line = render_table(*_table([entry], TimeFormat(utc=True)))
    assert line.isprintable()
    assert line.count("forged") == 2
