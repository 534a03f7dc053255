"""Runs of scheduled jobs: each job is run by one process at a time, and not again before it is due."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.state import recall, replace_setting
from sfcode.relay.inbox.tables import SETTINGS

PREFIX = "schedule:"
LEASE = timedelta(minutes=5)
"""The lease of a run, which its process extends while it runs."""
RETRY = timedelta(minutes=15)
"""The wait before a failed run is retried."""
DONE, STOPPED = "done", "stopped"


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """The last run of a job."""

    job: str
    holder: str
    """The ID of the process."""
    begun_at: datetime
    alive_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""
    """`done`, `stopped` (with its process), or the code of the error that ended the run."""
    queued: int = 0
    """The number of messages that the run queued."""

    def next_at(self, every: timedelta) -> datetime:
        """Return when the job is due again."""
        if self.ended_at is None:
            return self.alive_at + LEASE
        if self.outcome == DONE:
            return self.begun_at + every
        return self.ended_at if self.outcome == STOPPED else self.ended_at + min(every, RETRY)


def begin(tx: Transaction, job: str, every: timedelta, holder: str) -> ScheduledRun | None:
    """Begin a run; None if the job is not due, or another process runs it."""
    before = recall(tx, PREFIX + job)
    if before is not None and _parse(job, before).next_at(every) > tx.now:
        return None
    run = ScheduledRun(job, holder, tx.now, tx.now)
    return run if replace_setting(tx, PREFIX + job, before, _render(run)) else None


def renew(tx: Transaction, run: ScheduledRun) -> bool:
    """Extend the lease of a run; return False if another process has taken the run over."""
    return _replace(tx, run, ScheduledRun(run.job, run.holder, run.begun_at, tx.now))


def end(tx: Transaction, run: ScheduledRun, outcome: str, queued: int) -> bool:
    """End a run; return False if another process has taken the run over."""
    return _replace(tx, run, ScheduledRun(run.job, run.holder, run.begun_at, tx.now, tx.now, outcome, queued))


def runs(tx: Transaction) -> tuple[ScheduledRun, ...]:
    """Return the last run of each job, with times of the wall clock."""
    rows = tx.db.execute(SETTINGS.select().where(SETTINGS.c.name.startswith(PREFIX)).order_by(SETTINGS.c.name))
    stored = (_parse(row.name.removeprefix(PREFIX), row.value) for row in rows)
    return tuple(
        replace(
            run,
            begun_at=tx.to_wall(run.begun_at),
            alive_at=tx.to_wall(run.alive_at),
            ended_at=run.ended_at and tx.to_wall(run.ended_at),
        )
        for run in stored
    )


def _replace(tx: Transaction, run: ScheduledRun, after: ScheduledRun) -> bool:
    before = recall(tx, PREFIX + run.job)
    if before is None:
        return False
    stored = _parse(run.job, before)
    is_current = (stored.holder, stored.begun_at, stored.ended_at) == (run.holder, run.begun_at, None)
    return is_current and replace_setting(tx, PREFIX + run.job, before, _render(after))


def _render(run: ScheduledRun) -> str:
    ended = run.ended_at.isoformat() if run.ended_at else None
    return json.dumps([run.holder, run.begun_at.isoformat(), run.alive_at.isoformat(), ended, run.outcome, run.queued])


def _parse(job: str, text: str) -> ScheduledRun:
    holder, start, alive, ended, outcome, queued = json.loads(text)
    return ScheduledRun(
        job,
        holder,
        datetime.fromisoformat(start),
        datetime.fromisoformat(alive),
        datetime.fromisoformat(ended) if ended else None,
        outcome,
        queued,
    )
