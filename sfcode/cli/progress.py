"""Progress on standard error: what is being read, how many responses came, how long it has taken."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST = 0.5
"""Seconds until a terminal shows anything: short commands show nothing."""
REDRAW = 0.2
"""Seconds between two states of the line on a terminal."""
INTERVAL = 10.0
"""Seconds between two lines where there is no terminal."""
CLEAR = "\r\x1b[K"


class ProgressLine:
    """
    One line that is redrawn on a terminal, and a line every ten seconds elsewhere.

    `count` is called for every response, from whatever thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count = 0
        self._stop = threading.Event()
        self._stop.set()
        self._lock = threading.Lock()
        self._drawn = False

    @property
    def active(self) -> bool:
        """Whether something is shown, or will be after a moment."""
        return not self._stop.is_set()

    def count(self) -> None:
        """Note one more response."""
        self._count += 1

    @contextmanager
    def show(self, text: str, *, quiet: bool = False) -> Iterator[None]:
        """Show a text with counts and time while the block runs, or until `hide` is called."""
        if quiet:
            yield
            return
        self.hide()
        self._count = 0
        self._stop = stop = threading.Event()
        live = sys.stderr.isatty() and not os.environ.get("CI")
        thread = threading.Thread(
            target=self._run, args=(text, self._clock(), stop), kwargs={"live": live}, daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            self.clear()
            thread.join()

    def hide(self) -> None:
        """End the display: somebody is asked something."""
        self._stop.set()
        self.clear()

    def clear(self) -> None:
        """Clear the line, because something is printed; it is drawn again later."""
        with self._lock:
            if self._drawn:
                sys.stderr.write(CLEAR)
                sys.stderr.flush()
                self._drawn = False

    def _run(self, text: str, started: float, stop: threading.Event, *, live: bool) -> None:
        pause = FIRST if live else INTERVAL
        while not stop.wait(pause):
            with self._lock:
                if stop.is_set():
                    return
                line = f"{text}: {self._count} responses, {self._clock() - started:.0f} s"
                sys.stderr.write(f"{CLEAR}{line}" if live else f"{line}\n")
                sys.stderr.flush()
                self._drawn = live
            pause = REDRAW if live else INTERVAL
