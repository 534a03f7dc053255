"""Group commit: waiting callers share a transaction, and each gets the result of its own messages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Busy, GroupCommit, Inbox, Unavailable
from sfcode.relay.message import Claim, InboxMessage
from tests.relay.inbox.samples import message, settle, states, take
from tests.waiting import PATIENCE


class Gate:
    """An inbox whose writes wait for the test. It records which callers share a transaction, and can fail."""

    def __init__(self, inbox: Inbox, *, open: bool = False, commits_at_once: int = 1) -> None:
        self.inbox = inbox
        self.commits_at_once = commits_at_once
        self.open = threading.Semaphore(10_000 if open else 0)
        self.shared: list[int] = []
        self.failing: dict[str, Exception] = {}
        self.began = threading.Event()

    def accept_each(self, groups: Sequence[Sequence[InboxMessage]]) -> tuple[int, ...]:
        self.began.set()
        assert self.open.acquire(timeout=PATIENCE)
        self.shared.append(len(groups))
        for entry in (entry for group in groups for entry in group):
            if entry.message_id in self.failing:
                raise self.failing[entry.message_id]
        return self.inbox.accept_each(groups)


def run(act: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await act()

    asyncio.run(bounded())


async def wait_until_begun(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.began.wait, PATIENCE)


def test_messages_are_kept_when_accept_returns(inbox: Inbox) -> None:
    async def act() -> None:
        async with GroupCommit(inbox) as commit:
            assert await commit.accept([message(1), message(2)]) == 2
            assert len(states(inbox)) == 2
            assert await commit.accept([message(2), message(3)]) == 1
            assert await commit.accept([]) == 0

    run(act)
    assert len(states(inbox)) == 3


def test_waiting_callers_share_a_transaction_with_their_own_counts(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            tasks = [asyncio.create_task(commit.accept([message(n // 2), message(100 + n)])) for n in range(40)]
            await asyncio.sleep(0)
            assert commit.waiting == 80
            gate.open.release(2)
            assert await first == 1
            counts = await asyncio.gather(*tasks)
        assert gate.shared == [1, 40]
        assert counts == [1, 1] + [2, 1] * 19

    run(act)


def test_later_callers_share_transactions_too(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            for number in (0, 100, 200):
                gate.began.clear()
                gate.open = threading.Semaphore(0)
                tasks = [asyncio.create_task(commit.accept([message(number)]))]
                await wait_until_begun(gate)
                for arrival in range(1, 6):
                    tasks.append(asyncio.create_task(commit.accept([message(number + arrival)])))
                    for _ in range(5):
                        await asyncio.sleep(0)
                gate.open.release(10)
                await asyncio.gather(*tasks)
        assert gate.shared == [1, 5] * 3

    run(act)


def test_a_transaction_has_a_size_that_it_does_not_pass(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        async with GroupCommit(gate, at_once=10) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            tasks = [asyncio.create_task(commit.accept([message(n * 4 + m) for m in range(4)])) for n in range(5)]
            large = asyncio.create_task(commit.accept([message(1000 + n) for n in range(25)]))
            await asyncio.sleep(0)
            gate.open.release(10)
            await asyncio.gather(first, *tasks, large)
        assert gate.shared == [1, 2, 2, 1, 1]

    run(act)


def test_a_message_that_cannot_be_written_does_not_take_others_with_it(inbox: Inbox) -> None:
    gate = Gate(inbox)
    gate.failing["m3"] = ValueError("poison")

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            tasks = [asyncio.create_task(commit.accept([message(n)])) for n in range(1, 6)]
            await asyncio.sleep(0)
            gate.open.release(100)
            await first
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(end) for end in ends] == ["1", "1", "poison", "1", "1"]

    run(act)
    assert sorted(states(inbox)) == [0, 1, 2, 4, 5]


def test_a_refused_message_fails_only_its_caller(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            poison = asyncio.create_task(commit.accept([message(1, payload={"number": object()})]))
            other_task = asyncio.create_task(commit.accept([message(2)]))
            await asyncio.sleep(0)
            gate.open.release(100)
            assert await first == 1
            assert await other_task == 1
            with pytest.raises(Exception, match="not JSON serializable"):
                await poison

    run(act)
    assert sorted(states(inbox)) == [0, 2]


def test_a_failed_database_fails_all_waiting_callers_and_later_ones_succeed(inbox: Inbox) -> None:
    gate = Gate(inbox)
    gate.failing["m1"] = Unavailable("away")

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            tasks = [asyncio.create_task(commit.accept([message(n)])) for n in range(1, 6)]
            await asyncio.sleep(0)
            gate.open.release(100)
            await first
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(end) for end in ends] == [Unavailable] * 5
            assert gate.shared == [1, 5], "nobody asked it five times more"
            assert await commit.accept([message(9)]) == 1

    run(act)


def test_a_canceled_caller_does_not_affect_others(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            first_task = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            waiting = [asyncio.create_task(commit.accept([message(n)])) for n in range(1, 4)]
            await asyncio.sleep(0)
            for task in (first_task, waiting[1]):
                task.cancel()
            gate.open.release(100)
            ends = await asyncio.gather(first_task, *waiting, return_exceptions=True)
            assert [type(end) for end in ends] == [asyncio.CancelledError, int, asyncio.CancelledError, int]
            assert commit.waiting == 0

    run(act)
    assert sorted(states(inbox)) == [0, 1, 3], "what was on its way is kept; who was not yet taken will send again"


def test_messages_beyond_the_memory_limit_are_refused_at_once(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        async with GroupCommit(gate, most_waiting=10) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            fits = asyncio.create_task(commit.accept([message(n) for n in range(1, 10)]))
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await commit.accept([message(10), message(11)])
            last = asyncio.create_task(commit.accept([message(10)]))
            await asyncio.sleep(0)
            gate.open.release(100)
            assert [await first, await fits, await last] == [1, 9, 1]
            assert await commit.accept([message(11)]) == 1

    run(act)


def test_a_stop_commits_waiting_messages_and_refuses_new_ones(inbox: Inbox) -> None:
    gate = Gate(inbox)

    async def act() -> None:
        commit = GroupCommit(gate, at_once=2)
        commit.start()
        tasks = [asyncio.create_task(commit.accept([message(n)])) for n in range(7)]
        await wait_until_begun(gate)
        stopping = asyncio.create_task(commit.stop())
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="stopping"):
            await commit.accept([message(99)])
        assert not stopping.done()
        gate.open.release(100)
        await stopping
        assert await asyncio.gather(*tasks) == [1] * 7

    run(act)
    assert len(states(inbox)) == 7


def test_a_committer_that_was_not_started_refuses_messages_and_can_be_stopped(inbox: Inbox) -> None:
    async def act() -> None:
        commit = GroupCommit(inbox)
        with pytest.raises(Busy):
            await commit.accept([message(1)])
        await commit.stop()
        await commit.stop()

    run(act)


def test_thousands_at_once_are_each_kept_once(inbox: Inbox) -> None:
    gate = Gate(inbox, open=True)

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            counts = await asyncio.gather(*(commit.accept([message(n % 1000)]) for n in range(2000)))
        assert sum(counts) == 1000

    run(act)
    assert len(states(inbox)) == 1000
    assert len(gate.shared) < 20


def test_two_transactions_run_at_once_on_postgresql(inbox: Inbox) -> None:
    """On PostgreSQL one transaction waits for the disk while the next one is sent; a third one collects new callers."""
    gate = Gate(inbox, commits_at_once=2)

    async def act() -> None:
        async with GroupCommit(gate) as commit:
            first = asyncio.create_task(commit.accept([message(0)]))
            await wait_until_begun(gate)
            gate.began.clear()
            second = asyncio.create_task(commit.accept([message(1)]))
            await wait_until_begun(gate)
            tasks = [asyncio.create_task(commit.accept([message(2 + n)])) for n in range(10)]
            await asyncio.sleep(0.05)
            assert commit.waiting == 10
            gate.began.clear()
            gate.open.release()
            await wait_until_begun(gate)  # the third, when one of the two has ended
            gate.open.release(2)
            assert await asyncio.gather(first, second, *tasks) == [1] * 12
        assert sorted(gate.shared) == [1, 1, 10]

    run(act)


def test_a_stop_waits_for_all_transactions_on_their_way(inbox: Inbox) -> None:
    gate = Gate(inbox, commits_at_once=2)

    async def act() -> None:
        commit = GroupCommit(gate)
        commit.start()
        first = asyncio.create_task(commit.accept([message(0)]))
        await wait_until_begun(gate)
        gate.began.clear()
        second = asyncio.create_task(commit.accept([message(1)]))
        await wait_until_begun(gate)
        stopping = asyncio.create_task(commit.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        gate.open.release(2)
        await stopping
        assert [await first, await second] == [1, 1]

    run(act)
    assert len(states(inbox)) == 2


def test_an_answer_waits_for_the_disk_and_a_claim_or_settlement_does_not(inbox: Inbox) -> None:
    """A power failure can only undo a claim or a settlement; then the message is delivered again."""
    statements = {
        "sqlite": ("PRAGMA synchronous", {2: True, 1: False}),
        "postgresql": ("SHOW synchronous_commit", {"on": True, "off": False}),
    }
    durable: list[bool] = []

    def note(db: sa.Connection) -> None:
        statement, meanings = statements[db.dialect.name]
        durable.append(meanings[db.exec_driver_sql(statement).scalar()])  # type: ignore[index]

    def during(work: Callable[[], object]) -> list[bool]:
        durable.clear()
        sa.event.listen(sa.Engine, "commit", note)
        try:
            work()
        finally:
            sa.event.remove(sa.Engine, "commit", note)
        return list(durable)

    assert during(lambda: inbox.accept([message(1)])) == [True]
    claims: list[Claim] = []
    assert during(lambda: claims.append(take(inbox))) == [False]
    assert during(lambda: settle(inbox, claims[0])) == [False]
    assert during(lambda: inbox.remember("a", "b")) == [True]
    assert during(lambda: inbox.accept([message(2)])) == [True]
