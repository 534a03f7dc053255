"""Ctrl-C, the end of a CI job (SIGTERM) and a closed terminal (SIGHUP) end a command in the same way."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sfcode.errors import ExitCode, Interrupted


@contextmanager
def only_reading() -> Iterator[None]:
    """Report an interruption in this block with the message that nothing was changed."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("Interrupted; nothing was changed.") from None


SIGNALS = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


_WAKE = getattr(signal, "SIGURG", None)
"""A signal that is ignored by default; with a handler it ends the system call of the main thread."""
_END = 0
"""The number that ends the thread which wakes the main thread; no signal has this number."""
_WAKE_AFTER = (0.02, 0.1, 0.5)
"""Seconds between a signal and the times at which the main thread is woken."""


class Interruption:
    """The first received signal; each signal raises KeyboardInterrupt in the main thread."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._is_discarded = False

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Handle signals in this block, except those that the parent process has set to be ignored, like nohup."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        handled = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        for number in handled:
            signal.signal(number, self._interrupt)
        try:
            with self._detect_discarded_interrupts(), _wake_after_signals(self._repeat):
                yield
        finally:
            for number, handler in handled.items():
                signal.signal(number, handler)

    def exit_code(self, code: int) -> int:
        """Return the exit code of a command: `code`, or that of the signal that ended the command."""
        if self.signal is None or code not in (ExitCode.USER, ExitCode.INTERRUPTED):
            return code
        return ExitCode.INTERRUPTED if self.signal == signal.SIGINT else ExitCode.TERMINATED

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal = number
        raise KeyboardInterrupt

    def _repeat(self, *_: object) -> None:
        if self._is_discarded:
            self._is_discarded = False
            raise KeyboardInterrupt

    @contextmanager
    def _detect_discarded_interrupts(self) -> Iterator[None]:
        """Detect a KeyboardInterrupt that Python discards: one in a finalizer, or in the callback of a weak reference."""
        report = sys.unraisablehook

        def notice(unraisable: sys.UnraisableHookArgs) -> None:
            if issubclass(unraisable.exc_type, KeyboardInterrupt):
                self._is_discarded = True
            else:
                report(unraisable)

        sys.unraisablehook = notice
        try:
            yield
        finally:
            sys.unraisablehook = report


@contextmanager
def _wake_after_signals(on_wake: Callable[..., None]) -> Iterator[None]:
    """
    End the system call of the main thread, and call `on_wake` in it, shortly after each signal in this block.

    Python runs a handler between two bytecode instructions of the main thread. A signal that arrives just before the thread begins to read from a socket,
    or that another thread receives, would wait for the end of that read, and an org may never answer.
    """
    if _WAKE is None:
        yield
        return
    main, ended = threading.get_ident(), threading.Event()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)

    def wake() -> None:
        while not ended.is_set():
            number = os.read(read_end, 1)[0]
            if number in (_END, _WAKE):
                continue
            for seconds in _WAKE_AFTER:
                if ended.wait(seconds):
                    return
                signal.pthread_kill(main, _WAKE)

    handler = signal.signal(_WAKE, on_wake)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    thread = threading.Thread(target=wake, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        os.write(write_end, bytes([_END]))
        thread.join()
        os.close(write_end)
        os.close(read_end)
        signal.signal(_WAKE, handler)
