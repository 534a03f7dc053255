"""Format the inbox's content for terminals and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sfcode.lazy_dataclasses import asdict, dataclass
from sfcode.relay.alarms import Alarm
from sfcode.relay.api_calls import ApiCallCount
from sfcode.relay.reasons import alarm_reason, hint_for
from sfcode.text import Paint, count_noun, printable, wrap

if TYPE_CHECKING:
    from sfcode.config.relay_models import Schedule
    from sfcode.relay.inbox import InboxEntry, InboxStats, Pause, Process, State
    from sfcode.relay.inbox.bulk_changes import BulkChange
    from sfcode.relay.inbox.schedule import ScheduledRun

DIRECTIONS: dict[str, str] = {"appcues": "Appcues -> Salesforce", "salesforce": "Salesforce -> Appcues"}
"""The titles of the directions in plain ASCII, by the source of their messages."""
REPORTED_STATES: tuple[State, ...] = ("ready", "leased", "parked", "dead", "done")
"""The states of messages in the order of reports: those that still need work first."""
MOST_USES = 5
"""The maximum number of lines about requests, the largest numbers first; `--json` has all."""


@dataclass(frozen=True, slots=True)
class ScheduledStatus:
    """A job of `relay.schedule`, and its last run."""

    job: str
    hours: int
    run: ScheduledRun | None

    @property
    def next_at(self) -> datetime | None:
        """The time at which the job is due again; None if it never ran and is due at once."""
        return self.run.next_at(timedelta(hours=self.hours)) if self.run else None


@dataclass(frozen=True, slots=True)
class ApiStatus:
    """The requests to the org in the last 24 hours, and the budget."""

    limit: int | None
    """The budget, `relay.api_calls_per_day`; None for no budget."""
    counts: Sequence[ApiCallCount] = ()

    @property
    def used(self) -> int:
        """Requests of all processes."""
        return sum(count.number for count in self.counts)


def stamp(moment: datetime | None) -> str | None:
    """Format a time in ISO 8601 with microseconds, in UTC; None for None."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def format_age(time: datetime | None, now: datetime) -> str:
    """Format the time since a moment, in its two largest units."""
    return "" if time is None else format_duration(max(now - time, timedelta()))


def format_duration(duration: timedelta) -> str:
    """Format a time span in its two largest units."""
    seconds = round(duration.total_seconds())
    words: list[str] = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number or (name == "s" and not words):
            words.append(f"{number} {name}")
    return " ".join(words[:2])


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """The status of an inbox, as `relay status` shows it."""

    stats: InboxStats
    processes: Sequence[Process] = ()
    alarms: Sequence[Alarm] = ()
    schedule: Sequence[ScheduledStatus] = ()
    api_calls: ApiStatus = ApiStatus(None)
    pauses: Sequence[Pause] = ()
    changes: Sequence[BulkChange] = ()
    """The bulk changes that have not ended."""


def status_document(status: RelayStatus) -> dict[str, Any]:
    """Return the status of a relay as JSON values."""
    stats = status.stats
    return {
        "sources": {
            source: {
                **{state: stats.counts.get((source, state), 0) for state in REPORTED_STATES},
                "oldest_received_at": stamp(stats.oldest.get(source)),
                "waiting_keys": stats.waiting.get(source, 0),
            }
            for source in DIRECTIONS
        },
        "stuck": [
            {"source": source, "state": state, "reason": reason, "messages": count, "hint": hint_for(reason)}
            for (source, state, reason), count in sorted(stats.reasons.items())
        ],
        "paused": [
            {"scope": pause.scope, "name": pause.name, "who": pause.who, "at": stamp(pause.at)}
            for pause in status.pauses
        ],
        "changes": [_change_document(change) for change in status.changes],
        "alarms": [_alarm_document(alarm) for alarm in status.alarms],
        "processes": [
            {
                "id": process.id,
                "started_at": stamp(process.started_at),
                "seen_at": stamp(process.seen_at),
                "config": process.config or None,
            }
            for process in status.processes
        ],
        "schedule": [_schedule_document(entry) for entry in status.schedule],
        "api_calls": api_calls_document(status.api_calls),
    }


def _change_document(change: BulkChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "action": change.action,
        "who": change.who,
        "begun_at": stamp(change.begun_at),
        "done": change.done,
        "total": change.total.number,
        "is_total_partial": change.total.is_partial,
    }


def _alarm_document(alarm: Alarm) -> dict[str, Any]:
    reason = alarm_reason(alarm.name)
    return {**asdict(alarm), "meaning": reason.meaning, "hint": reason.hint}


def _schedule_document(entry: ScheduledStatus) -> dict[str, Any]:
    run = entry.run
    return {
        "job": entry.job,
        "every_hours": entry.hours,
        "begun_at": stamp(run.begun_at) if run else None,
        "ended_at": stamp(run.ended_at) if run else None,
        "outcome": run.outcome or None if run else None,
        "queued": run.queued if run else 0,
        "next_at": stamp(entry.next_at),
    }


def describe_status(status: RelayStatus, paint: Paint) -> str:
    """Return the status of a relay as text."""
    stats, now = status.stats, status.stats.now
    lines = list(_describe_alarms(status.alarms, paint))
    lines += [
        paint(printable(f"Paused: {pause} for {format_age(pause.at, now)}, by {pause.who}"), "~")
        for pause in status.pauses
    ]
    lines += [printable(describe_change(change, now)) for change in status.changes]
    lines += _describe_queues(stats)
    for (source, state, reason), number in sorted(stats.reasons.items(), key=lambda entry: -entry[1]):
        lines.append(
            paint(f"  {number:,} {'given up' if state == 'dead' else state}: {reason} ({DIRECTIONS[source]})", "~")
        )
        if hint_for(reason):
            lines.append(wrap(hint_for(reason), "    "))
    lines += [describe_schedule(entry, now) for entry in status.schedule]
    lines += describe_api_calls(status.api_calls)
    running = f"{count_noun(len(status.processes), 'relay process', 'relay processes')} in the last minute"
    names = ", ".join(map(_describe_process, status.processes))
    return "\n".join([*lines, f"{running}: {names}" if names else running])


def _describe_queues(stats: InboxStats) -> Iterator[str]:
    """Yield a line with the numbers of messages of each direction."""
    for source, title in DIRECTIONS.items():
        count = {state: stats.counts.get((source, state), 0) for state in REPORTED_STATES}
        waits = f"{count['ready'] + count['leased']:,} waiting"
        if source in stats.oldest:
            waits += f", the oldest for {format_age(stats.oldest[source], stats.now)}"
        yield f"{title}: {waits}; {count['parked']:,} parked, {count['dead']:,} given up, {count['done']:,} done"


def _describe_alarms(raised: Iterable[Alarm], paint: Paint) -> Iterator[str]:
    """Yield a line for each alarm, and what to do about it below the first one of its name."""
    explained = set()
    for alarm in raised:
        line = f"Alarm {alarm.id} {alarm.name} ({count_noun(alarm.times, 'time')}, last {alarm.at}): {alarm.detail}"
        yield paint(printable(line), "!")
        reason = alarm_reason(alarm.name)
        if reason.hint and alarm.name not in explained:
            yield wrap(f"{reason.meaning}. {reason.hint}", "    ")
        explained.add(alarm.name)


def describe_change(change: BulkChange, now: datetime) -> str:
    """Return one line about a bulk change that has not ended."""
    more = " or more" if change.total.is_partial else ""
    line = f"{change.action.capitalize()} under way: {change.done:,} of {change.total.number:,}{more} messages"
    line += f", by {change.who or 'unknown'}, for {format_age(change.begun_at, now)}"
    return line if change.is_held else f"{line}; stopped, since no relay process is working on it"


def scheduled_status(schedule: Schedule, runs: Sequence[ScheduledRun]) -> list[ScheduledStatus]:
    """Return the jobs of a config, each with its last run."""
    last = {run.job: run for run in runs}
    return [ScheduledStatus(job, hours, last.get(job)) for job, hours in schedule.hours.items()]


def describe_schedule(status: ScheduledStatus, now: datetime) -> str:
    """Return one line about a scheduled job."""
    line = f"{status.job} every {status.hours:,} h: "
    run = status.run
    if run is None:
        return f"{line}not yet"
    if run.ended_at is None:
        return f"{line}running for {format_age(run.begun_at, now)}"
    line += f"{run.outcome} {format_age(run.ended_at, now)} ago, {count_noun(run.queued, 'message')}"
    due = status.next_at
    return f"{line}; due {f'in {format_age(now, due)}' if due and due > now else 'now'}"


def api_calls_document(status: ApiStatus) -> dict[str, Any]:
    """Return the requests to the org as JSON values."""
    by = [{**count.use._asdict(), "number": count.number} for count in status.counts]
    return {"used": status.used, "limit": status.limit, "by": by}


def describe_api_calls(status: ApiStatus) -> list[str]:
    """Return lines about the requests to the org; none if there is no request and no budget."""
    if not status.counts and status.limit is None:
        return []
    of_limit = f" of {status.limit:,} (relay.api_calls_per_day)" if status.limit else ""
    lines = [f"{status.used:,}{of_limit} requests to Salesforce in 24 hours"]
    for use, number in status.counts[:MOST_USES]:
        lines.append(f"  {number:,} {use.purpose}" + (f" ({use.mapping})" if use.mapping else ""))
    if rest := sum(count.number for count in status.counts[MOST_USES:]):
        lines.append(f"  {rest:,} more (--json lists all)")
    return lines


def _describe_process(process: Process) -> str:
    return f"{process.id} (config {process.config})" if process.config else process.id


def message_document(entry: InboxEntry, *, payload: bool) -> dict[str, Any]:
    """Return one message as JSON values."""
    document = {
        "id": entry.id,
        "source": entry.source,
        "message_id": entry.message_id,
        "kind": entry.kind,
        "state": entry.state,
        "reason": entry.reason,
        "detail": entry.detail,
        "attempts": entry.attempts,
        "received_at": stamp(entry.received_at),
        "due_at": stamp(entry.due_at),
        "finished_at": stamp(entry.finished_at),
    }
    return document | ({"key": entry.key, "payload": dict(entry.payload)} if payload else {})
