"""
A process that has loaded `sfcode` and becomes it, again and again: programs of their own, which can be killed, without
the half second that each takes to start.

Run as a program it reads a JSON object a line, {"folder", "environ", "words"}, forks, and tells the process id and how it ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.journey import ROOT, Journey


@dataclass(frozen=True)
class Program:
    """A run of `sfcode` as a process of its own."""

    pid: int
    zygote: Zygote
    folder: Path

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> tuple[int, str]:
        """Wait for its end: the code (negative for a signal), and what it wrote to standard error."""
        code = int(self.zygote.read()["code"])
        return code, (self.folder / "stderr").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Zygote:
    """The process that forks."""

    process: subprocess.Popen[str]

    def start(self, journey: Journey, *words: str) -> Program:
        """Run a command of a project; one at a time."""
        asked = {"folder": str(journey.folder), "environ": dict(journey.environ), "words": words}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return Program(self.read()["pid"], self, journey.folder)

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))


@contextlib.contextmanager
def zygote() -> Iterator[Zygote]:
    """Start the process that forks."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "tests.e2e.zygote"]
    environ = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Zygote(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Load everything once, then fork for each line."""
    from sfcode.cli.main import main as run
    from sfcode.org.lean import client_class

    client_class()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            os.environ.update(asked["environ"])
            os.chdir(asked["folder"])
            for number, name in ((1, "stdout"), (2, "stderr")):
                file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.dup2(file, number)
            run(asked["words"])
            os._exit(0)
        _tell(pid=pid)
        _, status = os.waitpid(pid, 0)
        _tell(code=os.waitstatus_to_exitcode(status))


def _tell(**values: int) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
