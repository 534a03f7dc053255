"""An inbox on each engine, and clocks that a test advances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Inbox, open_inbox


class Clock:
    """The clocks of this machine as the inbox reads them."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.seconds = 1000.0
        """Seconds since the boot of the machine."""

    def __call__(self) -> datetime:
        return self.now

    def boot_time(self) -> float:
        return self.seconds

    def elapse(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def open_inbox(self, url: str) -> Inbox:
        """Open an inbox with these clocks; on PostgreSQL it uses the clocks of the server and this machine."""
        boot_clock = boot_time if url.startswith("postgresql") else self.boot_time
        return open_inbox(url, clock=self, boot_clock=boot_clock)


Elapse = Callable[[float], None]

_SHIFTS = (
    "UPDATE relay_inbox SET due_at = due_at - %(by)s, lease_until = lease_until - %(by)s",
    "UPDATE relay_inbox SET received_at = received_at - %(by)s, finished_at = finished_at - %(by)s",
    "UPDATE relay_lanes SET due_at = due_at - %(by)s",
    "UPDATE relay_intents SET expires_at = expires_at - %(by)s",
    "UPDATE relay_pauses SET at = at - %(by)s, alarmed_at = alarmed_at - %(by)s",
    (
        "UPDATE relay_settings SET value = to_char(value::timestamptz - %(by)s, 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF')"
        " WHERE name LIKE 'resumed:%%'"
    ),
    (
        "UPDATE relay_changes SET after_at = after_at - %(by)s, lease_until = lease_until - %(by)s,"
        " ended_at = ended_at - %(by)s"
    ),
    "UPDATE relay_audit SET at = at - %(by)s",
    "UPDATE relay_processes SET started_at = started_at - %(by)s, seen_at = seen_at - %(by)s",
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def elapse(database_url: str, clock: Clock) -> Elapse:
    """
    Return a function that advances the time.

    SQLite uses the clock of the test. PostgreSQL has its own clock, so there all rows become older.
    """

    def pass_by(seconds: float) -> None:
        by = timedelta(seconds=seconds)
        clock.elapse(seconds)
        if database_url.startswith("postgresql"):
            with psycopg.connect(database_url) as db:
                for statement in _SHIFTS:
                    db.execute(statement, {"by": by})

    return pass_by


@pytest.fixture
def inbox(database_url: str, clock: Clock) -> Iterator[Inbox]:
    with clock.open_inbox(database_url) as inbox:
        yield inbox
