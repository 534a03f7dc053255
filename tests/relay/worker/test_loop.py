"""The worker claims, delivers and settles, on a real inbox with a test writer."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from sfcode.relay.inbox import RowLocked, Unavailable, open_inbox
from sfcode.relay.message import Delivered, Delivery, InboxMessage, Parked, Released, Retry
from sfcode.relay.worker.wakeup import Wakeup
from sfcode.relay.worker.worker import Worker, is_full, is_outage, outage_pause
from tests.waiting import PATIENCE, until_async


def message(number: int, key: str = "") -> InboxMessage:
    return InboxMessage("appcues", f"m{number}", key or f"user:{number}", "kind", {"number": number})


def soon(_message, _retry):
    return timedelta(milliseconds=1)


class Writer:
    source = "appcues"
    limit = 10
    per_key = 5
    keys = 10

    def __init__(self, act) -> None:
        self.act = act
        self.delivered: list[int] = []
        self.at_once = 0
        self.most_at_once = 0
        self.closed = False

    async def deliver(self, claim):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            delivery = await self.act(claim)
        finally:
            self.at_once -= 1
        self.delivered += [m.payload["number"] for m in claim.messages]
        return delivery

    async def close(self) -> None:
        self.closed = True


async def done(claim):
    return Delivery({m.id: Delivered() for m in claim.messages})


class WorkerEvents:
    def __init__(self) -> None:
        self.bugs: list[str] = []
        self.count = 0
        self.dead: set[int] = set()

    def record_settled(self, claim, delivery, dead, count) -> None:
        self.count += count
        self.dead |= dead

    def record_bug(self, claim, error) -> None:
        self.bugs.append(type(error).__name__)


class World:
    def __init__(self, inbox, act, /, **options) -> None:
        self.inbox = inbox
        self.wakeup = Wakeup()
        self.writer = Writer(act)
        self.events = WorkerEvents()
        settings = {"retry_delay": soon, "lease": 30.0, "rng": random.Random(1)} | options
        self.worker = Worker(settings.pop("inbox", inbox), self.writer, self.events, wakeup=self.wakeup, **settings)

    async def accept(self, *messages: InboxMessage) -> None:
        await asyncio.to_thread(self.inbox.accept, messages)
        self.wakeup.wake()

    def count(self, state: str) -> int:
        return self.inbox.stats().count(state)


@pytest.fixture
def inbox(sqlite_inbox_url):
    with open_inbox(sqlite_inbox_url) as inbox:
        yield inbox


def test_the_worker_delivers_and_settles_accepted_messages(inbox):
    async def act() -> None:
        world = World(inbox, done)
        world.worker.start()
        await world.accept(*map(message, range(25)))
        await until_async(lambda: world.count("done") == 25)
        await world.worker.stop()
        assert sorted(world.writer.delivered) == list(range(25))
        assert world.events.count == 25
        assert world.writer.closed

    asyncio.run(act())


def test_a_wake_up_starts_the_next_claim_early(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.POLL_FIRST", 1000.0)
    monkeypatch.setattr("sfcode.relay.worker.worker.POLL_MOST", 1000.0)

    async def act() -> None:
        world = World(inbox, done)
        world.worker.start()
        await asyncio.sleep(0.05)
        await world.accept(message(1))
        await until_async(lambda: world.writer.delivered == [1])
        await world.worker.stop()

    asyncio.run(act())


def test_a_wake_up_applies_to_waiting_workers_only():
    wakeup = Wakeup()
    waiting = wakeup.now
    wakeup.wake()
    assert waiting.is_set()
    assert not wakeup.now.is_set()


def test_a_worker_whose_task_has_ended_is_not_alive(inbox):
    may_end = asyncio.Event()

    def end() -> bool:
        if may_end.is_set():
            raise LookupError("a bug")
        return False

    async def act() -> None:
        worker = World(inbox, done, is_paused=end).worker
        assert not worker.alive, "it has not started"
        worker.start()
        assert worker.alive
        may_end.set()
        await until_async(lambda: not worker.alive)
        await worker.stop()

    asyncio.run(act())


def test_another_writer_delivers_from_the_next_batch_on_and_the_old_one_is_closed_after_its_last(inbox):
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def hold(claim):
        has_begun.set()
        await may_end.wait()
        return await done(claim)

    async def act() -> None:
        world = World(inbox, hold)
        second, third = Writer(done), Writer(done)
        world.worker.start()
        await world.accept(message(1))
        await has_begun.wait()
        await world.worker.replace_writer(second)
        assert not world.writer.closed, "it is delivering"
        may_end.set()
        await until_async(lambda: world.writer.closed)
        for number in (2, 3):
            await world.accept(message(number))
            await until_async(lambda number=number: world.count("done") == number)
        assert (world.writer.delivered, second.delivered, second.closed) == ([1], [2, 3], False)
        await until_async(lambda: not world.worker._claims)
        await world.worker.replace_writer(third)
        assert second.closed, "it was idle"
        await world.worker.stop()
        assert third.closed

    asyncio.run(act())


def test_an_exception_of_the_writer_is_a_bug_after_which_the_message_is_tried_again(inbox):
    tries = []

    async def fails_once(claim):
        tries.append(claim)
        if len(tries) == 1:
            raise ZeroDivisionError
        return await done(claim)

    async def act() -> None:
        world = World(inbox, fails_once)
        world.worker.start()
        await world.accept(message(1))
        await until_async(lambda: world.count("done") == 1)
        await world.worker.stop()
        assert world.events.bugs == ["ZeroDivisionError"]
        assert tries[1].messages[0].attempts == 1

    asyncio.run(act())


def test_a_message_that_makes_the_writer_fail_does_not_block_others(inbox):
    async def fails(claim):
        if any(m.payload["number"] == 2 for m in claim.messages):
            raise ZeroDivisionError
        return await done(claim)

    async def act() -> None:
        world = World(inbox, fails, retry_delay=lambda message, retry: None)
        await world.accept(*map(message, range(5)))
        world.worker.start()
        await until_async(lambda: world.count("done") + world.count("dead") == 5)
        await world.worker.stop()
        assert (world.count("done"), world.count("dead")) == (4, 1)
        assert world.events.bugs == ["ZeroDivisionError"]

    asyncio.run(act())


def test_a_message_that_the_writer_forgot_is_a_bug_and_not_lost(inbox):
    number_lists = []

    async def forgets(claim):
        number_lists.append([m.payload["number"] for m in claim.messages])
        if len(number_lists) == 1:
            return Delivery({m.id: Delivered() for m in claim.messages if m.payload["number"] != 1})
        return await done(claim)

    async def act() -> None:
        world = World(inbox, forgets)
        await world.accept(message(0), message(1))
        world.worker.start()
        await until_async(lambda: world.count("done") == 2)
        await world.worker.stop()
        assert world.events.bugs == ["LookupError"]
        assert number_lists[1:] == [[1]]

    asyncio.run(act())


def test_dead_letters_are_reported(inbox):
    async def raise_again(claim):
        return Delivery({m.id: Retry("no") if m.payload["number"] else Parked("why") for m in claim.messages})

    async def act() -> None:
        world = World(inbox, raise_again, retry_delay=lambda message, retry: None)
        await world.accept(message(0), message(1))
        world.worker.start()
        await until_async(lambda: world.count("dead") + world.count("parked") == 2)
        await world.worker.stop()
        assert len(world.events.dead) == 1

    asyncio.run(act())


def test_a_stop_completes_running_batches_and_claims_no_others(inbox):
    async def act() -> None:
        go, has_begun = asyncio.Event(), asyncio.Event()

        async def slow(claim):
            has_begun.set()
            await go.wait()
            return await done(claim)

        world = World(inbox, slow)
        world.worker.start()
        await world.accept(message(1))
        await has_begun.wait()
        await world.accept(message(2))
        stopping = asyncio.create_task(world.worker.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        go.set()
        await stopping
        assert world.writer.delivered == [1]
        assert (world.count("done"), world.count("ready"), world.count("leased")) == (1, 1, 0)

    asyncio.run(act())


def test_a_stop_releases_messages_that_do_not_finish_before_their_lease_ends(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.MARGIN", 29.8)

    async def act() -> None:
        has_begun = asyncio.Event()

        async def hangs(claim):
            has_begun.set()
            await asyncio.Event().wait()

        world = World(inbox, hangs)
        world.worker.start()
        await world.accept(message(1))
        await has_begun.wait()
        async with asyncio.timeout(PATIENCE):
            await world.worker.stop()
        assert (world.count("ready"), world.count("leased")) == (1, 0)
        second_claim = inbox.claim("appcues", limit=1, per_key=1, lease=1)
        assert second_claim is not None
        assert second_claim.messages[0].attempts == 0, "it was not tried"

    asyncio.run(act())


class Flaky:
    """An inbox whose database is unavailable from time to time."""

    error: Exception = Unavailable("away")

    def __init__(self, inbox, **failures: int) -> None:
        self._inbox = inbox
        self.failures = failures

    def __getattr__(self, name):
        def call(*args, **options):
            if self.failures.get(name, 0):
                self.failures[name] -= 1
                raise self.error
            return getattr(self._inbox, name)(*args, **options)

        return call


def test_an_outage_of_the_database_only_delays_deliveries(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.TROUBLE_FIRST", 0.01)

    async def act() -> None:
        flaky = Flaky(inbox, claim=10**9, settle=3)
        world = World(inbox, done, inbox=flaky)
        world.worker.start()
        await until_async(lambda: world.worker.trouble)
        assert world.worker.alive
        flaky.failures["claim"] = 0
        await world.accept(message(1))
        await until_async(lambda: world.count("done") == 1)
        assert world.writer.delivered == [1], "delivered once, settled at the fourth try"
        await until_async(lambda: not world.worker.trouble)
        await world.worker.stop()

    asyncio.run(act())


def test_an_unavailable_database_is_retried_after_a_pause(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.TROUBLE_FIRST", 1000.0)
    limit = 10**9
    away = Flaky(inbox, claim=limit)

    async def act() -> None:
        world = World(inbox, done, inbox=away)
        world.worker.start()
        await until_async(lambda: world.worker.trouble)
        await asyncio.sleep(0.05)
        assert away.failures["claim"] == limit - 1
        away.failures["claim"] = 0
        await world.accept(message(1))
        await until_async(lambda: world.writer.delivered == [1])
        await world.worker.stop()

    asyncio.run(act())


def test_a_row_locked_by_a_frozen_process_is_not_an_outage_of_the_database(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.TROUBLE_FIRST", 0.01)

    async def act() -> None:
        flaky = Flaky(inbox, claim=2, settle=3)
        flaky.error = RowLocked("locked")
        world = World(inbox, done, inbox=flaky)
        await world.accept(message(1))
        world.worker.start()

        def is_done() -> bool:
            assert world.worker.trouble == ""
            return bool(world.count("done"))

        await until_async(is_done)
        assert world.writer.delivered == [1]
        await world.worker.stop()

    asyncio.run(act())


@pytest.mark.parametrize("refuses_retries", [False, True])
def test_a_result_that_the_database_refuses_affects_only_its_key(inbox, refuses_retries):
    """The whole claim would be delivered again after each lease, for ever."""

    class Refusing(Flaky):
        def settle(self, claim, delivery, delay):
            numbers = {m.payload["number"] for m in claim.messages}
            if 3 in numbers and (refuses_retries or isinstance(delivery.settlements[claim.messages[0].id], Delivered)):
                raise ValueError("a value that no column can hold")
            return self._inbox.settle(claim, delivery, delay)

    async def act() -> None:
        world = World(inbox, done, inbox=Refusing(inbox), retry_delay=lambda *_: None)
        await world.accept(*map(message, range(1, 6)), message(6, "user:3"))
        world.worker.start()
        ends = (("done", 4), ("leased", 2)) if refuses_retries else (("done", 4), ("dead", 2))
        await until_async(lambda: all(world.count(state) == number for state, number in ends))
        assert world.worker.alive
        assert world.worker.trouble == ""
        assert set(world.events.bugs) == {"ValueError"}
        await world.worker.stop()

    asyncio.run(act())


def test_several_lanes_deliver_at_once_but_never_two_batches_of_one_key(inbox):
    async def act() -> None:
        barrier = asyncio.Barrier(2)
        keys: set[str] = set()

        async def together(claim):
            own_keys = {m.key for m in claim.messages}
            assert not own_keys & keys
            keys.update(own_keys)
            if len(own_keys) == 1:
                await barrier.wait()
            keys.difference_update(own_keys)
            return await done(claim)

        world = World(inbox, together, task_count=2)
        world.writer.limit = 1
        world.worker.start()
        await world.accept(message(1, "user:a"), message(2, "user:b"))
        await until_async(lambda: world.count("done") == 2)
        await world.worker.stop()
        assert world.writer.most_at_once == 2
        assert world.events.bugs == []

    asyncio.run(act())


def test_the_pauses_grow_while_a_far_side_does_not_respond(inbox, monkeypatch):
    sizes = []

    async def act() -> None:
        async def away(claim):
            sizes.append(len(claim.messages))
            if len(sizes) < 4:
                return Delivery({m.id: Retry("away", counts=False) for m in claim.messages})
            return await done(claim)

        waits = []
        monkeypatch.setattr("sfcode.relay.worker.worker.outage_pause", lambda outages: waits.append(outages) or 0.001)
        world = World(inbox, away)
        await world.accept(*map(message, range(3)))
        world.worker.start()
        await until_async(lambda: world.count("done") == 3)
        await world.accept(message(9))
        await until_async(lambda: world.count("done") == 4)
        await world.worker.stop()
        assert waits[:3] == [1, 2, 3]
        assert len(waits) == 3, "once it answers, nobody waits"

    asyncio.run(act())


@pytest.mark.parametrize(
    ("ends", "outage"),
    [
        ([Retry("away", counts=False)], True),
        ([Retry("away", counts=False), Released()], True),
        ([Retry("away", counts=False), Delivered()], False),
        ([Retry("away", counts=False), Parked("why")], False),
        ([Retry("locked")], False),
        ([Retry("refused", counts=False, of_mapping=True)], False),
        ([Released()], False),
        ([], False),
    ],
)
def test_an_outage_is_a_batch_without_a_success_and_without_a_failed_message(ends, outage):
    assert is_outage(Delivery(dict(enumerate(ends)))) is outage


def test_the_pauses_of_an_outage_grow_to_half_a_minute():
    assert [outage_pause(n) for n in (1, 2, 3, 6, 7, 100, 10**6)] == [0.5, 1.0, 2.0, 16.0, 30.0, 30.0, 30.0]


def test_messages_of_a_mapping_that_waits_do_not_delay_those_of_others(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.OUTAGE_FIRST", 1000.0)
    monkeypatch.setattr("sfcode.relay.worker.worker.OUTAGE_MOST", 1000.0)

    async def act() -> None:
        async def wait_or_deliver(claim):
            wait = Retry("refused", counts=False, of_mapping=True)
            return Delivery({m.id: wait if m.key.endswith("@lead") else Delivered() for m in claim.messages})

        world = World(inbox, wait_or_deliver)
        await world.accept(*(message(number, f"user:{number}@lead") for number in range(25)))
        world.worker.start()
        await until_async(lambda: len(world.writer.delivered) >= 25)
        await world.accept(message(99))
        await until_async(lambda: world.count("done") == 1)
        await world.worker.stop()
        assert world.count("ready") == 25

    asyncio.run(act())


def test_a_stop_does_not_wait_for_the_pause_of_an_outage(inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.worker.worker.OUTAGE_FIRST", 1000.0)
    monkeypatch.setattr("sfcode.relay.worker.worker.OUTAGE_MOST", 1000.0)

    async def act() -> None:
        async def away(claim):
            return Delivery({m.id: Retry("away", counts=False) for m in claim.messages})

        world = World(inbox, away, lease=1000.0)
        await world.accept(message(1))
        world.worker.start()
        await until_async(lambda: world.events.count)
        async with asyncio.timeout(PATIENCE):
            await world.worker.stop()

    asyncio.run(act())


def test_new_messages_are_collected_for_the_next_batch(inbox):
    async def act() -> None:
        world = World(inbox, done, gather=1000.0)
        batches = []

        async def batch(claim):
            batches.append(len(claim.messages))
            return await done(claim)

        world.writer.act = batch
        now = [0.0]
        world.worker._clock = lambda: now[0]
        world.worker.start()
        await world.accept(message(1))
        await until_async(lambda: world.count("done") == 1)
        for number in range(2, 7):
            await world.accept(message(number))
            await asyncio.sleep(0.01)
        assert batches == [1], "the first came at once, the others wait"
        async with asyncio.timeout(PATIENCE):
            await world.worker.stop()
        assert world.count("ready") == 5

    asyncio.run(act())


@pytest.mark.parametrize(
    ("keys", "ends", "full"),
    [
        ("abc", Delivered(), False),
        ("abcdefghij", Delivered(), True),
        ("aaaaa", Delivered(), True),
        ("aaaab", Delivered(), False),
        ("abc", Released(), True),
        ("abc", Retry("later"), False),
    ],
)
def test_a_batch_is_full_when_more_may_wait(inbox, keys, ends, full):
    inbox.accept([message(number, f"user:{key}") for number, key in enumerate(keys)])
    claim = inbox.claim("appcues", limit=10, per_key=5, keys=10, lease=60)
    assert is_full(claim, Delivery({m.id: ends for m in claim.messages}), Writer(done)) is full
