"""
The relay's durable queue: every message from its commit to its purge.

All methods are synchronous and safe to call from any thread; each is one transaction, except for replay
and purge, which work in bounded steps.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self, TypeVar

from sfcode.relay.alarms import Alarm
from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import (
    accept,
    admin,
    alarms,
    audit,
    claim,
    counts,
    forget,
    intents,
    pauses,
    schedule,
    search,
    settle,
    state,
)
from sfcode.relay.inbox.activity import ActivityLog
from sfcode.relay.inbox.api_calls import ApiCallLog
from sfcode.relay.inbox.audit import AuditLine
from sfcode.relay.inbox.bulk_changes import BulkChanges, shift_times
from sfcode.relay.inbox.data_cipher import missing_key
from sfcode.relay.inbox.dialects import Database, Transaction
from sfcode.relay.inbox.encryption import Encryption
from sfcode.relay.inbox.forget import PersonData
from sfcode.relay.inbox.inbox_clock import ClockReading
from sfcode.relay.inbox.notifications import NotificationLog
from sfcode.relay.inbox.pauses import Pause, Scope
from sfcode.relay.inbox.schedule import ScheduledRun
from sfcode.relay.inbox.search import MessageCount, SearchPage, StoredMessage
from sfcode.relay.inbox.tokens import AccessTokens
from sfcode.relay.inbox.transactions import TransactionRunner
from sfcode.relay.inbox.types import (
    BLOCKED,
    ChangeAction,
    Filter,
    InboxEntry,
    InboxStats,
    Process,
    Purged,
    RowLocked,
    State,
)
from sfcode.relay.inbox.walk import Place
from sfcode.relay.message import Claim, ClaimedMessage, Delivery, InboxMessage, LatestState, Retry, Source

T = TypeVar("T")
AT_ONCE = 1_000
MOST_COUNTED = 100_000
"""The maximum number of messages that are counted before a bulk change, so that counting takes less than a second."""
WRITABLE = "writable_at"
"""The setting that `check_writable` writes."""


class Inbox(TransactionRunner):
    """The messages of one database; `open_inbox` makes it."""

    def __init__(self, database: Database, read_seconds: float | None = None) -> None:
        super().__init__(database, read_seconds)
        self._lock = threading.Lock()
        self._locked_keys: set[tuple[str, str]] = set()
        """Source and key of new messages whose lanes another transaction had locked."""
        self.activity = ActivityLog(self._read, self._write)
        self.notifications = NotificationLog(self._read, self._write)
        self.tokens = AccessTokens(self._read, self._write)
        self.api_calls = ApiCallLog(self._read, self._write)
        self.encryption = Encryption(self._read, self._write)
        self.bulk_changes = BulkChanges(self._read, self._write)

    @property
    def commits_at_once(self) -> int:
        """The number of concurrent calls of `accept_each` that are useful."""
        return self._database.commits_at_once

    def accept(self, messages: Sequence[InboxMessage]) -> int:
        """Commit messages and return how many were new."""
        return self.accept_each([messages])[0]

    def accept_each(self, groups: Sequence[Sequence[InboxMessage]]) -> tuple[int, ...]:
        """Commit the messages of several callers in one transaction; return how many of each were new."""
        if not self._locked_keys:
            with contextlib.suppress(RowLocked):
                one_statement = accept.is_one_statement(groups)
                return self._timed_write("commit", lambda tx: accept.accept(tx, groups), one_statement=one_statement)
        with self._lock:
            locked_before = frozenset(self._locked_keys)
        counts, locked = self._timed_write("commit", lambda tx: accept.accept_around_locks(tx, groups, locked_before))
        with self._lock:
            self._locked_keys |= locked
        return counts

    def open_locked_lanes(self) -> int:
        """Open the lanes that were locked when messages of their keys were accepted; return how many are left."""
        with self._lock:
            keys = sorted(self._locked_keys)
        for key in keys:
            try:
                self._write(partial(accept.open_lanes, keys=[key]))
            except RowLocked:
                break  # another process has locked the row; the next attempt opens the lane
            with self._lock:
                self._locked_keys.discard(key)
        return len(self._locked_keys)

    def claim(self, source: Source, *, limit: int, per_key: int, lease: float, keys: int | None = None) -> Claim | None:
        """Claim messages for `lease` seconds; None when nothing is due."""
        request = claim.ClaimRequest(source, limit, per_key, keys or limit, lease, boot_time() + lease)
        # Not durable: a claim that a power failure undoes is made again. A settlement is durable, since without it the messages
        # would be delivered twice.
        while (rows := self._timed_write("claim", lambda tx: claim.claim(tx, request), durable=False)) is not None:
            new_claim, locked_part = claim.split_locked(rows.read())
            if locked_part is not None:
                self.release(locked_part)
            if new_claim is None:
                raise missing_key()
            damaged = claim.unreadable(new_claim)
            if not damaged:
                return new_claim
            # The whole claim is released, so that the order of each key is kept.
            self._write(partial(settle.settle, claim=new_claim, delivery=Delivery(damaged), delays={}))
        return None

    def settle(
        self, claim: Claim, delivery: Delivery, retry: Callable[[ClaimedMessage, Retry], timedelta | None]
    ) -> int:
        """
        Store settlements and latest states; if the lease was lost, store nothing.

        `retry` returns how long a message waits before it is retried, or None to give it up. A message without a settlement
        is released. Returns the number of settled messages: all or 0.
        """
        unclaimed_ids = set(delivery.settlements) - {message.id for message in claim.messages}
        if unclaimed_ids:
            raise ValueError(f"settled without being claimed: {sorted(unclaimed_ids)}")
        delays: dict[int, timedelta | None] = {}
        for message in claim.messages:
            settlement = delivery.settlements.get(message.id)
            if isinstance(settlement, Retry):
                delays[message.id] = retry(message, settlement)
        return self._timed_write("settle", lambda tx: settle.settle(tx, claim, delivery, delays), durable=False)

    def release(self, claim: Claim) -> None:
        """Release the messages of a claim unchanged."""
        self._write(lambda tx: settle.settle(tx, claim, Delivery({}), {}))

    def announce(self, claim: Claim, names: Collection[str]) -> int:
        """Store the names of the states that a claim may write, before its first call; return the ID of the intent."""
        return self._write(lambda tx: intents.announce(tx, claim, names))

    def expire_intents(self) -> int:
        """Queue messages that rewrite the states of expired intents, which may hold an older value; return their number."""
        return self._write(intents.expire)

    def latest(self, names: Iterable[str]) -> dict[str, LatestState]:
        """Return latest delivered states by name; unknown names are left out."""
        return self._read(lambda tx: state.latest(tx, names))

    def note(self, states: Iterable[LatestState]) -> None:
        """Store latest states outside of a delivery, unless newer ones are stored."""
        self._write(lambda tx: settle.remember_latest(tx, states))

    def remember(self, name: str, value: str) -> None:
        """Store a setting."""
        self._write(lambda tx: state.remember(tx, name, value))

    def recall(self, name: str) -> str | None:
        """Return a setting; None if it does not exist."""
        return self._read(lambda tx: state.recall(tx, name))

    def begin_run(self, job: str, every: timedelta, holder: str) -> ScheduledRun | None:
        """Begin a run of a scheduled job, by the database's clock; None if it is not due or another process runs it."""
        return self._write(lambda tx: schedule.begin(tx, job, every, holder))

    def renew_run(self, run: ScheduledRun) -> bool:
        """Extend the lease of a run; return False if another process has taken the run over."""
        return self._write(lambda tx: schedule.renew(tx, run))

    def end_run(self, run: ScheduledRun, outcome: str, queued: int) -> bool:
        """End a run; return False if another process has taken the run over."""
        return self._write(lambda tx: schedule.end(tx, run, outcome, queued))

    def scheduled_runs(self) -> tuple[ScheduledRun, ...]:
        """Return the last run of each scheduled job."""
        return self._read(schedule.runs)

    def stats(self) -> InboxStats:
        """Count the rows by source, state and reason."""
        return self._read(admin.stats)

    def page(self, choice: Filter, limit: int = 100, before: InboxEntry | None = None) -> tuple[InboxEntry, ...]:
        """Return messages, the newest first, without a limit of time; `before` is the last message of the previous page."""
        place = None if before is None else (before.received_at, before.id)
        return search.read_pages(partial(self.search, choice), limit, place, until_partial=False).entries

    def search(self, choice: Filter, limit: int, before: Place | None = None) -> SearchPage:
        """Return a page of messages, the newest first; `before` is the `last` of the previous page."""
        shifted_choice = self._by_inbox_clock(choice)
        return self._read(lambda tx: search.search(tx, shifted_choice, limit, before))

    def count(self, choice: Filter, states: Collection[State] = BLOCKED) -> MessageCount:
        """Count the messages that a change would select, up to `MOST_COUNTED`; `states` apply if the filter has no state."""
        shifted_choice = self._by_inbox_clock(choice)
        return self._read(lambda tx: search.count(tx, shifted_choice, states, MOST_COUNTED))

    def replay(self, choice: Filter, who: str = "", progress: Callable[[int], object] = lambda _: None) -> int:
        """
        Set finished messages to be delivered again, and return their number: parked and dead ones, unless a state is given.

        With the state `ready`, messages that wait for their next attempt are attempted at once.
        `who` is written to the audit line; `progress` is called with the number so far after each step.
        """
        return self._change("replay", choice, who, progress)

    def discard(self, choice: Filter, who: str = "", progress: Callable[[int], object] = lambda _: None) -> int:
        """Set messages to done without delivering them: parked and dead ones, unless a state is given."""
        return self._change("discard", choice, who, progress)

    def begin_change(self, action: ChangeAction, choice: Filter, who: str, holder: str = "") -> int:
        """Store a replay or a discard for the process `holder`, or for the next process that takes it; return its ID."""
        return self.bulk_changes.begin(action, choice, who, total=self.count(choice), holder=holder)

    def _change(self, action: ChangeAction, choice: Filter, who: str, progress: Callable[[int], object]) -> int:
        return self.bulk_changes.carry_out(action, choice, who, total=self.count(choice), progress=progress)

    def replace(self, id_: int, messages: Sequence[InboxMessage]) -> int:
        """Replace a parked message or dead letter by messages that were parsed from its body; return how many were new."""
        return self._write(lambda tx: admin.replace(tx, id_, messages))

    def changes(self, since: datetime, limit: int) -> tuple[Sequence[InboxEntry], Sequence[InboxEntry]]:
        """Return the newest messages received since a time, and the newest that ended since then."""
        choice = self._by_inbox_clock(Filter(since=since))

        def read(tx: Transaction) -> tuple[Sequence[InboxEntry], Sequence[InboxEntry]]:
            return search.search(tx, choice, limit, None).entries, search.ended_since(tx, choice, limit)

        return self._read(read)

    def find(self, id_: int) -> StoredMessage | None:
        """Return a message with its history and its records; None if no message has this ID."""
        return self._read(lambda tx: search.find(tx, id_))

    def oldest_waiting(self, source: Source) -> InboxEntry | None:
        """Return the message of a source that has waited longest for delivery."""
        return self._read(lambda tx: search.find_oldest(tx, Filter(source=source, state="ready")))

    def pause(self, scope: Scope, name: str, who: str) -> bool:
        """Pause the deliveries of a mapping, or to a side; return False if they are paused already."""
        return self._write(lambda tx: pauses.add_pause(tx, scope, name, who))

    def resume(self, scope: Scope, name: str, who: str) -> bool:
        """End a pause; return False if there is none. The processes make its messages due at their next heartbeat."""
        return self._write(lambda tx: pauses.remove_pause(tx, scope, name, who))

    def pauses(self) -> tuple[Pause, ...]:
        """Return the pauses, the longest first."""
        return self._read(pauses.read_pauses)

    def take_long_pauses(self) -> tuple[Pause, ...]:
        """Return the pauses for which an alarm is due, each to one process only."""
        return self._write(pauses.take_long_pauses)

    def wake_resumed(self) -> int:
        """Make the messages of resumed mappings due; return their number. An interrupted call is continued by any process."""
        total, count = 0, AT_ONCE
        while count == AT_ONCE:
            count = self._write(partial(pauses.wake_resumed, limit=AT_ONCE))
            total += count
        return total

    def audit_lines(self, limit: int = 100, before: int | None = None) -> tuple[AuditLine, ...]:
        """Return audit lines, the newest first; for the next page pass the ID of the last one as `before`."""
        return self._read(lambda tx: audit.read_audit(tx, limit, before))

    def find_person(self, user_id: str, state_names: Iterable[str]) -> PersonData:
        """Find the data of a user in the inbox; `state_names` are the states whose names contain the user's ID."""
        return self._read(lambda tx: forget.find_person(tx, user_id, state_names))

    def forget(self, person: PersonData, selection: Mapping[str, Any], who: str = "") -> tuple[int, int]:
        """Delete the data of a person, and store an audit line; return the numbers of deleted messages and states."""
        return forget.forget_person(self._read, self._write, person, selection, who)

    def purge(self, older_than: Mapping[Purged, timedelta], pause: Callable[[float], object] = time.sleep) -> int:
        """
        Delete messages that finished before the retention of their state, and old audit lines; open messages are never deleted.

        Works in pieces, with pauses for other transactions, and ends early if `pause` returns true.
        """
        total = 0
        for purged, age in older_than.items():
            step = audit.purge if purged == "audit" else partial(admin.purge, state=purged)
            while True:
                began = boot_time()
                count = self._write(partial(step, age=age, limit=AT_ONCE))
                total += count
                if count < AT_ONCE:
                    break
                if pause(boot_time() - began):  # leave half of the time to other transactions
                    return total
        return total

    def mend(self) -> int:
        """Repair rows that were changed with SQL: missing lanes, and due times far ahead; return the number of missing lanes."""
        self._write(admin.make_due)
        keys = self._read(admin.find_keys_without_lane)
        for start in range(0, len(keys), AT_ONCE):
            self._write(partial(accept.open_lanes, keys=keys[start : start + AT_ONCE]))
        return len(keys)

    def merge_counts(self) -> int:
        """Sum the differences of the counters; return the number of rows."""
        total, count = 0, counts.AT_ONCE
        while count >= counts.AT_ONCE:
            count = self._write(counts.merge_counts)
            total += count
        return total

    def check_writable(self) -> None:
        """
        Raise Unavailable unless the database can be written. A database that answers may be read-only or full.

        A lock of another process on the written row is no error, since it shows that the database accepts writes.
        """
        with contextlib.suppress(RowLocked):
            self._write(lambda tx: state.remember(tx, WRITABLE, f"{tx.now:%Y-%m-%dT%H:%M:%SZ}"))

    def raise_alarms(self, raised: Iterable[Alarm]) -> None:
        """Store alarms; if an alarm with the same detail is already raised, increase its count."""
        self._write(lambda tx: alarms.raise_alarms(tx, raised))

    def alarms(self) -> tuple[Alarm, ...]:
        """Return the alarms that are not acknowledged, the newest first."""
        return self._read(alarms.read_alarms)

    def acknowledge(self, ids: Iterable[int], who: str = "") -> int:
        """Delete alarms by their IDs; return how many existed. An alarm that is raised after its deletion gets a new ID."""
        return self._write(lambda tx: alarms.acknowledge(tx, ids, who))

    def adjust_clock(self) -> float:
        """Remove a jump of the wall clock from the inbox's clock, for all processes; return its seconds, 0 without a jump."""

        def adjust(tx: Transaction) -> tuple[float, timedelta, ClockReading]:
            return *state.store_jump(tx), tx.reading

        jump, shift, reading = self._write(adjust)
        if jump or shift != self._database.clock.shift:
            self._database.clock.use(reading, shift)
        return jump

    @property
    def clock_offset(self) -> float:
        """The sum of the wall clock's jumps since the inbox was created, in seconds."""
        return self._database.clock.shift.total_seconds()

    def heartbeat(self, process_id: str, *, config: str = "") -> None:
        """Store a heartbeat and the digest of the process's config."""
        self._write(lambda tx: state.heartbeat(tx, process_id, config))

    def leave(self, process_id: str) -> None:
        """Remove a process."""
        self._write(lambda tx: state.leave(tx, process_id))

    def processes(self, within: float = 60) -> tuple[Process, ...]:
        """Return the processes with a heartbeat in the last `within` seconds."""
        return self._read(lambda tx: state.processes(tx, within))

    def limit_reads(self, seconds: float) -> Inbox:
        """Return this inbox with a time limit for reads, so that pages and commands do not delay deliveries."""
        return Inbox(self._database, seconds)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _by_inbox_clock(self, choice: Filter) -> Filter:
        """Convert the wall clock times of a filter to stored times."""
        return shift_times(choice, -self._database.clock.shift)
