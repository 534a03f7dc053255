"""Housekeeping of a relay process, and its alarms."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sfcode.process import is_running
from sfcode.relay import housekeeping
from sfcode.relay.api_calls import ApiBudget
from sfcode.relay.current_pauses import CurrentPauses, wait_for
from sfcode.relay.housekeeping import Housekeeping, select_running
from sfcode.relay.inbox import Filter, Inbox, Process, Unavailable, open_inbox
from sfcode.relay.inbox.bulk_changes import KEPT
from sfcode.relay.inbox.pauses import LONG, LOOK_AGAIN, PAUSED
from sfcode.relay.inbox.types import Purged
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import Delivered, Delivery, InboxMessage
from tests.relay.inbox.conftest import Clock
from tests.relay.serving import Relay
from tests.waiting import PATIENCE

KEEP: dict[Purged, timedelta] = {
    "done": timedelta(days=14),
    "parked": timedelta(days=90),
    "audit": timedelta(days=365),
}
NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)


@pytest.fixture
def inbox(sqlite_inbox_url: str):
    with open_inbox(sqlite_inbox_url) as inbox:
        yield inbox


def keeper(inbox: Inbox, instrumentation: Instrumentation | None = None, name: str = "host:1:a") -> Housekeeping:
    return Housekeeping(inbox, instrumentation or Instrumentation(), name, config="c0ff1g", retention=KEEP)


def test_a_beat_shows_that_the_process_is_alive_and_how_much_waits(inbox):
    inbox.accept([InboxMessage("appcues", f"m{number}", "user:a", "kind", {}) for number in range(3)])
    inbox.accept([InboxMessage("salesforce", "p", "user:a", "kind", {}, parked="no_data")])
    instrumentation = Instrumentation()
    housekeeping = keeper(inbox, instrumentation)
    asyncio.run(housekeeping.beat())
    assert [(process.id, process.config) for process in inbox.processes()] == [("host:1:a", "c0ff1g")]
    text = instrumentation.metrics.text().decode()
    assert 'sfcode_relay_backlog{source="appcues",state="ready"} 3.0' in text
    assert 'sfcode_relay_backlog{source="salesforce",state="parked"} 1.0' in text
    assert "sfcode_relay_processes 1.0" in text
    housekeeping.leave()
    assert inbox.processes() == ()


def test_a_beat_that_is_under_way_does_not_list_a_process_that_has_left(inbox, monkeypatch):
    housekeeping, beat, leave = keeper(inbox), inbox.heartbeat, inbox.leave
    began, has_left, may_go_on = threading.Event(), threading.Event(), threading.Event()

    def beat_slowly(*names: object, **more: object) -> None:
        began.set()
        may_go_on.wait(PATIENCE)
        beat(*names, **more)

    def note_leave(name: str) -> None:
        leave(name)
        has_left.set()

    monkeypatch.setattr(inbox, "heartbeat", beat_slowly)
    monkeypatch.setattr(inbox, "leave", note_leave)
    with ThreadPoolExecutor(2) as pool:
        beating = pool.submit(housekeeping._beat)
        assert began.wait(PATIENCE)
        leaving = pool.submit(housekeeping.leave)
        assert not has_left.wait(0.2), "it waits for the beat"
        may_go_on.set()
        beating.result(PATIENCE)
        leaving.result(PATIENCE)
    housekeeping._beat()
    assert inbox.processes() == ()


def test_processes_share_the_rate_by_their_number(inbox):
    asyncio.run(keeper(inbox, name="host:1:a").beat())
    second = keeper(inbox, name="other:1:b")
    asyncio.run(second.beat())
    assert second.processes == 2


def test_a_killed_process_of_this_machine_does_not_count():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"here:{os.getpid()}:a", f"here:{ended.pid}:b", f"there:{ended.pid}:c", "odd"]
    live_processes = select_running([Process(name, NOW, NOW) for name in names], "here", is_running)
    assert [process.id for process in live_processes] == [names[0], names[2], names[3]]


def test_old_messages_are_purged_and_young_ones_kept(sqlite_url):
    clock = Clock()
    with clock.open_inbox(sqlite_url) as inbox:
        inbox.accept(
            [
                InboxMessage("appcues", "old", "user:a", "kind", {}),
                InboxMessage("appcues", "p", "", "k", {}, parked="x"),
            ]
        )
        claim = inbox.claim("appcues", limit=1, per_key=1, lease=60)
        assert claim is not None
        inbox.settle(claim, Delivery({message.id: Delivered() for message in claim.messages}), lambda *_: None)
        clock.elapse((KEEP["done"] + timedelta(minutes=1)).total_seconds())
        asyncio.run(keeper(inbox).purge())
        assert dict(inbox.stats().counts) == {("appcues", "parked"): 1}


def test_each_state_is_kept_as_long_as_the_config_says(sqlite_url, root, tmp_path):
    shutil.copytree(root / "config", tmp_path / "config")
    settings = tmp_path / "config" / "sfcode.yaml"
    days = "  retention: {delivered_days: 2, parked_days: 3, given_up_days: 4, audit_days: 50}\n"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("relay:\n", f"relay:\n{days}", 1), encoding="utf-8")
    assert Relay(sqlite_url).config(tmp_path / "config").retention == {
        "done": timedelta(days=2),
        "parked": timedelta(days=3),
        "dead": timedelta(days=4),
        "audit": timedelta(days=50),
    }


def test_ended_bulk_changes_and_old_audit_lines_are_purged(sqlite_url):
    clock = Clock()
    with clock.open_inbox(sqlite_url) as inbox:
        inbox.replay(Filter(reason="x"), "ann")
        (line,) = inbox.audit_lines()
        clock.elapse((KEPT + timedelta(minutes=1)).total_seconds())
        asyncio.run(keeper(inbox).purge())
        assert inbox.bulk_changes.find(line.id) is None
        assert inbox.audit_lines() == (line,)
        clock.elapse(KEEP["audit"].total_seconds())
        asyncio.run(keeper(inbox).purge())
        assert inbox.audit_lines() == ()


def test_an_unavailable_database_is_reported_once_and_retried(inbox, monkeypatch):
    housekeeping = keeper(inbox)

    def away(*_: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "heartbeat", away)
        asyncio.run(housekeeping.beat())
        assert housekeeping.trouble == "the database does not answer"
    asyncio.run(housekeeping.beat())
    assert housekeeping.trouble == ""


def test_an_alarm_that_a_frozen_process_is_storing_makes_nobody_unready(postgres_url):
    with open_inbox(postgres_url) as inbox, psycopg.connect(postgres_url) as frozen:
        frozen.execute("INSERT INTO relay_alarms (name, detail, at, times) VALUES ('bad_value', 'x', '1', 1)")
        instrumentation = Instrumentation()
        instrumentation.raise_alarm("bad_value", "x")
        housekeeping = keeper(inbox, instrumentation)
        asyncio.run(housekeeping.beat())
        assert housekeeping.trouble == ""
        frozen.commit()
        asyncio.run(housekeeping.beat())
        assert [alarm.times for alarm in inbox.alarms()] == [2]


def test_housekeeping_sends_heartbeats_until_stopped_and_purges_some_time_after_the_start(inbox, monkeypatch):
    monkeypatch.setattr(housekeeping, "BEAT", 0.001)
    monkeypatch.setattr(housekeeping, "PURGE_FIRST", 0.05)
    own_housekeeping = keeper(inbox)
    events: list[str] = []
    may_end = threading.Event()

    def purge_long(*_: object) -> int:
        events.append("purge")
        may_end.wait(PATIENCE)
        return 0

    async def act() -> None:
        task = asyncio.create_task(own_housekeeping.run())
        monkeypatch.setattr(inbox, "heartbeat", lambda *_, **__: events.append("beat"))
        monkeypatch.setattr(inbox, "purge", purge_long)
        async with asyncio.timeout(PATIENCE):
            while "purge" not in events or events[::-1].index("purge") < 3:  # noqa: ASYNC110 (threads act)
                await asyncio.sleep(0.005)
        may_end.set()
        task.cancel()

    asyncio.run(act())
    assert events.index("purge") > 0, "the first purge comes a while after the start"
    assert events[-3:] == ["beat"] * 3, "a long purge delays no beat"


def test_a_purge_ends_with_the_process(inbox, monkeypatch):
    from sfcode.relay.inbox import inbox as inbox_module

    monkeypatch.setattr(inbox_module, "AT_ONCE", 1)
    inbox.accept([InboxMessage("appcues", f"m{number}", "", "k", {}, parked="x") for number in range(5)])
    housekeeping = keeper(inbox)
    housekeeping.retention = {"parked": timedelta(0)}
    housekeeping.leave()
    housekeeping._purge()
    assert inbox.stats().count("parked") == 4, "one piece, and no more"


def test_a_failed_purge_is_retried(inbox, monkeypatch):
    housekeeping = keeper(inbox)

    def away(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(inbox, "mend", away)
    asyncio.run(housekeeping.purge())
    assert housekeeping.trouble == ""


def test_a_beat_stores_the_minutes_that_are_over_and_a_stop_the_last_one(inbox):
    moments = iter([NOW, NOW, *[NOW + timedelta(minutes=1)] * 20])
    instrumentation = Instrumentation(clock=lambda: next(moments))
    instrumentation.activity.count("appcues", "received", 3)
    housekeeping = keeper(inbox, instrumentation)
    housekeeping._beat()
    assert inbox.activity.spans(0, 60) == []
    instrumentation.activity.count("appcues", "received", 4)
    housekeeping._beat()
    assert [span.number for span in inbox.activity.spans(0, 60)] == [3]
    housekeeping.leave()
    assert sorted(span.number for span in inbox.activity.spans(0, 60)) == [3, 4]


def test_a_stop_stores_the_requests_that_no_beat_has_stored(inbox):
    budget = ApiBudget(lambda: None, lambda *_: None)
    own = Housekeeping(inbox, Instrumentation(), "host:1:a", config="c0ff1g", retention=KEEP, budget=budget)
    budget.pending.count()
    own.leave()
    assert inbox.api_calls.number() == 1


def test_a_beat_reads_pauses_and_wakes_resumed_messages(sqlite_url):
    clock, instrumentation = Clock(), Instrumentation()
    with clock.open_inbox(sqlite_url) as inbox:
        pauses = CurrentPauses()
        own = Housekeeping(inbox, instrumentation, "host:1:a", config="c0ff1g", retention=KEEP, pauses=pauses)
        labels = {"scope": "mapping", "name": "contact"}
        inbox.pause("mapping", "contact", "ann@host")
        own._beat()
        assert [str(pause) for pause in pauses] == ["mapping contact"]
        assert instrumentation.metrics.registry.get_sample_value("sfcode_relay_paused", labels) == 1
        inbox.accept([InboxMessage("appcues", "m", "user:a", "kind", {})])
        claim = inbox.claim("appcues", limit=1, per_key=1, lease=60)
        assert claim is not None
        inbox.settle(claim, Delivery({claim.messages[0].id: wait_for("contact")}), lambda *_: LOOK_AGAIN)
        clock.elapse(LONG.total_seconds() + 1)
        own._beat()
        own._beat()
        assert [(alarm.name, alarm.detail) for alarm in inbox.alarms()] == [(PAUSED, "mapping contact, by ann@host")]
        inbox.resume("mapping", "contact", "ann@host")
        own._beat()
        assert [*pauses] == []
        assert instrumentation.metrics.registry.get_sample_value("sfcode_relay_paused", labels) is None
        assert inbox.claim("appcues", limit=1, per_key=1, lease=60) is not None, "it is due at once"


def test_sessions_that_another_process_ended_end_here_too(inbox):
    first, second = keeper(inbox, name="host:1:a"), keeper(inbox, name="other:1:b")
    second._beat()
    assert second.sessions_end == 0.0
    first.end_sessions(50.0)
    assert first.sessions_end == 50.0
    second._beat()
    assert second.sessions_end == 50.0
    second.end_sessions(70.0)
    first._beat()
    first.sessions_end = 90.0
    first._beat()
    assert (first.sessions_end, second.sessions_end) == (90.0, 70.0), "an end is never taken back"


def test_a_beat_shows_how_old_the_oldest_messages_are(sqlite_url):
    clock, instrumentation = Clock(), Instrumentation()
    with clock.open_inbox(sqlite_url) as inbox:
        own = keeper(inbox, instrumentation)
        inbox.accept([InboxMessage("appcues", "m", "user:a", "kind", {})])
        inbox.accept([InboxMessage("salesforce", "p", "user:b", "kind", {}, parked="no_data")])
        clock.elapse(90)
        own._beat()
        read = instrumentation.metrics.registry.get_sample_value
        ages = {
            name: [read(f"sfcode_relay_{name}_seconds", {"source": source}) for source in ("appcues", "salesforce")]
            for name in ("oldest", "oldest_blocked")
        }
        assert ages == {"oldest": [90.0, 0.0], "oldest_blocked": [0.0, 90.0]}
