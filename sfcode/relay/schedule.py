"""Run reconcile and refresh on the relay's schedule (`relay.schedule`): in one process at a time, in a separate thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from sfcode.config.project import Project
from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.relay.appcues.field_types import FieldTypeCache
from sfcode.relay.backfill.reconcile import reconcile, reconciled_until
from sfcode.relay.backfill.records import MappingsRefusedError, run_each
from sfcode.relay.backfill.refresh import refresh
from sfcode.relay.background import repeat
from sfcode.relay.inbox.schedule import DONE, LEASE, STOPPED, ScheduledRun
from sfcode.relay.instrumentation import Instrumentation

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox

log = structlog.stdlib.get_logger(__name__)

POLL_SECONDS = 15.0
"""Seconds between two checks for due jobs."""
STOP_SECONDS = 5.0
"""The time in seconds for which a stop waits for a run. An interrupted run continues after its lease in another
process."""
FAILED: Final = "schedule_failed"

Checkpoint = Callable[[], None]
"""Called between two steps of a run. Raises _StoppedError if the run must end."""


Sleep = Callable[[float], object]
"""Waits for a number of seconds, or until the process stops."""


class _StoppedError(Exception):
    """Raised when the process stops, or another process has taken the run over."""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A scheduled job, and how often it is due."""

    name: str
    every: timedelta
    work: Callable[[Checkpoint, Sleep], int]
    """Runs the job, with a checkpoint after each sleep and step; returns the number of queued messages."""


def scheduled_jobs(project: Project, org: Org, inbox: Inbox, types: FieldTypeCache) -> tuple[ScheduledJob, ...]:
    """Return the jobs of a project."""
    sending = [mapping for mapping in project.resolved if mapping.sends and mapping.by_relay]
    every = {job: timedelta(hours=hours) for job, hours in project.settings.relay.schedule.hours.items()}

    def reconcile_all(checkpoint: Checkpoint, _sleep: Sleep) -> int:
        def run(mapping: ResolvedMapping) -> int:
            checkpoint()
            # Changes before the first run were sent by messages or by the backfill.
            first = None if reconciled_until(inbox, mapping) else org.now() - every["reconcile"]
            return reconcile(org, inbox, mapping, first).new

        return sum(run_each(sending, run))

    def refresh_all(checkpoint: Checkpoint, sleep: Sleep) -> int:
        types.refresh(org)
        views = types.mapping_views

        def run(mapping: ResolvedMapping) -> int:
            checkpoint()
            return refresh(org, inbox, mapping, views, lambda _: checkpoint(), sleep=sleep).queued

        return sum(run_each(sending, run))

    work = {"reconcile": reconcile_all, "refresh": refresh_all}
    return tuple(ScheduledJob(name, period, work[name]) for name, period in every.items()) if sending else ()


class Scheduler:
    """Runs the jobs that are due, one after another."""

    def __init__(
        self,
        inbox: Inbox,
        instrumentation: Instrumentation,
        holder: str,
        jobs: Callable[[], Sequence[ScheduledJob]],
    ) -> None:
        self._inbox, self._instrumentation, self._holder, self._jobs = inbox, instrumentation, holder, jobs
        self._stopping = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="schedule")

    async def run(self) -> None:
        """Run until cancelled."""
        await repeat(self.run_due, POLL_SECONDS, "schedule_not_read")

    async def run_due(self) -> None:
        """Run each due job that no other process is running."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._run_due)

    async def stop(self) -> None:
        """End the current run at its next checkpoint."""
        self._stopping.set()
        ended = asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
        self._thread.shutdown(wait=False)
        await asyncio.wait({ended}, timeout=STOP_SECONDS)

    def _run_due(self) -> None:
        for job in self._jobs():
            if self._stopping.is_set():
                return
            try:
                run = self._inbox.begin_run(job.name, job.every, self._holder)
                if run is not None:
                    self._run_job(job, run)
            except Exception:  # the database does not answer; the next check runs the job
                log.warning("schedule_failed", job=job.name, exc_info=True)
        self._update_metrics()

    def _run_job(self, job: ScheduledJob, run: ScheduledRun) -> None:
        log.info("scheduled_run_began", job=job.name)
        queued = 0
        try:
            queued = job.work(self._checkpoint(run), self._stopping.wait)
            outcome = DONE
        except _StoppedError:
            outcome = STOPPED
        except MappingsRefusedError as error:
            outcome, queued = error.code or OrgError.__name__, sum(error.results)
        except OrgError as error:
            outcome = error.code or type(error).__name__
        except Exception as error:
            log.exception("scheduled_run_failed", job=job.name)
            outcome = type(error).__name__
        if self._stopping.is_set() and outcome != DONE:
            outcome = STOPPED  # the connections are being closed
        if outcome not in (DONE, STOPPED):
            self._instrumentation.raise_alarm(FAILED, f"{job.name}: {outcome}")
        self._instrumentation.metrics.scheduled_runs.labels(
            job.name, outcome if outcome in (DONE, STOPPED) else "failed"
        ).inc()
        log.info("scheduled_run_ended", job=job.name, outcome=outcome, queued=queued)
        self._inbox.end_run(run, outcome, queued)

    def _checkpoint(self, run: ScheduledRun) -> Checkpoint:
        renewed = time.monotonic()

        def check() -> None:
            nonlocal renewed
            if self._stopping.is_set():
                raise _StoppedError
            if time.monotonic() - renewed > LEASE.total_seconds() / 5:
                if not self._inbox.renew_run(run):
                    raise _StoppedError
                renewed = time.monotonic()

        return check

    def _update_metrics(self) -> None:
        """Set the metrics of all jobs, including those that another process ran."""
        for run in self._inbox.scheduled_runs():
            if run.outcome == DONE and run.ended_at is not None:
                self._instrumentation.metrics.scheduled_done.labels(run.job).set(run.ended_at.timestamp())
