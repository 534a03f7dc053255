"""A person at a terminal: the program has a real terminal for prompts, output and interrupts."""

from __future__ import annotations

import os
import pty
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.e2e.journey import Journey
from tests.programs import Program
from tests.waiting import PATIENCE


@dataclass
class Terminal:
    """A running `sfcode`, seen from its terminal."""

    process: Program
    keyboard: int
    shown: str = ""
    code: int | None = field(default=None, init=False)

    def wait_for(self, text: str) -> str:
        """Read until the screen contains a text; return all output so far."""
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert self._read(end), f"{text!r} was never shown:\n{self.shown}"
        return self.shown

    def press(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self.keyboard, keys)

    def answer(self, question: str, keys: bytes) -> tuple[int, str]:
        """Answer a prompt; return the exit code and all output."""
        self.wait_for(question)
        self.press(keys)
        return self.finish()

    def finish(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and all output."""
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        return self.process.wait(timeout=PATIENCE), self.shown

    def _read(self, end: float) -> bool:
        """Read the next output; return False once the terminal is closed."""
        ready, _, _ = select.select([self.keyboard], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"nothing more was shown in {PATIENCE} s:\n{self.shown}"
        data = b""
        with suppress(OSError):  # raised on Linux when the program has closed its side
            data = os.read(self.keyboard, 65536)
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(journey: Journey, *words: str) -> Iterator[Terminal]:
    """Run `sfcode` with its own terminal."""
    environ = {**os.environ, **journey.environ, "NO_COLOR": "1", "TERM": "xterm"}
    keyboard, screen = pty.openpty()
    process = Program(
        words, cwd=journey.folder, env=environ, stdin=screen, stdout=screen, stderr=screen, at_terminal=True
    )
    os.close(screen)
    try:
        yield Terminal(process, keyboard)
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)
