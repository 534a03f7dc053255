"""The calls of a group commit to its observer, and the end of a group commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from sfcode.relay.inbox import Busy, GroupCommit, Unavailable
from sfcode.relay.message import InboxMessage
from tests.relay.inbox.samples import message
from tests.waiting import PATIENCE


class Store:
    """Stores messages in memory, or fails on request."""

    commits_at_once = 1

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.stored: list[list[list[str]]] = []
        self.threads: set[str] = set()

    def accept_each(self, groups: Sequence[Sequence[InboxMessage]]) -> tuple[int, ...]:
        self.threads.add(threading.current_thread().name)
        if self.failures:
            raise self.failures.pop(0)
        self.stored.append([[entry.message_id for entry in group] for group in groups])
        return tuple(range(10, 10 + len(groups)))


class Observer:
    """Records the commits, and the thread that reports them."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[list[str]], list[int]]] = []
        self.threads: set[str] = set()

    def __call__(
        self, groups: Sequence[Sequence[InboxMessage]], counts: Sequence[int], seconds: Sequence[float]
    ) -> None:
        assert len(seconds) == len(groups)
        assert all(0 <= duration < PATIENCE for duration in seconds)
        self.threads.add(threading.current_thread().name)
        self.calls.append(([[entry.message_id for entry in group] for group in groups], list(counts)))


async def accept(store: Store, observer: Observer, sizes: Sequence[int], at_once: int = 500) -> list[object]:
    """Accept groups of messages of these sizes at the same time."""
    async with asyncio.timeout(PATIENCE), GroupCommit(store, committed=observer, at_once=at_once) as commit:
        calls = [commit.accept([message(100 * at + number) for number in range(size)]) for at, size in enumerate(sizes)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert commit.waiting == 0
    return list(answers)


def test_the_observer_is_notified_of_each_transaction_with_its_counts() -> None:
    store, observer = Store(), Observer()
    assert asyncio.run(accept(store, observer, [1, 2])) == [10, 11]
    assert observer.calls == [([["m0"], ["m100", "m101"]], [10, 11])]
    assert observer.threads == {threading.current_thread().name}
    assert all(name.startswith("inbox-accept") for name in store.threads)


@pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("poison")])
def test_the_observer_is_not_notified_of_a_failure(failure: Exception) -> None:
    observer = Observer()
    assert asyncio.run(accept(Store(failure), observer, [1])) == [failure]
    assert observer.calls == []


def test_after_a_failure_each_caller_is_retried_alone() -> None:
    store, observer = Store(ValueError("one of them"), ValueError("the first")), Observer()
    first, second, third = asyncio.run(accept(store, observer, [1, 1, 1]))
    assert (str(first), second, third) == ("the first", 10, 10)
    assert store.stored == [[["m100"]], [["m200"]]]
    assert observer.calls == [([["m100"]], [10]), ([["m200"]], [10])]


@pytest.mark.parametrize(("sizes", "shared"), [([5, 5], [2]), ([5, 6], [1, 1]), ([11, 1], [1, 1]), ([1, 9, 1], [2, 1])])
def test_a_transaction_is_full_at_its_size_and_not_before(sizes: list[int], shared: list[int]) -> None:
    store = Store()
    asyncio.run(accept(store, Observer(), sizes, at_once=10))
    assert [len(groups) for groups in store.stored] == shared


def test_callers_are_served_in_the_order_of_their_calls() -> None:
    store = Store()
    asyncio.run(accept(store, Observer(), [1] * 7, at_once=2))
    assert [name for groups in store.stored for (name,) in groups] == [f"m{100 * at}" for at in range(7)]


def test_a_canceled_caller_frees_its_room_in_the_transaction() -> None:
    store = Store()

    async def act() -> None:
        async with asyncio.timeout(PATIENCE), GroupCommit(store, at_once=2) as commit:
            calls = [asyncio.ensure_future(commit.accept([message(number)])) for number in range(4)]
            await asyncio.sleep(0)
            calls[0].cancel()
            calls[1].cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(act())
    assert [name for groups in store.stored for (name,) in groups][-2:] == ["m2", "m3"]


def test_a_call_at_the_limit_is_accepted_and_one_above_is_refused() -> None:
    async def act() -> None:
        async with asyncio.timeout(PATIENCE), GroupCommit(Store(), most_waiting=3) as commit:
            assert await commit.accept([message(number) for number in range(3)]) == 10
            with pytest.raises(Busy, match="0 messages wait") as caught:
                await commit.accept([message(number) for number in range(4)])
            assert caught.value.hint
            assert await commit.accept([message(9)]) == 10

    asyncio.run(act())


def test_the_thread_of_a_committer_ends_with_it() -> None:
    store = Store()
    asyncio.run(accept(store, Observer(), [1]))
    assert not store.threads & {thread.name for thread in threading.enumerate()}
