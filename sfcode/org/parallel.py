"""Run calls in parallel, in threads that an interruption does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar, cast

CONCURRENCY = 4
"""Concurrent requests to an org."""

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


def run_parallel(calls: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """
    Run calls in up to `at_once` threads and return their results in order.

    Raises the error of the first call that failed, after the calls that had begun. KeyboardInterrupt is raised at once: the threads end with the
    process, since an org may never answer.
    """
    numbered = [*enumerate(calls)]
    results: list[T | None] = [None] * len(numbered)
    waiting, taking = iter(numbered), threading.Lock()
    errors: dict[int, BaseException] = {}
    ended: SimpleQueue[None] = SimpleQueue()

    def take() -> tuple[int, Callable[[], T]] | None:
        with taking:
            return None if errors else next(waiting, None)

    def work() -> None:
        while numbered_call := take():
            number, call = numbered_call
            try:
                results[number] = call()
            except BaseException as error:  # noqa: BLE001  (it is raised where the result is needed)
                errors[number] = error
        ended.put(None)

    threads = [
        threading.Thread(target=copy_context().run, args=(work,), daemon=True)
        for _ in range(min(at_once, len(numbered)))
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        ended.get()
    if errors:
        raise errors[min(errors)]
    return cast("list[T]", results)


def run_both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two calls at the same time, as `run_parallel` does."""
    calls: list[Callable[[], A | B]] = [first, second]
    first_result, second_result = run_parallel(calls, 2)
    return cast("A", first_result), cast("B", second_result)
