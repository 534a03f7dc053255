"""Ctrl-C, the end of a CI job (SIGTERM) and a closed terminal (SIGHUP) end a command in the same way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
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


class Interruption:
    """The first received signal; each signal raises KeyboardInterrupt in the main thread."""

    def __init__(self) -> None:
        self.signal: int | None = None

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
