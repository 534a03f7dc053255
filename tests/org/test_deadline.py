"""Whoever holds something for a limited time: no exchange outlasts it, none begins after it."""

from __future__ import annotations

import threading

import pytest

from sfcode.org.deadline import remaining_seconds, set_deadline
from sfcode.org.retry import NoAnswer
from tests.org.servers import Answer, Request, as_json
from tests.waiting import PATIENCE


def test_without_a_limit_nothing_is_said(time) -> None:
    assert remaining_seconds(time.clock) is None
    with set_deadline(time.now + 5):
        assert remaining_seconds(time.clock) == 5
    assert remaining_seconds(time.clock) is None


def test_a_call_is_not_begun_when_its_time_is_up(org_at, time) -> None:
    server, org = org_at(lambda _request: as_json([]))
    with (
        set_deadline(time.now),
        pytest.raises(NoAnswer, match="Deadline exceeded before the request was sent") as caught,
    ):
        org.collections.update([])
    assert not caught.value.sent
    assert server.requests == []


def test_a_call_ends_with_its_time(org_at, time) -> None:
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


def test_a_repetition_that_would_outlast_it_is_not_begun(org_at, time) -> None:
    server, org = org_at(lambda _request: Answer(503))
    with set_deadline(time.now + 0.06), pytest.raises(NoAnswer):
        org.query("SELECT Id FROM Contact")
    assert len(server.requests) == 1
    assert time.slept == []
