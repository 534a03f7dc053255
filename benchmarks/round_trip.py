"""Plan, apply, and plan again with config/ and the local org: in separate processes, and in one process."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import ROOT, SFCODE, Row, measure_time, process

STEPS = {
    "first plan": ["plan"],
    "apply": ["apply", "--auto-approve"],
    "plan without changes": ["plan", "--detailed-exitcode"],
}
TIMES = 3
OUTBOUND = {"SFCODE_RELAY_OUTBOUND_SECRET": secrets.token_urlsafe(24)}


def measure() -> Iterator[Row]:
    """Run the steps in new folders, in both ways."""
    yield from _rows("whole process", lambda folder, words: process([SFCODE, *words], folder, OUTBOUND))
    os.environ.update(OUTBOUND)
    _go_through(_inside)  # imports the modules
    yield from _rows("in process", _inside)


def _rows(way: str, run: Callable[[Path, list[str]], float]) -> Iterator[Row]:
    rounds = [_go_through(run) for _ in range(TIMES)]
    for step in STEPS:
        yield Row(f"{step}, {way}", [timing[step] for timing in rounds])


def _go_through(run: Callable[[Path, list[str]], float]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "config", folder / "config")
        return {step: run(folder, ["--env", "local", *words]) for step, words in STEPS.items()}


def _inside(folder: Path, words: list[str]) -> float:
    from sfcode.cli.main import cli

    def run() -> None:
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            code = cli.main(words, prog_name="sfcode", standalone_mode=False)
        if code:
            raise SystemExit(f"{words} ended with {code}")

    return measure_time(run)
