"""Concurrent calls: their order, their errors, and interruptions."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

import pytest

from sfcode.org.parallel import run_both, run_parallel, share_heap
from tests.waiting import PATIENCE


def test_results_come_in_order_from_no_more_threads_than_allowed() -> None:
    barrier = threading.Barrier(2, timeout=PATIENCE)
    threads: set[int] = set()

    def call(number: int) -> int:
        threads.add(threading.get_ident())
        if number < 2:
            barrier.wait()
        return number

    assert run_parallel([lambda number=number: call(number) for number in range(5)], 2) == [0, 1, 2, 3, 4]  # type: ignore[misc]
    assert len(threads) == 2
    assert run_parallel([], 2) == []


def test_the_first_call_runs_in_the_thread_of_the_caller_and_the_others_beside_it() -> None:
    barrier = threading.Barrier(2, timeout=PATIENCE)

    def call() -> int:
        barrier.wait()
        return threading.get_ident()

    first, second = run_both(call, call)
    assert first == threading.get_ident() != second


def test_an_error_is_raised_after_running_calls_have_ended() -> None:
    has_begun, failed, ended = threading.Event(), threading.Event(), threading.Event()

    def fail() -> None:
        has_begun.wait(PATIENCE)
        failed.set()
        raise ValueError("first")

    def wait() -> None:
        has_begun.set()
        failed.wait(PATIENCE)
        ended.set()

    with pytest.raises(ValueError, match="first"):
        run_both(fail, wait)
    assert ended.is_set()


def test_the_error_of_the_first_call_is_raised_though_a_later_one_failed_before() -> None:
    failed = threading.Event()

    def fail() -> None:
        assert failed.wait(PATIENCE)
        raise ValueError("first")

    def fail_at_once() -> None:
        try:
            raise ValueError("second")
        finally:
            failed.set()

    with pytest.raises(ValueError, match="first"):
        run_both(fail, fail_at_once)


def test_an_interruption_does_not_wait_for_a_call_that_hangs() -> None:
    hang = threading.Event()

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        hang.wait()

    try:
        with pytest.raises(KeyboardInterrupt):
            run_both(interrupt, hang.wait)
    finally:
        hang.set()


COUNT_HEAPS = """
import ctypes, sys, threading
from sfcode.org.parallel import share_heap

if sys.argv[1] == "shared":
    share_heap()
threads = [threading.Thread(target=bytes, args=(10_000,)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, output := ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(output)
"""


@pytest.mark.parametrize(("heaps", "is_one"), [("shared", True), ("own", False)])
def test_threads_share_one_heap_on_request(heaps: str, is_one: bool) -> None:
    info = subprocess.run([sys.executable, "-c", COUNT_HEAPS, heaps], capture_output=True, text=True, check=True).stdout
    assert (info.count("<heap nr=") == 1) is is_one


def test_share_heap_does_nothing_if_the_c_library_has_no_mallopt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    share_heap()
