"""Periodic work of a process: heartbeat, gauges, alarms, purge of old messages."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from sfcode.process import is_running
from sfcode.relay.inbox.types import RowLocked
from sfcode.relay.instrumentation import Instrumentation

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox, InboxStats, Process, State

log = structlog.stdlib.get_logger(__name__)

BEAT = 5.0
"""Seconds between two signs of life."""
PURGE_EVERY = 720
PURGE_FIRST = 12
"""Beats between two purges: an hour; the first one comes a minute after the start."""
SESSIONS_END = "admin_sessions_end"
"""The setting that has when sessions of the dashboard were last ended, as a Unix time."""
KEEP: dict[State, timedelta] = {"done": timedelta(days=14), "parked": timedelta(days=90), "dead": timedelta(days=90)}
"""How long what is finished stays: longer than anybody repeats a message, and long enough to do something about it."""


def process_name() -> str:
    """Return a unique name of this process: host, process id, random suffix."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def living(processes: Iterable[Process], host: str, is_running: Callable[[int], bool]) -> list[Process]:
    """Leave out processes of this machine that no longer run, although their last heartbeat is recent."""
    found = []
    for each in processes:
        where, _, rest = each.id.partition(":")
        number = rest.partition(":")[0]
        if where != host or not number.isdigit() or is_running(int(number)):
            found.append(each)
    return found


class Housekeeping:
    """Runs the periodic work of one process."""

    def __init__(self, inbox: Inbox, instrumentation: Instrumentation, name: str, config: str) -> None:
        self._inbox = inbox
        self._metrics = instrumentation.metrics
        self._alarms = instrumentation.alarms
        self._name = name
        self.config = config
        """Digest of the config that this process works by."""
        self.processes = 1
        """How many relay processes work on this inbox, this one included."""
        self.sessions_end = 0.0
        """When sessions of the dashboard were last ended, by any process."""
        self.trouble = ""

    async def run(self) -> None:
        """Run until cancelled."""
        beats = 0
        while True:
            await self.beat(purge=beats % PURGE_EVERY == PURGE_FIRST)
            beats += 1
            await asyncio.sleep(BEAT)

    def leave(self) -> None:
        """Store pending alarms, and remove this process from the list."""
        self._alarms.flush(self._inbox)
        self._inbox.leave(self._name)

    def end_sessions(self, now: float) -> None:
        """End the sessions of the dashboard: here at once, in other processes at their next beat."""
        self.sessions_end = now
        self._inbox.remember(SESSIONS_END, repr(now))

    async def beat(self, *, purge: bool = False) -> None:
        """Do the periodic work once."""
        try:
            await asyncio.to_thread(self._beat, purge=purge)
        except RowLocked:
            # Another process is frozen in a transaction; the database answers, and what is left is for the next beat.
            log.warning("row_locked")
            self.trouble = ""
        except Exception:  # the database is away; it may come back
            if not self.trouble:
                log.warning("upkeep_failed", exc_info=True)
            self.trouble = "the database does not answer"
        else:
            self.trouble = ""

    def _beat(self, *, purge: bool) -> None:
        inbox = self._inbox
        inbox.heartbeat(self._name, config=self.config)
        self.processes = max(1, len(living(inbox.processes(), socket.gethostname(), is_running)))
        self._metrics.processes.set(self.processes)
        self._alarms.flush(inbox)
        self.sessions_end = max(self.sessions_end, float(inbox.recall(SESSIONS_END) or 0.0))
        inbox.open_locked_lanes()
        inbox.merge_counts()
        self._show(inbox.stats())
        if purge:
            inbox.mend()
            gone = inbox.purge(KEEP)
            if gone:
                log.info("purged", messages=gone)

    def _show(self, stats: InboxStats) -> None:
        for source in ("appcues", "salesforce"):
            for state in ("ready", "leased", "parked", "dead"):
                self._metrics.backlog.labels(source, state).set(stats.counts.get((source, state), 0))
            oldest = stats.oldest.get(source)
            age = (stats.now - oldest).total_seconds() if oldest else 0.0
            self._metrics.oldest_seconds.labels(source).set(max(age, 0.0))
