"""The worker of one direction: claim, deliver, settle, repeat."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import structlog

from sfcode.errors import SfcodeError
from sfcode.relay.clock import boot_time
from sfcode.relay.inbox.types import RowLocked
from sfcode.relay.instrumentation import WorkerEvents
from sfcode.relay.message import Claim, ClaimedMessage, Delivery, Released, Retry, Source, Writer
from sfcode.relay.tracing import trace_claim
from sfcode.relay.worker.wakeup import Wakeup, wait_for_wakeup

log = structlog.stdlib.get_logger(__name__)

POLL_FIRST = 0.05
POLL_MOST = 1.0
"""Seconds between two queries of an idle worker, for due retries and for messages of other processes."""
TROUBLE_FIRST = 0.2
TROUBLE_MOST = 5.0
"""Seconds between two attempts while the database does not answer."""
OUTAGE_FIRST = 0.5
OUTAGE_MOST = 30.0
"""Seconds between two batches during an outage of Salesforce or Appcues."""
MARGIN = 2.0
"""Seconds at the end of a lease for which a stop does not wait for calls in progress."""

RetryDelay = Callable[[ClaimedMessage, Retry], "timedelta | None"]


class Queue(Protocol):
    """The part of the inbox that a worker uses."""

    def claim(self, source: Source, *, limit: int, per_key: int, keys: int, lease: float) -> Claim | None:
        """Claim messages that are due."""

    def settle(self, claim: Claim, delivery: Delivery, retry: RetryDelay) -> int:
        """Store the settlements of a claim."""

    def release(self, claim: Claim) -> None:
        """Release the messages of a claim."""


class Worker:
    """
    Delivers the messages of one source until it is stopped, in one or several tasks.

    An idle worker starts a batch at once, and the next one after `gather` seconds at the earliest, unless more messages
    than one batch are waiting. Messages that arrive in between share calls and transactions.
    """

    def __init__(
        self,
        inbox: Queue,
        writer: Writer,
        events: WorkerEvents,
        *,
        wakeup: Wakeup,
        retry_delay: RetryDelay,
        lease: float,
        gather: float = 0.0,
        task_count: int = 1,
        rng: random.Random,
        clock: Callable[[], float] = boot_time,
        is_paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._inbox = inbox
        self._writer = writer
        self._uses: Counter[int] = Counter()
        """The tasks that use a writer, by the `id` of the writer."""
        self._events = events
        self._wakeup = wakeup
        self._retry_delay = retry_delay
        self._lease = lease
        self._gather = gather
        self._task_count = task_count
        self._rng = rng
        self._clock = clock
        self._is_paused = is_paused
        """Returns whether deliveries of the source are paused."""
        self._stopping = False
        self._stopped = asyncio.Event()
        self._outages = 0
        """Batches in a row from which nothing was delivered because of an outage."""
        self._tasks: list[asyncio.Task[None]] = []
        self._claims: dict[str, Claim] = {}
        self.trouble = ""
        """Why the worker cannot claim or settle at present, for the readiness check."""

    @property
    def alive(self) -> bool:
        """Whether every task still runs."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    def start(self) -> None:
        """Start the tasks."""
        self._tasks = [
            asyncio.create_task(self._run_task(), name=f"{self._writer.source}-{number}")
            for number in range(self._task_count)
        ]

    async def replace_writer(self, writer: Writer) -> None:
        """Use another writer from the next batch on; the old one is closed after its last batch."""
        old, self._writer = self._writer, writer
        if not self._uses[id(old)]:
            await old.close()

    @contextlib.asynccontextmanager
    async def _use_writer(self) -> AsyncIterator[Writer]:
        writer = self._writer
        self._uses[id(writer)] += 1
        try:
            yield writer
        finally:
            self._uses[id(writer)] -= 1
            if writer is not self._writer and not self._uses[id(writer)]:
                await writer.close()

    def stop_claiming(self) -> None:
        """Stop claiming messages; claimed messages are still delivered."""
        self._stopping = True
        self._stopped.set()
        self._wakeup.wake()

    async def stop(self) -> None:
        """Wait for deliveries in flight while their leases last, then release the rest."""
        self.stop_claiming()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._seconds_until_lease_ends())
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for claim in list(self._claims.values()):
            try:
                await asyncio.to_thread(self._inbox.release, claim)
            except Exception:  # the lease ends by itself
                log.warning("release_failed", source=self._writer.source, exc_info=True)
        await self._writer.close()

    def _seconds_until_lease_ends(self) -> float:
        latest = max((claim.deadline for claim in self._claims.values()), default=self._clock())
        return max(latest - self._clock() - MARGIN, 0.1)

    async def _run_task(self) -> None:
        pause, trouble = POLL_FIRST, TROUBLE_FIRST
        while not self._stopping:
            if self._is_paused():
                await wait_for_wakeup(self._stopped, POLL_MOST)
                continue
            wake = self._wakeup.now
            try:
                claim = await self._claim()
            except Exception as error:  # noqa: BLE001 (the database is unavailable; the next attempt may succeed)
                self._report_trouble("claim_failed", error)
                await wait_for_wakeup(wake, self._rng.uniform(trouble / 2, trouble))
                trouble = min(trouble * 2, TROUBLE_MOST)
                continue
            self.trouble, trouble = "", TROUBLE_FIRST
            if claim is None:
                pause = (
                    POLL_FIRST
                    if await wait_for_wakeup(wake, self._rng.uniform(pause / 2, pause))
                    else min(pause * 2, POLL_MOST)
                )
                continue
            pause, start = POLL_FIRST, self._clock()
            delivery = await self._process(claim)
            if self._outages:
                await wait_for_wakeup(self._stopped, self._rng.uniform(0.5, 1.0) * outage_pause(self._outages))
            elif self._gather and not is_full(claim, delivery, self._writer):
                await wait_for_wakeup(self._stopped, start + self._gather - self._clock())

    async def _claim(self) -> Claim | None:
        writer = self._writer
        return await asyncio.to_thread(
            self._inbox.claim,
            writer.source,
            limit=writer.limit,
            per_key=writer.per_key,
            keys=writer.keys,
            lease=self._lease,
        )

    async def _process(self, claim: Claim) -> Delivery:
        self._claims[claim.token] = claim
        start = self._clock()
        async with self._use_writer() as writer:
            with trace_claim(claim) as end:
                delivery = await self._deliver(writer, claim)
                end(delivery)
        delivery = replace(delivery, seconds=self._clock() - start)
        self._outages = self._outages + 1 if is_outage(delivery) else 0
        await self._settle(claim, delivery)
        self._claims.pop(claim.token, None)
        return delivery

    async def _deliver(self, writer: Writer, claim: Claim) -> Delivery:
        try:
            delivery = await writer.deliver(claim)
        except Exception as error:  # noqa: BLE001 (a bug must not stop the other messages)
            halves = _halves(claim)
            if halves and self._clock() < claim.deadline - MARGIN:
                # One message that causes an exception must not affect the others.
                return combine([await self._deliver(writer, half) for half in halves])
            self._events.record_bug(claim, error)
            return _retry_all(claim, f"bug: {type(error).__name__}")
        unsettled_ids = [message.id for message in claim.messages if message.id not in delivery.settlements]
        if not unsettled_ids:
            return delivery
        self._events.record_bug(claim, LookupError(f"{len(unsettled_ids)} messages were not settled"))
        retried = dict.fromkeys(unsettled_ids, Retry("bug: not settled"))
        return replace(delivery, settlements={**retried, **delivery.settlements})

    async def _settle(self, claim: Claim, delivery: Delivery, *, is_last: bool = False) -> None:
        """
        Store the settlements, retrying while the lease lasts. Afterwards, another process delivers the messages again.

        Settlements that the database refuses are stored in smaller parts, unless `is_last`.
        """
        trouble = TROUBLE_FIRST
        while True:
            dead: set[int] = set()

            def delay(message: ClaimedMessage, retry: Retry, dead: set[int] = dead) -> timedelta | None:
                wait = self._retry_delay(message, retry)
                if wait is None:
                    dead.add(message.id)
                return wait

            try:
                count = await asyncio.to_thread(self._inbox.settle, claim, delivery, delay)
            except SfcodeError as error:  # the database is unavailable; the next attempt may succeed
                self._report_trouble("settle_failed", error)
                if self._clock() + trouble > claim.deadline:
                    return
                await asyncio.sleep(self._rng.uniform(trouble / 2, trouble))
                trouble = min(trouble * 2, TROUBLE_MOST)
                continue
            except Exception as error:  # noqa: BLE001 (a bug must not stop the other messages)
                self._events.record_bug(claim, error)
                if not is_last:
                    await self._settle_apart(claim, error)
                return
            self.trouble = ""
            self._events.record_settled(claim, delivery, frozenset(dead), count)
            return

    async def _settle_apart(self, claim: Claim, error: Exception) -> None:
        """Deliver each half of a claim again, so that only messages of one key fail if their result cannot be stored."""
        halves = _halves(claim)
        if not halves:
            await self._settle(claim, _retry_all(claim, f"bug: {type(error).__name__}"), is_last=True)
        for half in halves:
            if self._clock() < claim.deadline - MARGIN:
                async with self._use_writer() as writer:
                    delivery = await self._deliver(writer, half)
                await self._settle(half, delivery)

    def _report_trouble(self, event: str, error: Exception) -> None:
        if isinstance(error, RowLocked):
            # Another process is suspended in a transaction. The database responds, and messages are still accepted.
            log.warning("row_locked", source=self._writer.source)
            return
        if not self.trouble:
            log.error(event, source=self._writer.source, exc_info=error)
        self.trouble = "the database does not answer"


def combine(deliveries: Sequence[Delivery]) -> Delivery:
    """Return one delivery for the parts of a claim."""
    return Delivery(
        {id_: end for delivery in deliveries for id_, end in delivery.settlements.items()},
        tuple(state for delivery in deliveries for state in delivery.latest),
        tuple(followup for delivery in deliveries for followup in delivery.followups),
        tuple(state for delivery in deliveries for state in delivery.rewritten),
        {id_: payload for delivery in deliveries for id_, payload in delivery.redacted.items()},
        frozenset[int]().union(*(delivery.intents for delivery in deliveries)),
        frozenset[str]().union(*(delivery.written for delivery in deliveries)),
        frozenset[str]().union(*(delivery.doubted for delivery in deliveries)),
        {id_: writes for delivery in deliveries for id_, writes in delivery.writes.items()},
    )


def is_outage(delivery: Delivery) -> bool:
    """
    Return whether nothing was delivered, for a reason that depends neither on the messages nor on their mappings.

    The messages of a mapping that waits may fill many claims, which must not delay the messages of other mappings.
    """
    ends = [end for end in delivery.settlements.values() if not isinstance(end, Released)]
    return bool(ends) and all(isinstance(end, Retry) and not (end.counts or end.of_mapping) for end in ends)


def is_full(claim: Claim, delivery: Delivery, writer: Writer) -> bool:
    """Return whether more messages may wait than were claimed or delivered."""
    keys = Counter(message.key for message in claim.messages)
    return (
        len(claim.messages) >= writer.limit
        or len(keys) >= writer.keys
        or max(keys.values()) >= writer.per_key
        or any(isinstance(end, Released) for end in delivery.settlements.values())
    )


def outage_pause(outages: int) -> float:
    """Return the longest pause, in seconds, after a number of unanswered batches."""
    return min(OUTAGE_MOST, OUTAGE_FIRST * 2.0 ** (min(outages, 30) - 1))


def _halves(claim: Claim) -> list[Claim]:
    """Split a claim in two by its keys, so that the order of each key is kept; [] if the claim has one key."""
    keys = list(dict.fromkeys(message.key for message in claim.messages))
    if len(keys) < 2:
        return []
    first = set(keys[: len(keys) // 2])
    parts: tuple[list[ClaimedMessage], list[ClaimedMessage]] = ([], [])
    for message in claim.messages:
        parts[message.key not in first].append(message)
    return [replace(claim, messages=tuple(part)) for part in parts]


def _retry_all(claim: Claim, error: str) -> Delivery:
    return Delivery({message.id: Retry(error) for message in claim.messages})
