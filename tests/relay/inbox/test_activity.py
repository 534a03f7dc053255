"""Activity: counted in memory by the minute, and added up in the inbox over all processes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from sfcode.relay.activity import BEYOND, ActivityKey, PendingActivity
from sfcode.relay.inbox import Inbox
from sfcode.relay.inbox.activity import KEPT, MINUTES_KEPT

NOON = 1_800_014_400
"""The Unix time at which an hour begins."""


class Store:
    """Records the numbers that are added, or fails."""

    def __init__(self) -> None:
        self.added: list[dict[ActivityKey, int]] = []
        self.is_away = False

    def add(self, numbers: Mapping[ActivityKey, int]) -> None:
        if self.is_away:
            raise OSError("away")
        self.added.append(dict(numbers))


class Clock:
    now = float(NOON)

    def __call__(self) -> float:
        return self.now


def test_a_minute_is_stored_once_it_is_over_and_what_is_left_at_the_end() -> None:
    clock, store = Clock(), Store()
    pending = PendingActivity(clock)
    pending.count("appcues", "received", 2)
    clock.now += 59
    pending.count("appcues", "received")
    pending.count("appcues", "retried", 0)
    pending.flush(store)
    assert store.added == []
    clock.now += 1
    pending.observe("appcues", "commit_time", {0.005: 1, 0.0051: 2, 90_000: 3})
    pending.flush(store)
    assert store.added == [{ActivityKey(NOON, "appcues", "received"): 3}]
    pending.flush(store, only_complete=False)
    assert {(key.begins, key.bound): number for key, number in store.added[1].items()} == {
        (NOON + 60, 5): 1,
        (NOON + 60, 10): 2,
        (NOON + 60, BEYOND): 3,
    }
    pending.flush(store, only_complete=False)
    assert len(store.added) == 2, "nothing is stored twice"


def test_activity_of_a_failed_write_is_kept_with_what_came_since() -> None:
    clock, store = Clock(), Store()
    pending = PendingActivity(clock)
    pending.count("appcues", "dead", 2)
    pending.record_peak("appcues", "oldest_seconds", 30.4)
    pending.record_peak("appcues", "oldest_seconds", 20)
    store.is_away = True
    with pytest.raises(OSError, match="away"):
        pending.flush(store, only_complete=False)
    pending.count("appcues", "dead")
    pending.record_peak("appcues", "oldest_seconds", 25)
    store.is_away = False
    pending.flush(store, only_complete=False)
    assert {key.figure: number for key, number in store.added[0].items()} == {"dead": 3, "oldest_seconds": 30}


def test_all_processes_add_to_the_same_numbers_and_of_a_peak_the_largest_stays(inbox: Inbox) -> None:
    numbers = {
        ActivityKey(NOON + 60 * minute, source, figure): 10 + minute
        for minute in range(3)
        for source in ("appcues", "salesforce")
        for figure in ("received", "oldest_seconds")
    }
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(inbox.activity.add, [numbers] * 8))
    by_minute = {(span.slot, span.figure): span.number for span in inbox.activity.spans(NOON, 60)}
    assert by_minute[NOON // 60, "received"] == 80
    assert by_minute[NOON // 60, "oldest_seconds"] == 10
    by_hour = [span for span in inbox.activity.spans(NOON, 3600) if span.source == "appcues"]
    assert sorted((span.figure, span.number) for span in by_hour) == [("oldest_seconds", 12), ("received", 264)]
    assert inbox.activity.spans(NOON + 180, 60) == []


def test_the_classes_of_a_duration_are_summed_separately(inbox: Inbox) -> None:
    for minute in range(2):
        keys = {bound: ActivityKey(NOON + 60 * minute, "appcues", "commit_time", bound) for bound in (5, 10)}
        inbox.activity.add({keys[5]: 7, keys[10]: 1})
    assert sorted(inbox.activity.spans(NOON, 3600)) == [
        (NOON // 3600, "appcues", "commit_time", 5, 14),
        (NOON // 3600, "appcues", "commit_time", 10, 2),
    ]


def test_minutes_become_hours_and_hours_are_deleted_after_a_week(inbox: Inbox) -> None:
    inbox.activity.add({ActivityKey(NOON + 60 * n, "appcues", "received"): 1 for n in range(61)})
    inbox.activity.add({ActivityKey(NOON + 60 * n, "appcues", "oldest_seconds"): n + 1 for n in range(61)})
    later = NOON + 3600 + int(MINUTES_KEPT.total_seconds())

    def rows() -> list[tuple[int, str, int]]:
        return sorted((span.slot * 60 - NOON, span.figure, span.number) for span in inbox.activity.spans(0, 60))

    inbox.activity.compact(later - 1)
    assert len(rows()) == 122, "an hour that is shown by the minute is not touched"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(inbox.activity.compact, [later] * 4))
    assert rows() == [
        (0, "oldest_seconds", 60),
        (0, "received", 60),
        (3600, "oldest_seconds", 61),
        (3600, "received", 1),
    ]
    inbox.activity.compact(NOON + 1 + int(KEPT.total_seconds()))
    assert [at for at, _, _ in rows()] == [3600, 3600]
