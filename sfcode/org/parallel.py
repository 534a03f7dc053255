"""Run calls in parallel, in threads that an interruption does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar, cast

CONCURRENCY = 4
"""Concurrent requests to an org."""

_ARENA_MAX = -8
"""The constant M_ARENA_MAX of <malloc.h>, which sets the maximum number of heaps."""

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


def run_parallel(calls: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """
    Run calls in up to `at_once` threads, one of which is the caller's, and return their results in order.

    The caller's thread runs the first call. Pass the call that needs most memory first, since the C library does not return the
    memory that another thread has used.

    Raises the error of the first call that failed, after the calls that had begun. KeyboardInterrupt is raised at once: the other threads
    end with the process, since an org may never answer.
    """
    numbered = [*enumerate(calls)]
    results: list[T | None] = [None] * len(numbered)
    waiting, taking = iter(numbered), threading.Lock()
    errors: dict[int, BaseException] = {}
    ended: SimpleQueue[None] = SimpleQueue()

    def take() -> tuple[int, Callable[[], T]] | None:
        with taking:
            return None if errors else next(waiting, None)

    def work(task: tuple[int, Callable[[], T]] | None) -> None:
        while task:
            number, call = task
            try:
                results[number] = call()
            except KeyboardInterrupt:  # only the main thread is interrupted
                raise
            except BaseException as error:  # noqa: BLE001  (it is raised where the result is needed)
                errors[number] = error
            task = take()

    def work_beside(task: tuple[int, Callable[[], T]] | None) -> None:
        try:
            work(task)
        finally:
            ended.put(None)

    first, *other_tasks = [take() for _ in range(min(at_once, len(numbered)))] or [None]
    for next_task in other_tasks:
        threading.Thread(target=copy_context().run, args=(work_beside, next_task), daemon=True).start()
    work(first)
    for _ in other_tasks:
        ended.get()
    if errors:
        raise errors[min(errors)]
    return cast("list[T]", results)


def share_heap() -> None:
    """
    Have all threads of this process share one heap, which saves a plan of 1,000 mappings 10 MB.

    The C library of most Linux systems (glibc) otherwise has one for each thread, and keeps what it once needed. Does nothing elsewhere.
    """
    import ctypes  # slow to import

    with suppress(AttributeError, OSError, TypeError):  # a C library without `mallopt`
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def run_both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two calls at the same time, as `run_parallel` does."""
    calls: list[Callable[[], A | B]] = [first, second]
    first_result, second_result = run_parallel(calls, 2)
    return cast("A", first_result), cast("B", second_result)
