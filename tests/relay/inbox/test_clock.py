"""
Wall clocks that are set back or forward by hours: messages are still due at the right time.

The clock of SQLite is an argument. The clock of PostgreSQL cannot be set, so the function that reads it is replaced in
the schema of the test. Every process with this schema uses the changed clock.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from sfcode.relay.clock import boot_time, read_boot_id
from sfcode.relay.housekeeping import Housekeeping
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.inbox.inbox_clock import EXACT, BootMark, ClockReading, InboxClock
from sfcode.relay.inbox.schedule import DONE
from sfcode.relay.inbox.state import CLOCK_MARK
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import Retry
from tests.relay.inbox.conftest import Clock
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, take
from tests.relay.serving import Relay, Served
from tests.waiting import until

HOUR = 3600.0
DAY = 24 * HOUR
JUMPS = pytest.mark.parametrize("jump", [-3 * HOUR, 3 * HOUR])
"""The jump of the clock in seconds."""
CLOSE = 60.0
"""The tolerance in seconds, since PostgreSQL's time advances during the test."""


class Machine:
    """A machine with a database; a test sets its wall clock and advances its time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = Clock()
        self.elapsed = 0.0
        self.turned = 0.0
        if self.is_postgresql:
            schema = url.rpartition("%3D")[2]
            self.url = f"{url},pg_catalog"
            with psycopg.connect(url) as db:
                db.execute("CREATE TABLE turned (seconds double precision)")
                db.execute("INSERT INTO turned VALUES (0)")
                db.execute(
                    f"CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT"
                    f" pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM {schema}.turned)) $$"
                )

    @property
    def is_postgresql(self) -> bool:
        return self.url.startswith("postgresql")

    def open_inbox(self, url: str = "", *, paused: float = 0.0, boot_id: str = "", **more: Any) -> Inbox:
        """Open the inbox in a process of a machine that is suspended for `paused` seconds right afterwards."""
        opened = [0.0]
        inbox = open_inbox(
            url or self.url,
            clock=self.clock,
            boot_clock=lambda: self.boot_time() - opened[0],
            boot_id=boot_id,
            **more,
        )
        opened[0] = paused
        return inbox

    def boot_time(self) -> float:
        return boot_time() + self.elapsed if self.is_postgresql else self.clock.boot_time()

    def set_clock(self, seconds: float) -> None:
        """Set the wall clock back or forward."""
        if self.is_postgresql:
            self.turned += seconds
            with psycopg.connect(self.url) as db:
                db.execute("UPDATE turned SET seconds = %s", [self.turned])
        else:
            self.clock.now += timedelta(seconds=seconds)

    def elapse(self, seconds: float) -> None:
        if self.is_postgresql:
            self.elapsed += seconds
            self.set_clock(seconds)
        else:
            self.clock.elapse(seconds)


@pytest.fixture
def machine(database_url: str) -> Machine:
    return Machine(database_url)


def beat(inbox: Inbox) -> None:
    """Store a heartbeat with a mark, which is left out if the clock was read too slowly."""
    while inbox.recall(CLOCK_MARK) is None:
        inbox.heartbeat("p1")


def near(first: datetime, second: datetime) -> bool:
    return abs((first - second).total_seconds()) < CLOSE


@pytest.mark.parametrize("jump", [-3 * HOUR, 3 * HOUR, -400 * DAY, 400 * DAY])
@pytest.mark.parametrize("adjusted", [False, True])
def test_leases_and_retries_end_in_time(machine: Machine, jump: float, adjusted: bool) -> None:
    """Leases and retries end in time in the process that has adjusted its clock or not, and then in another process."""
    with machine.open_inbox() as inbox, contextlib.ExitStack() as stack:
        inbox.accept(keyed("a", "b"))
        take(inbox, limit=1, lease=10 * HOUR)
        settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(hours=5))
        machine.set_clock(jump)
        if adjusted:
            inbox.adjust_clock()
        worker = stack.enter_context(machine.open_inbox()) if adjusted else inbox
        inbox.accept([message(7, "user:c")])
        new = take(worker)
        assert numbers(new) == [7], "what arrives now is due now"
        assert settle(worker, new) == 1
        assert idle(worker)
        machine.elapse(5 * HOUR)
        second_claim = take(worker)
        assert numbers(second_claim) == [1], "the retry, and no lease is over"
        assert settle(inbox, second_claim) == 1
        machine.elapse(5 * HOUR)
        assert numbers(take(worker)) == [0]


@JUMPS
def test_a_jump_is_reported_once_by_all_processes_together(machine: Machine, jump: float) -> None:
    with machine.open_inbox() as first, machine.open_inbox() as second:
        assert first.adjust_clock() == 0
        machine.set_clock(jump)
        assert first.adjust_clock() == pytest.approx(jump, abs=CLOSE)
        assert [inbox.adjust_clock() for inbox in (first, second, first, second)] == [0] * 4
        assert first.clock_offset == second.clock_offset == pytest.approx(jump, abs=CLOSE)
        machine.set_clock(-jump)
        assert second.adjust_clock() == pytest.approx(-jump, abs=CLOSE)
        assert abs(second.clock_offset) < CLOSE


@JUMPS
def test_displayed_ages_and_times_are_of_the_present_wall_clock(machine: Machine, jump: float) -> None:
    with machine.open_inbox() as inbox:
        inbox.accept(keyed("a"))
        inbox.heartbeat("p1")
        inbox.begin_run("reconcile", timedelta(hours=1), "p1")
        refresh = inbox.begin_run("refresh", timedelta(hours=1), "p1")
        assert refresh is not None
        inbox.end_run(refresh, DONE, 0)
        before = inbox.stats().now
        machine.set_clock(jump)
        inbox.adjust_clock()
        stats = inbox.stats()
        assert near(stats.now, before + timedelta(seconds=jump))
        assert timedelta() <= stats.now - stats.oldest["appcues"] < timedelta(seconds=CLOSE)
        since, until = (stats.now + timedelta(seconds=seconds) for seconds in (-CLOSE, CLOSE))
        (entry,) = inbox.page(Filter(since=since, until=until))
        assert near(entry.received_at, stats.now)
        assert near(entry.due_at, stats.now)
        assert inbox.page(Filter(), before=entry) == ()
        assert inbox.page(Filter(until=since)) == ()
        (process,) = inbox.processes()
        assert near(process.seen_at, stats.now)
        running, ended = inbox.scheduled_runs()
        assert near(running.begun_at, stats.now)
        assert near(running.alive_at, stats.now)
        assert running.ended_at is None
        assert ended.ended_at is not None
        assert near(ended.ended_at, stats.now)
        assert inbox.begin_run("reconcile", timedelta(hours=1), "p2") is None, "it is not due"
        claim = take(inbox)
        (claimed,) = claim.messages
        assert timedelta() <= claimed.waited < timedelta(seconds=CLOSE)
        assert near(claimed.received_at, stats.now)
        settle(inbox, claim)
        finished_at = inbox.page(Filter())[0].finished_at
        assert finished_at is not None
        assert near(finished_at, stats.now)
        stored = inbox.find(claimed.id)
        assert stored is not None
        (attempt,) = (event for event in stored.history if event.event == "attempted")
        assert attempt.at is not None
        assert near(attempt.at, stats.now)


@JUMPS
def test_a_token_expires_in_time(machine: Machine, jump: float) -> None:
    with machine.open_inbox() as inbox:
        inbox.tokens.create("before", "viewer", inbox.stats().now + timedelta(days=1))
        machine.set_clock(jump)
        inbox.adjust_clock()
        now = inbox.stats().now
        inbox.tokens.create("later", "viewer", now + timedelta(days=1))
        tokens = inbox.tokens.all()
        assert [token.name for token in tokens] == ["before", "later"]
        for token in tokens:
            assert near(token.created_at, now)
            assert token.expires_at is not None
            assert near(token.expires_at, now + timedelta(days=1))


def test_a_replay_by_the_time_of_the_wall_clock_finds_its_messages(machine: Machine) -> None:
    with machine.open_inbox() as inbox:
        inbox.accept([message(1, parked="odd")])
        machine.set_clock(-3 * HOUR)
        inbox.adjust_clock()
        now = inbox.stats().now
        assert inbox.replay(Filter(since=now + timedelta(hours=1))) == 0
        assert inbox.replay(Filter(until=now - timedelta(hours=1))) == 0
        around = Filter(since=now - timedelta(minutes=5), until=now + timedelta(minutes=5))
        change = inbox.bulk_changes.find(inbox.begin_change("replay", around, "ann@host"))
        assert change is not None
        assert (change.choice.since, change.choice.until) == (around.since, around.until)
        assert inbox.replay(around) == 1
        ended = inbox.bulk_changes.find(inbox.audit_lines(1)[0].id)
        assert ended is not None
        assert ended.ended_at is not None
        assert near(ended.begun_at, now)
        assert near(ended.ended_at, now)
        assert numbers(take(inbox)) == [1]


def test_no_history_is_deleted_because_the_clock_is_a_year_ahead(machine: Machine) -> None:
    with machine.open_inbox() as inbox:
        inbox.accept([message(1, parked="odd")])
        machine.set_clock(400 * DAY)
        assert inbox.purge({"parked": timedelta(days=90)}) == 0
        inbox.adjust_clock()
        assert inbox.purge({"parked": timedelta(days=90)}) == 0
        machine.elapse(91 * DAY)
        assert inbox.purge({"parked": timedelta(days=90)}) == 1


def test_a_clock_that_is_set_back_while_no_process_runs_delays_nothing(machine: Machine) -> None:
    with machine.open_inbox() as inbox:
        inbox.accept(keyed("a"))
        settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(hours=1))
        inbox.heartbeat("p1")
    machine.set_clock(-30 * HOUR)
    with machine.open_inbox() as inbox:
        assert idle(inbox)
        assert inbox.adjust_clock() == pytest.approx(-30 * HOUR, abs=CLOSE)
        machine.elapse(HOUR + CLOSE)
        assert numbers(take(inbox)) == [0]


@pytest.mark.parametrize("jump", [-30 * HOUR, 30 * HOUR, -400 * DAY, 400 * DAY])
def test_a_clock_that_is_set_while_no_process_runs_is_corrected_by_the_time_since_boot(
    machine: Machine, jump: float
) -> None:
    """No message is due late or early: half an hour had passed before the clock was set."""
    with machine.open_inbox(boot_id="run-1") as inbox:
        inbox.accept(keyed("a"))
        settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(hours=1))
        beat(inbox)
    machine.elapse(HOUR / 2)
    machine.set_clock(jump)
    with machine.open_inbox(boot_id="run-1") as inbox:
        assert idle(inbox)
        instrumentation = Instrumentation()
        Housekeeping(inbox, instrumentation, "host:1:a", config="c0ff1g", retention={})._beat()
        (alarm,) = inbox.alarms()
        way = "forward" if jump > 0 else "back"
        assert (alarm.name, alarm.detail.startswith(f"set {way} by ")) == ("clock_jumped", True)
        assert inbox.clock_offset == pytest.approx(jump, abs=CLOSE)
        machine.elapse(HOUR / 2 - CLOSE)
        assert idle(inbox)
        machine.elapse(2 * CLOSE)
        assert numbers(take(inbox)) == [0]


def test_after_a_reboot_the_wall_clock_is_used(machine: Machine) -> None:
    with machine.open_inbox(boot_id="run-1") as inbox:
        beat(inbox)
    machine.set_clock(30 * HOUR)
    with machine.open_inbox(boot_id="run-2") as inbox:
        assert inbox.adjust_clock() == 0


def test_clocks_that_drift_apart_while_no_process_runs_have_not_been_set(machine: Machine) -> None:
    with machine.open_inbox(boot_id="run-1") as inbox:
        beat(inbox)
    machine.elapse(30 * DAY)
    machine.set_clock(30.0)
    with machine.open_inbox(boot_id="run-1") as inbox:
        assert inbox.adjust_clock() == 0


def test_the_time_since_the_start_of_the_machine_is_never_later_than_the_wall_clock_says() -> None:
    clock, start = InboxClock(), Clock().now
    assert clock.now_since_boot(7) is None, "it is not known yet"
    clock.start(ClockReading(start, 10, 10.4), timedelta(), None, None)
    assert clock.now_since_boot(10.4) == start
    assert clock.now_since_boot(20.4) == start + timedelta(seconds=10)


def test_a_small_correction_is_no_jump(machine: Machine) -> None:
    with machine.open_inbox() as inbox:
        for seconds in (1.5, -1.5, -1.5, 1.5):
            machine.set_clock(seconds)
            assert inbox.adjust_clock() == 0


def test_a_suspended_machine_is_corrected_by_a_running_one(machine: Machine) -> None:
    """
    The suspended machine sees a jump of the clock.

    In the end all processes have the same clock, which never went back.
    """
    with machine.open_inbox() as running, machine.open_inbox(paused=3 * HOUR) as paused:
        settle_time = running.stats().now
        assert paused.adjust_clock() == pytest.approx(3 * HOUR, abs=CLOSE)
        assert running.adjust_clock() == pytest.approx(-3 * HOUR, abs=CLOSE)
        assert [inbox.adjust_clock() for inbox in (paused, running, paused)] == [0, 0, 0]
        for inbox in (running, paused):
            assert near(inbox.stats().now, settle_time)
            with inbox._database.read() as tx:
                assert near(tx.now, settle_time)


def test_a_process_that_freezes_while_it_reads_the_clock_sees_no_jump() -> None:
    clock, start = InboxClock(), Clock().now

    def read(seconds: float, before: float, after: float) -> ClockReading:
        return ClockReading(start + timedelta(seconds=seconds), before, after)

    clock.start(read(0, 0, 0.1), timedelta(), None, None)
    for frozen in (read(10, 10, 500), read(500, 10, 500)):
        assert clock.jump(frozen, timedelta()) == 0
        assert clock.now(frozen) == frozen.wall
    assert clock.jump(read(505, 500, 500.1), timedelta()) == pytest.approx(5, abs=0.2), (
        "the reading before was not exact"
    )


@pytest.mark.parametrize(("boot_id", "seconds"), [("", 0.0), ("run-1", EXACT), ("run-1", EXACT + 0.1)])
def test_a_mark_is_of_a_known_boot_and_an_exact_reading(boot_id: str, seconds: float) -> None:
    start = Clock().now
    mark = InboxClock(boot_id).mark(ClockReading(start, 10, 10 + seconds), start)
    assert mark == (BootMark("run-1", 10 + EXACT, start) if boot_id and seconds == EXACT else None)


def test_a_mark_that_is_ahead_of_the_machines_own_seconds_is_ignored() -> None:
    clock, start = InboxClock("run-1"), Clock().now
    clock.start(ClockReading(start, 10, 10), timedelta(), None, BootMark("run-1", 500, start))
    assert clock.now_since_boot(10) == start


def test_readings_that_become_slower_follow_the_drift_of_the_clock() -> None:
    clock, start = InboxClock(), Clock().now
    clock.start(ClockReading(start, 0, 0), timedelta(), None, None)
    for minute in range(1, 6):
        reading = ClockReading(start + timedelta(seconds=61.5 * minute), 60 * minute, 60 * minute + EXACT)
        assert clock.jump(reading, timedelta()) == 0
        assert clock.now(reading) == reading.wall


def test_only_the_clock_of_the_machine_has_the_machines_boot(sqlite_url: str) -> None:
    with open_inbox(sqlite_url) as inbox:
        assert inbox._database.clock.boot_id == read_boot_id()
    with open_inbox(sqlite_url, boot_clock=lambda: 0.0) as inbox:
        assert inbox._database.clock.boot_id == ""


@JUMPS
def test_a_running_relay_reports_a_jump_and_delivers_in_time(machine: Machine, jump: float) -> None:
    def script(served: Served) -> None:
        until(lambda: served.get("/readyz").status_code == 200)
        machine.set_clock(jump)
        assert served.webhook(1).status_code == 200
        until(lambda: len(served.to_salesforce.delivered) == 1, seconds=CLOSE)
        served.service.housekeeping._beat()
        (alarm,) = served.service.inbox.alarms()
        way = "forward" if jump > 0 else "back"
        assert (alarm.name, alarm.detail.startswith(f"set {way} by ")) == ("clock_jumped", True)
        (line,) = (
            line
            for line in served.get("/metrics").text.splitlines()
            if line.startswith("sfcode_relay_clock_offset_seconds ")
        )
        assert float(line.split()[-1]) == pytest.approx(jump, abs=CLOSE)

    Relay(machine.url, open_inbox=machine.open_inbox).serve(script)


def test_a_short_jump_is_taken_out_and_raises_no_alarm(machine: Machine) -> None:
    with machine.open_inbox() as inbox:
        instrumentation = Instrumentation()
        housekeeping = Housekeeping(inbox, instrumentation, "host:1:a", config="c0ff1g", retention={})
        machine.set_clock(-5)
        while not inbox.clock_offset:  # repeated, since a busy machine may read the clock too slowly
            housekeeping._beat()
        assert inbox.clock_offset < 0
        assert inbox.alarms() == ()
