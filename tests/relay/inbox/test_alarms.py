"""Alarms are stored in the inbox, also after its database was unavailable."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest

from sfcode.relay.alarms import Alarm, PendingAlarms
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.inbox import alarms as rows
from sfcode.relay.inbox.types import Unavailable
from tests.waiting import PATIENCE

RAISING = """
import sys
from sfcode.relay.alarms import PendingAlarms
from sfcode.relay.inbox import open_inbox
with open_inbox(sys.argv[1]) as inbox:
    sys.stdin.readline()
    for number in range(20):
        pending = PendingAlarms()
        pending.add(f"alarm{sys.argv[2]}-{number}", "own", "1")
        pending.add("shared", "of all", "1")
        pending.flush(inbox)
"""


class AlarmStore:
    """Stores alarms, or fails."""

    def __init__(self) -> None:
        self.raised: list[Alarm] = []
        self.away = False

    def raise_alarms(self, raised: Iterable[Alarm]) -> None:
        if self.away:
            raise Unavailable("away")
        self.raised += raised


def raise_alarm(inbox: Inbox, name: str, detail: str, at: str) -> None:
    pending = PendingAlarms()
    pending.add(name, detail, at)
    pending.flush(inbox)


def test_an_alarm_that_could_not_be_stored_is_stored_the_next_time() -> None:
    memory, pending = AlarmStore(), PendingAlarms()
    pending.add("a", "x", "1")
    memory.away = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            pending.flush(memory)
    pending.add("a", "x", "2")
    pending.add("a", "y", "3")
    memory.away = False
    pending.flush(memory)
    pending.flush(memory)
    assert memory.raised == [Alarm("a", "x", "2", 2), Alarm("a", "y", "3")]


def test_a_repeated_alarm_is_counted_and_one_with_another_detail_is_separate(inbox: Inbox) -> None:
    raise_alarm(inbox, "a", "first", "1")
    raise_alarm(inbox, "b", "first", "2")
    raise_alarm(inbox, "a", "second", "3")
    raise_alarm(inbox, "a", "first", "4")
    assert [(alarm.name, alarm.detail, alarm.at, alarm.times) for alarm in inbox.alarms()] == [
        ("a", "first", "4", 2),
        ("a", "second", "3", 1),
        ("b", "first", "2", 1),
    ]


def test_a_very_long_detail_is_cut(inbox: Inbox) -> None:
    for at in ("1", "2"):
        raise_alarm(inbox, "a", f"{'x' * 5_000}{at}", at)
    assert [(len(alarm.detail), alarm.times) for alarm in inbox.alarms()] == [(rows.LONGEST_DETAIL, 2)]


def test_an_acknowledged_alarm_is_not_listed_until_raised_again(inbox: Inbox) -> None:
    for name in ("a", "b"):
        raise_alarm(inbox, name, "x", "1")
    (alarm,) = (candidate for candidate in inbox.alarms() if candidate.name == "a")
    assert inbox.acknowledge([alarm.id], "ann@host") == 1
    assert inbox.acknowledge([alarm.id]) == 0
    assert [candidate.name for candidate in inbox.alarms()] == ["b"]
    raise_alarm(inbox, "a", "x", "2")
    assert inbox.acknowledge([alarm.id]) == 0, "the new one is another row, which nobody has seen"
    assert [(candidate.name, candidate.times) for candidate in inbox.alarms()] == [("a", 1), ("b", 1)]
    (line,) = inbox.audit_lines()
    assert (line.who, line.action, dict(line.selection), line.number) == ("ann@host", "ack", {"alarms": ["a"]}, 1)


def test_no_number_of_alarms_fills_the_database_and_the_newest_stay(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST", 5)
    for number in range(8):
        raise_alarm(inbox, f"alarm{number}", "x" * 2_000, f"{number}")
    assert [alarm.name for alarm in inbox.alarms()] == ["alarm7", "alarm6", "alarm5", "alarm4", "alarm3"]


def test_an_alarm_with_ever_new_details_removes_no_alarm_of_another_name(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receivers would be notified that the removed alarm was acknowledged."""
    monkeypatch.setattr(rows, "MOST_OF_NAME", 3)
    raise_alarm(inbox, "clearing_stopped", "contact.plan", "0")
    for number in range(1, 8):
        raise_alarm(inbox, "bad_value", f"{number}", f"{number}")
    assert [alarm.detail for alarm in inbox.alarms()] == ["7", "6", "5", "contact.plan"]


def test_alarms_that_three_processes_raise_at_once_all_survive(database_url: str) -> None:
    open_inbox(database_url).close()
    command = [sys.executable, "-c", RAISING, database_url]
    processes = [subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE) for number in range(3)]
    for process in processes:
        process.communicate(b"go\n", timeout=PATIENCE)
    assert [process.returncode for process in processes] == [0, 0, 0]
    with open_inbox(database_url) as inbox:
        raised = {alarm.name: alarm.times for alarm in inbox.alarms()}
    assert len(raised) == 61
    assert raised["shared"] == 60
