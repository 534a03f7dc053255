"""The time of an org, which each of its responses contains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.org.conftest import ServeOrg, Time
from tests.org.servers import Answer

THEN = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


def test_a_recent_response_has_the_time_of_the_org(org_at: ServeOrg, time: Time) -> None:
    server, org = org_at(lambda _: Answer(200, b"[]", {"Date": format_datetime(THEN, usegmt=True)}))
    assert org.now() == THEN
    time.sleep(59)
    assert org.now(within=60) == THEN + timedelta(seconds=59)
    assert len(server.requests) == 1
    time.sleep(1)
    assert org.now(within=60) == org.now() == THEN
    assert len(server.requests) == 3


def test_the_time_is_requested_before_the_first_response(org_at: ServeOrg) -> None:
    server, org = org_at(lambda _: Answer(200, b"[]", {"Date": format_datetime(THEN, usegmt=True)}))
    assert org.now(within=60) == THEN
    assert len(server.requests) == 1
