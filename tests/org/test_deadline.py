"""Deadlines: no request lasts longer, and none starts afterwards."""

from __future__ import annotations

import threading

import pytest

from sfcode.org.deadline import remaining_seconds, set_deadline
from sfcode.org.retry import NoAnswer
from tests.org.servers import Answer, Request, as_json
from tests.waiting import PATIENCE


def test_without_a_deadline_no_timeout_is_set(time) -> None:
    assert remaining_seconds(time.clock) is None
    with set_deadline(time.now + 5):
        assert remaining_seconds(time.clock) == 5
    assert remaining_seconds(time.clock) is None


def test_a_call_after_the_deadline_is_not_sent(org_at, time) -> None:
    server, org = org_at(lambda _request: as_json([]))
    with (
        set_deadline(time.now),
        pytest.raises(NoAnswer, match="Deadline exceeded before the request was sent") as caught,
    ):
        org.collections.update([])
    assert not caught.value.sent
    assert server.requests == []


def test_a_call_ends_at_the_deadline(org_at, time) -> None:
    finished = threading.Event()

    def slow(_request: Request) -> Answer:
        finished.wait(PATIENCE)
        return as_json([])

    _, org = org_at(slow)
    try:
        with set_deadline(time.now + 0.05), pytest.raises(NoAnswer, match="did not answer in time"):
            org.collections.update([])
    finally:
        finished.set()


def test_a_retry_beyond_the_deadline_is_not_started(org_at, time) -> None:
    server, org = org_at(lambda _request: Answer(503))
    with set_deadline(time.now + 0.06), pytest.raises(NoAnswer):
        org.query("SELECT Id FROM Contact")
    assert len(server.requests) == 1
    assert time.slept == []
