"""Measure times, and render them as tables."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SFCODE = str(Path(sys.executable).with_name("sfcode"))


class ProgramMissing(Exception):
    """Raised when a program that a part of the benchmarks needs is not installed."""


@dataclass(frozen=True)
class Row:
    """One measured command, in seconds."""

    name: str
    seconds: Sequence[float]
    bare: float | None = None

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds)

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the row: name, median, fastest, and the multiple of the time of an empty Python program."""
        ratio = f"{self.median / self.bare:.1f}" if self.bare else ""
        return (self.name, _milliseconds(self.median), _milliseconds(min(self.seconds)), ratio)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.{0 if abs(seconds) >= 0.01 else 2}f} ms"


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    head = ("what", "median", "fastest", "times bare Python")
    lines = [head, ("---", "---:", "---:", "---:"), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measure_time(call: Callable[[], object]) -> float:
    """Call a function once, and return the seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


LAUNCHER = """\
import json, os, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
seconds = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""
"""A small program that starts the measured program. Linux counts the memory of the process that starts a program as the
program's own, so the large process of the benchmark must not start it."""


@dataclass(frozen=True)
class Usage:
    """The resources that a whole process used."""

    seconds: float
    cpu_seconds: float
    """CPU time on all processors, including that of child processes, which does not depend on the load of the
    machine."""
    peak_memory: int
    """The memory of the largest of its processes, in bytes."""


def measure_process(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> Usage:
    """Run a whole process, which must succeed, and return its usage."""
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    completed = subprocess.run(
        launcher, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=True
    )
    code, seconds, cpu_seconds, peak_memory = json.loads(completed.stdout)
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}\n{completed.stderr}")
    return Usage(seconds, cpu_seconds, peak_memory * 1024)


def process(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> float:
    """Run a whole process, which must succeed, and return the seconds."""

    def run() -> None:
        completed = subprocess.run(
            command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
        )
        if completed.returncode:
            raise SystemExit(
                f"{' '.join(command)} ended with {completed.returncode}\n{completed.stdout}{completed.stderr}"
            )

    return measure_time(run)
