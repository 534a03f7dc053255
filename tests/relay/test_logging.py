"""Logs of errors and messages contain names and positions, and no received values."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from sfcode.errors import OrgError, OrgUnreachable
from sfcode.relay import log

PRIVATE = "ada@example.com said 'hello'"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    log.configure(stream)
    return stream


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(message_line) for message_line in stream.getvalue().splitlines()]


def test_each_event_is_a_line_of_json(stream):
    structlog.stdlib.get_logger("sfcode.relay").info("settled", source="appcues", **log.message_ids(["a", "b"]))
    (message_line,) = lines(stream)
    assert (message_line["event"], message_line["level"], message_line["logger"]) == ("settled", "info", "sfcode.relay")
    assert (message_line["messages"], message_line["ids"]) == (2, ["a", "b"])
    assert message_line["time"].endswith("Z")


def test_only_some_of_many_messages_are_logged():
    fields = log.message_ids([str(number) for number in range(200)])
    assert fields["messages"] == 200
    assert len(fields["ids"]) == log.MOST_IDS


def test_an_exception_is_logged_by_type_and_place_without_values(stream):
    def failing() -> None:
        raise ValueError(PRIVATE)

    try:
        failing()
    except ValueError:
        structlog.stdlib.get_logger("sfcode.relay").exception("bug")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert [message_line["error"] for message_line in lines(stream)] == ["ValueError", "ValueError"]
    assert all("failing" in message_line["at"] for message_line in lines(stream))
    assert "ada@example.com" not in stream.getvalue()


def test_messages_of_sfcodes_errors_are_logged_unless_an_org_wrote_them():
    assert log.describe_error(OrgUnreachable("No connection to x."))["message"] == "No connection to x."
    refused = log.describe_error(OrgError(f"INVALID: {PRIVATE}", code="INVALID"))
    assert refused["code"] == "INVALID"
    assert PRIVATE not in str(refused)


def test_on_a_terminal_the_log_is_human_readable():
    stream = Terminal()
    log.configure(stream)
    structlog.stdlib.get_logger("sfcode.relay").info("ready", url="http://127.0.0.1:8400")
    assert "http://127.0.0.1:8400" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_debugging_lines_are_written_only_when_asked_for(stream):
    structlog.stdlib.get_logger("sfcode.relay").debug("accepted")
    assert stream.getvalue() == ""
    log.configure(stream, verbose=True)
    structlog.stdlib.get_logger("sfcode.relay").debug("accepted")
    assert lines(stream)[0]["event"] == "accepted"


def test_values_of_a_suppressed_line_are_not_evaluated(stream):
    class Ids(list[str]):
        def __iter__(self):
            raise AssertionError("read")

    structlog.stdlib.get_logger("sfcode.relay").debug("accepted", ids=Ids(["m1"]))
    assert stream.getvalue() == ""
