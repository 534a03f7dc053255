"""Alarms on their way to the inbox, which may be away."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sfcode.relay.alarms import Alarm, PendingAlarms, read_alarms
from sfcode.relay.inbox import open_inbox
from sfcode.relay.inbox.types import Unavailable


class SettingStore:
    """Remembers, unless it is away."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.away = False

    def remember(self, name: str, value: str) -> None:
        if self.away:
            raise Unavailable("away")
        self.kept[name] = value

    def change(self, name: str, change: Callable[[str | None], str]) -> None:
        self.remember(name, change(self.recall(name)))

    def recall(self, name: str) -> str | None:
        return self.kept.get(name)


def test_an_alarm_that_could_not_be_kept_is_kept_the_next_time():
    memory, pending = SettingStore(), PendingAlarms()
    pending.add("a", "first", "1")
    pending.flush(memory)
    pending.add("a", "second", "2")
    pending.add("b", "other", "3")
    memory.away = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            pending.flush(memory)
    pending.add("a", "third", "4")
    memory.away = False
    pending.flush(memory)
    pending.flush(memory)
    assert sorted(read_alarms(memory), key=lambda each: each.name) == [
        Alarm("a", "third", "4", 3),
        Alarm("b", "other", "3"),
    ]


def test_the_newest_alarm_comes_first_also_after_a_failure():
    memory, pending = SettingStore(), PendingAlarms()
    memory.away = True
    pending.add("a", "", "1")
    pending.add("b", "", "2")
    with pytest.raises(Unavailable):
        pending.flush(memory)
    pending.add("c", "", "3")
    memory.away = False
    pending.flush(memory)
    assert [each.name for each in read_alarms(memory)] == ["c", "b", "a"]


def test_alarms_that_several_processes_raise_at_once_all_survive(database_url: str):
    def raise_some(process: int) -> None:
        with open_inbox(database_url) as inbox:
            for number in range(20):
                pending = PendingAlarms()
                pending.add(f"alarm{process}-{number}", "own", "1")
                pending.add("shared", "of all", "1")
                pending.flush(inbox)

    open_inbox(database_url).close()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(raise_some, range(3)))
    with open_inbox(database_url) as inbox:
        raised = {alarm.name: alarm.times for alarm in read_alarms(inbox)}
    assert len(raised) == 61
    assert raised["shared"] == 60
