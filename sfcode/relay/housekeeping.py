"""Periodic work of a process: heartbeat, gauges, alarms, purge of old messages."""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from sfcode.process import is_running
from sfcode.relay.api_calls import ApiBudget
from sfcode.relay.background import repeat
from sfcode.relay.change_runner import BulkChangeRunner
from sfcode.relay.current_pauses import CurrentPauses
from sfcode.relay.inbox.pauses import PAUSED
from sfcode.relay.inbox.types import RowLocked
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.report import format_duration

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox, InboxStats, Process
    from sfcode.relay.inbox.types import Purged

log = structlog.stdlib.get_logger(__name__)

BEAT = 5.0
"""Seconds between two heartbeats."""
LEAVE_SECONDS = 3.0
"""The time in seconds for which a stopping process waits for a heartbeat in progress."""
PURGE_EVERY = 3600.0
PURGE_FIRST = 60.0
"""Seconds between two purges, and before the first one."""
WAITING = ("ready", PAUSED)
"""State and reason of the messages of paused mappings."""
CLOCK_JUMPED: Final = "clock_jumped"
"""The alarm for a change of the wall clock."""
REPORTED_JUMP = 10.0
"""The smallest change of the wall clock, in seconds, for which the alarm is raised."""
SESSIONS_END = "admin_sessions_end"
"""The setting with the Unix time at which sessions of the dashboard were last ended."""


def process_name() -> str:
    """Return a unique name of this process: host, process ID, random suffix."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def select_running(processes: Iterable[Process], host: str, is_running: Callable[[int], bool]) -> list[Process]:
    """Leave out the processes of machine `host` that have ended, although their last heartbeat is recent."""
    live_processes = []
    for process in processes:
        machine, _, rest = process.id.partition(":")
        number = rest.partition(":")[0]
        if machine != host or not number.isdigit() or is_running(int(number)):
            live_processes.append(process)
    return live_processes


class Housekeeping:
    """Runs the periodic work of one process."""

    def __init__(
        self,
        inbox: Inbox,
        instrumentation: Instrumentation,
        name: str,
        *,
        config: str,
        retention: Mapping[Purged, timedelta],
        budget: ApiBudget | None = None,
        pauses: CurrentPauses | None = None,
        bulk_changes: BulkChangeRunner | None = None,
    ) -> None:
        self._inbox = inbox
        self._instrumentation = instrumentation
        self._metrics = instrumentation.metrics
        self._alarms = instrumentation.alarms
        self._activity = instrumentation.activity
        self._budget = budget
        self._pauses = pauses or CurrentPauses()
        self._bulk_changes = bulk_changes
        self.name = name
        """The name of this process."""
        self.config = config
        """The digest of the config that this process uses."""
        self.retention = retention
        """How long finished messages are kept, by state, and how long audit lines are kept."""
        self.processes = 1
        """How many relay processes work on this inbox, this one included."""
        self.sessions_end = 0.0
        """When sessions of the dashboard were last ended, by any process."""
        self.trouble = ""
        # A separate thread pool: all shared threads may be waiting for Salesforce or Appcues.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="housekeeping")
        self._is_leaving = threading.Event()
        self._beating = threading.Lock()

    async def run(self) -> None:
        """Run until cancelled; a long purge does not delay the heartbeat."""
        await asyncio.gather(repeat(self.beat, BEAT, "upkeep_failed"), self._run_purges())

    async def _run_purges(self) -> None:
        await asyncio.sleep(PURGE_FIRST)
        await repeat(self.purge, PURGE_EVERY, "purge_failed")

    def leave(self) -> None:
        """Store pending alarms, and remove this process from the list once a heartbeat in progress has ended."""
        self._is_leaving.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._beating.acquire(timeout=LEAVE_SECONDS):
            self._beating.release()
        self._alarms.flush(self._inbox)
        self._activity.flush(self._inbox.activity, only_complete=False)
        if self._budget is not None:
            self._budget.pending.flush(self._inbox.api_calls)
        self._inbox.leave(self.name)

    def end_sessions(self, now: float) -> None:
        """End the sessions of the dashboard: in this process at once, in others at their next heartbeat."""
        self.sessions_end = now
        self._inbox.remember(SESSIONS_END, repr(now))

    async def purge(self) -> None:
        """Delete messages and audit lines whose retention has ended, and repair rows that were changed by hand or by a wrong clock."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._purge)
        except Exception:  # the database is unavailable, or a row is locked; the next purge repeats it
            log.warning("purge_failed", exc_info=True)

    def _purge(self) -> None:
        self._inbox.mend()
        self._inbox.activity.compact(int(time.time()))
        renewed = self._inbox.encryption.renew(self._is_leaving.wait)
        if renewed:
            log.info("encrypted", rows=renewed)
        self._inbox.bulk_changes.purge()
        count = self._inbox.purge(self.retention, self._is_leaving.wait)
        if count:
            log.info("purged", rows=count)

    async def beat(self) -> None:
        """Store a heartbeat and pending alarms, and update the gauges."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._beat)
        except RowLocked:
            # Another process is suspended in a transaction. The database responds, and the next heartbeat tries again.
            log.warning("row_locked")
            self.trouble = ""
        except Exception:  # the database is unavailable; the next heartbeat tries again
            if not self.trouble:
                log.warning("upkeep_failed", exc_info=True)
            self.trouble = "the database does not answer"
        else:
            self.trouble = ""

    def _beat(self) -> None:
        with self._beating:
            if not self._is_leaving.is_set():
                self._maintain()

    def _maintain(self) -> None:
        inbox = self._inbox
        self._adjust_clock()
        inbox.heartbeat(self.name, config=self.config)
        self.processes = max(1, len(select_running(inbox.processes(), socket.gethostname(), is_running)))
        self._metrics.processes.set(self.processes)
        self._alarms.flush(inbox)
        self._activity.flush(inbox.activity)
        self._count_api_calls()
        self.sessions_end = max(self.sessions_end, float(inbox.recall(SESSIONS_END) or 0.0))
        inbox.open_locked_lanes()
        inbox.merge_counts()
        inbox.expire_intents()
        stats = inbox.stats()
        self._update_pauses(stats)
        if self._bulk_changes is not None:
            self._bulk_changes.wake()
        self._update_gauges(stats)

    def _update_pauses(self, stats: InboxStats) -> None:
        """Read the pauses, make the messages of resumed mappings due, and raise alarms for long pauses."""
        self._pauses.replace(self._inbox.pauses())
        if any((state, reason) == WAITING for _, state, reason in stats.counts_by_reason):
            self._inbox.wake_resumed()
        self._metrics.paused.clear()
        for pause in self._pauses:
            self._metrics.paused.labels(pause.scope, pause.name).set(1)
        for pause in self._inbox.take_long_pauses() if any(self._pauses) else ():
            self._instrumentation.raise_alarm(PAUSED, pause.alarm_detail)

    def _count_api_calls(self) -> None:
        """Store the numbers of requests to the org, and compare the total of all processes with the budget."""
        budget = self._budget
        if budget is None:
            return
        budget.pending.flush(self._inbox.api_calls)
        budget.update(self._inbox.api_calls.number())
        self._metrics.api_budget_used.set(budget.used)
        self._metrics.api_budget_limit.set(budget.limit() or math.inf)

    def _adjust_clock(self) -> None:
        """Correct the inbox's clock for a jump of the wall clock, and raise an alarm for a long jump."""
        jump = self._inbox.adjust_clock()
        self._metrics.clock_offset_seconds.set(self._inbox.clock_offset)
        if abs(jump) >= REPORTED_JUMP:
            direction = "forward" if jump > 0 else "back"
            self._instrumentation.raise_alarm(
                CLOCK_JUMPED, f"set {direction} by {format_duration(timedelta(seconds=abs(jump)))}"
            )

    def _update_gauges(self, stats: InboxStats) -> None:
        for source in ("appcues", "salesforce"):
            for state in ("ready", "leased", "parked", "dead"):
                self._metrics.backlog.labels(source, state).set(stats.counts.get((source, state), 0))
            oldest = stats.oldest.get(source)
            age = (stats.now - oldest).total_seconds() if oldest else 0.0
            self._metrics.oldest_seconds.labels(source).set(max(age, 0.0))
            self._activity.record_peak(source, "oldest_seconds", age)
            blocked = stats.oldest_blocked.get(source)
            blocked_age = (stats.now - blocked).total_seconds() if blocked else 0.0
            self._metrics.oldest_blocked_seconds.labels(source).set(max(blocked_age, 0.0))
