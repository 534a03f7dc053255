"""Progress on standard error: the current step, the number of responses, and the elapsed time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sfcode.text import count_noun

FIRST = 0.5
"""Seconds before progress is shown on a terminal, so that short commands load and show nothing."""
REDRAW = 0.2
"""Seconds between two updates of the line on a terminal."""
INTERVAL = 10.0
"""Seconds between two lines without a terminal."""


class ProgressLine:
    """
    One line that rich redraws on a terminal, and a line every ten seconds elsewhere.

    `count` is called for every response, from any thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count = 0
        self._text = ""
        self._started = 0.0
        self._stop = threading.Event()
        self._stop.set()
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """Whether progress is shown, or will be shown soon."""
        return not self._stop.is_set()

    def count(self) -> None:
        """Count a response."""
        self._count += 1

    @contextmanager
    def show(self, text: str, *, quiet: bool = False) -> Iterator[None]:
        """Show a text with counts and time while the block runs, or until `hide` is called."""
        if quiet:
            yield
            return
        self.hide()
        self._text, self._count, self._started = text, 0, self._clock()
        self._start()
        try:
            yield
        finally:
            self.hide()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Hide the display during the block, which prints something."""
        active = self.active
        self.hide()
        yield
        if active:
            self._start()

    def hide(self) -> None:
        """End the display, for example before a question."""
        self._stop.set()
        if self._thread is not None:
            with suppress(RuntimeError):  # a signal came before the thread was started
                self._thread.join()
            self._thread = None

    def _start(self) -> None:
        self._stop = stop = threading.Event()
        run = self._draw if sys.stderr.isatty() and not os.environ.get("CI") else self._print
        self._thread = threading.Thread(target=run, args=(stop,), daemon=True)
        self._thread.start()

    def _describe(self) -> str:
        return f"{self._text}: {count_noun(self._count, 'response')}, {self._clock() - self._started:.0f} s"

    def _print(self, stop: threading.Event) -> None:
        while not stop.wait(INTERVAL):
            sys.stderr.write(f"{self._describe()}\n")
            sys.stderr.flush()

    def _draw(self, stop: threading.Event) -> None:
        if stop.wait(FIRST):
            return
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        # The display is shown only on standard error; other output has its own streams.
        console = Console(file=sys.stderr, highlight=False)
        with Live(
            get_renderable=lambda: Text(self._describe(), no_wrap=True, overflow="ellipsis"),
            console=console,
            refresh_per_second=1 / REDRAW,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            stop.wait()
