"""Group commit: concurrent callers share one transaction, and each gets its own result."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol, Self

from sfcode.relay.inbox.types import Busy, Unavailable
from sfcode.relay.message import InboxMessage

Groups = Sequence[Sequence[InboxMessage]]
"""Messages by caller."""


class MessageStore(Protocol):
    """Stores the messages of several callers in one transaction."""

    @property
    def commits_at_once(self) -> int:
        """The number of concurrent calls of `accept_each` that are useful."""
        ...

    def accept_each(self, groups: Groups) -> tuple[int, ...]:
        """Store the messages of all callers, or none; return how many of each caller were new."""
        ...


class _Waiting(NamedTuple):
    messages: Sequence[InboxMessage]
    answer: asyncio.Future[int]
    began: float
    """The time at which the caller called `accept`, in seconds of the event loop's clock."""


class GroupCommit:
    """
    Commits messages for any number of tasks of one event loop.

    While a transaction is written to disk, the next callers form a group, so that grouping adds no delay. Messages that
    arrive during a commit have no defined order, since their senders have no response yet.
    """

    def __init__(
        self,
        inbox: MessageStore,
        *,
        committed: Callable[[Groups, Sequence[int], Sequence[float]], None] = lambda _groups, _counts, _seconds: None,
        most_waiting: int = 10_000,
        at_once: int = 500,
    ) -> None:
        self._inbox = inbox
        self._committed = committed
        """Called in the event loop after each transaction, with the number of new messages and the wait of each caller."""
        self._most_waiting = most_waiting
        self._at_once = at_once
        self._queue: deque[_Waiting] = deque()
        self._messages = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._open = False
        # A separate thread pool: all shared threads may be waiting for Salesforce.
        self._commits_at_once = inbox.commits_at_once
        self._threads = ThreadPoolExecutor(self._commits_at_once, thread_name_prefix="inbox-accept")
        self._writing: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the committing task."""
        self._open = True
        self._task = asyncio.create_task(self._run(), name="inbox-accept")

    async def stop(self) -> None:
        """Refuse new messages, commit those that wait, and end."""
        self._open = False
        self._wake.set()
        if self._task is not None:
            await self._task
        self._threads.shutdown()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def waiting(self) -> int:
        """The number of messages that are not committed yet."""
        return self._messages

    async def accept(self, messages: Sequence[InboxMessage]) -> int:
        """Commit messages and return how many were new. Raises Busy or Unavailable if they were not committed."""
        if not self._open:
            raise Busy("The relay is stopping.", "Send it again later.")
        if self._messages + len(messages) > self._most_waiting:
            raise Busy(f"{self._messages} messages wait to be written.", "Send it again later.")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(messages, loop.create_future(), loop.time())
        self._queue.append(waiting)
        self._messages += len(messages)
        self._wake.set()
        return await waiting.answer

    async def _run(self) -> None:
        while self._open or self._queue:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            if len(self._writing) >= self._commits_at_once:
                await asyncio.wait(self._writing, return_when=asyncio.FIRST_COMPLETED)
            batch = self._take()
            if batch:
                task = asyncio.create_task(self._write(batch), name="inbox-commit")
                self._writing.add(task)
                task.add_done_callback(self._writing.discard)
        if self._writing:
            await asyncio.wait(self._writing)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0].messages) <= self._at_once):
            waiting = self._queue.popleft()
            self._messages -= len(waiting.messages)
            if not waiting.answer.done():  # the caller has given up, and its sender will send the messages again
                batch.append(waiting)
                size += len(waiting.messages)
        return batch

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        groups = [waiting.messages for waiting in batch]
        try:
            counts = await loop.run_in_executor(self._threads, self._inbox.accept_each, groups)
        except Exception as error:  # noqa: BLE001 (every caller receives the exception)
            if len(batch) == 1 or isinstance(error, Unavailable):
                for waiting in batch:
                    _answer(waiting, error)
                return
            # The messages of one caller cannot be written, which must not fail the other callers.
            for waiting in batch:
                await self._write([waiting])
            return
        ended = loop.time()
        self._committed(groups, counts, [ended - waiting.began for waiting in batch])
        for waiting, count in zip(batch, counts, strict=True):
            _answer(waiting, count)


def _answer(waiting: _Waiting, answer: int | Exception) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # cancelled in the meantime
        if isinstance(answer, Exception):
            waiting.answer.set_exception(answer)
        else:
            waiting.answer.set_result(answer)
