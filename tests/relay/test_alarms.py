"""Alarms on their way to the inbox, which may be away."""

from __future__ import annotations

import pytest

from sfcode.relay.alarms import Alarm, PendingAlarms, read_alarms
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
