"""
Change the code of one package in small ways and list the changes that no test notices.

    make mutants ARGS="sfcode/plan tests/plan"

All tests run once while the lines that each of them runs are recorded. Each mutation then replaces its function in a
fork of this process, which runs the tests that reach its lines, the fastest first, until one fails. The reasons and
the limits are in docs/decisions/0070-an-own-mutation-tester.md.
"""

from __future__ import annotations

import argparse
import functools
import gc
import os
import random
import re
import select
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

import pytest

from scripts.mutations import Mutation, list_mutations

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_FACTOR = 20.0
"""The factor by which tests may take longer in a fork than in the recorded run, before the fork is killed."""
LISTED = ("survived", "not reached")
"""Results whose mutations are listed."""
PASSED, NOT_APPLIED, CRASHED = -1, -2, -3
"""Results of a fork, besides the index of the test that failed."""


@dataclass(frozen=True)
class Options:
    """The arguments of one run."""

    package: Path
    tests: tuple[str, ...]
    budget: float
    timeout: float
    sample: int | None
    only: str
    listed: frozenset[str] | None
    """Mutations that an earlier run has listed, without their line numbers: only these are tested. None tests all."""


class Recorder:
    """Records which lines of the package run, in all threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}{os.sep}" if folder.is_dir() else str(folder)
        self.lines: set[tuple[str, int]] = set()

    def start(self) -> None:
        """Start recording with an empty set."""
        self.lines = set()
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> set[tuple[str, int]]:
        """Stop recording and return the lines as pairs of file name and number."""
        sys.settrace(None)
        threading.settrace(None)
        return self.lines

    def _call(self, frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename.startswith(self._folder) else None

    def _line(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


class Mutants:
    """A pytest plugin that tests the mutations instead of running the tests once."""

    def __init__(self, options: Options, out: Callable[[str], None]) -> None:
        self.options = options
        self.counts: Counter[str] = Counter()
        self._out = out
        self._failed = False
        self._seconds: dict[pytest.Item, float] = {}
        self._forkable: set[pytest.Item] = set()
        self._tests_by_line: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a failure."""
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record the lines of every test, then test every mutation."""
        self._record_lines(session.items)
        mutations = [mutation for mutation in self._list_mutations() if self._is_chosen(str(mutation))]
        if self.options.sample is not None and self.options.sample < len(mutations):
            mutations = sorted(random.Random(0).sample(mutations, self.options.sample), key=str)  # noqa: S311
        self._out(f"{len(mutations)} mutations of {self.options.package}")
        for number, mutation in enumerate(mutations, 1):
            end = self._test_mutation(mutation)
            self.counts[end] += 1
            if end in LISTED:
                self._out(f"{end}  {mutation}")
            if number % 100 == 0:
                self._out(f"{number} of {len(mutations)}: {_format_counts(self.counts)}")
        return True

    def _record_lines(self, items: Sequence[pytest.Item]) -> None:
        recorder = Recorder(self.options.package)
        started = time.monotonic()
        for item, following in zip(items, [*items[1:], *items[:1]], strict=True):
            _clear_caches()  # or only the first test would run the lines of a cached function
            self._failed, start = False, time.monotonic()
            recorder.start()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            lines = recorder.stop()
            if self._failed:
                self._out(f"excluded, because it fails without mutations: {item.nodeid}")
                continue
            self._seconds[item] = time.monotonic() - start
            for line in lines:
                self._tests_by_line[line].append(item)
        self._out(f"{len(self._seconds)} tests ran in {time.monotonic() - started:.0f} s")

    def _is_chosen(self, text: str) -> bool:
        listed = self.options.listed
        return self.options.only in text and (listed is None or _without_line(text) in listed)

    def _list_mutations(self) -> Iterator[Mutation]:
        package = self.options.package
        for path in sorted(package.rglob("*.py")) if package.is_dir() else [package]:
            name = str(path.relative_to(ROOT))
            yield from list_mutations(path.read_text(encoding="utf-8"), name, str(path))

    def _test_mutation(self, mutation: Mutation) -> str:
        path = str(ROOT / mutation.path)
        while items := self._select_tests(mutation, path):
            seconds = sum(self._seconds[item] for item in items)
            end = self._run_in_fork(partial(self._run_tests, items, mutation, path), seconds)
            if end is None:
                return "killed by time"
            if end < 0:
                return {PASSED: "survived", NOT_APPLIED: "not applied", CRASHED: "killed"}[end]
            killer = items[end]
            if killer not in self._forkable and self._run_in_fork(partial(self._run_tests, [killer])) != PASSED:
                self._out(f"excluded, because it fails in a fork: {killer.nodeid}")
                del self._seconds[killer]
                continue
            self._forkable.add(killer)
            return "killed"
        return "not reached"

    def _select_tests(self, mutation: Mutation, path: str) -> list[pytest.Item]:
        """Return the tests that run a line of the mutation, the fastest first, as many as the budget allows."""
        reaching = {item for line in mutation.lines for item in self._tests_by_line.get((path, line), ())}
        tests = sorted((item for item in reaching if item in self._seconds), key=self._seconds.__getitem__)
        total = list(accumulate(self._seconds[item] for item in tests))
        return [
            item for item, seconds in zip(tests, total, strict=True) if seconds <= max(total[0], self.options.budget)
        ]

    def _run_tests(self, items: Sequence[pytest.Item], mutation: Mutation | None = None, path: str = "") -> int:
        """
        Run tests until one fails and return its index, or PASSED.

        Only a fork may call this, because it changes the fixtures of the session.
        """
        if mutation and not _apply_mutation(mutation, path):
            return NOT_APPLIED
        self._failed = False
        items[0].session._setupstate.teardown_exact(items[0])  # noqa: SLF001 (no public equivalent)
        for index, (item, following) in enumerate(zip(items, [*items[1:], items[0]], strict=True)):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return index
        return PASSED

    def _run_in_fork(self, work: Callable[[], int], seconds: float = 0.0) -> int | None:
        """Call a function in a fork and return its result, or None if the fork had to be killed."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.setpgid(0, 0)
                os.write(writer, str(work()).encode())
            finally:
                os._exit(0)
        os.close(writer)
        try:
            ready, _, _ = select.select([reader], [], [], max(self.options.timeout, seconds * TIMEOUT_FACTOR))
            result = os.read(reader, 20) if ready else b""
        finally:
            os.close(reader)
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        return int(result or CRASHED) if ready else None


def _without_line(text: str) -> str:
    """Return a description without its line number, which other changes of the file move."""
    return re.sub(r"\.py:\d+:", ".py:", text, count=1)


def _clear_caches() -> None:
    """Clear the caches of all functions of sfcode."""
    gc.unfreeze()  # tests and programs freeze objects, and `gc` does not list frozen ones
    for value in gc.get_objects():
        is_cached = isinstance(value, functools._lru_cache_wrapper)  # noqa: SLF001 (its only name)
        if is_cached and str(getattr(value, "__module__", "")).startswith("sfcode"):
            value.cache_clear()


def _apply_mutation(mutation: Mutation, path: str) -> bool:
    """Replace the code of a function in all objects that hold it, and clear the caches of sfcode."""
    _clear_caches()
    applied = False
    for value in gc.get_objects():
        if isinstance(value, FunctionType):
            code = value.__code__
            if code.co_filename == path and code.co_qualname == mutation.function:
                if code.co_firstlineno != mutation.first_line or code.co_freevars != mutation.code.co_freevars:
                    continue
                value.__code__ = mutation.code
                applied = True
    return applied


def _read_listed(log: Path) -> frozenset[str]:
    """Read the mutations that a run has listed from its output."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return frozenset(
        _without_line(line.removeprefix(end).strip()) for line in lines for end in LISTED if line.startswith(f"{end}  ")
    )


def _format_counts(counts: Counter[str]) -> str:
    killed = counts["killed"] + counts["killed by time"]
    tried = killed + counts["survived"]
    share = f" ({100 * killed / tried:.0f} %)" if tried else ""
    remaining_counts = ", ".join(f"{counts[key]} {key}" for key in ("not reached", "not applied"))
    return f"{killed} killed{share}, {counts['survived']} survived, {remaining_counts}"


def main(words: Sequence[str] | None = None) -> int:
    """Test the mutations of one package and print the survivors; return the exit code."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.strip().splitlines()[0])
    parser.add_argument("package", type=Path, help="folder or file, such as sfcode/plan")
    parser.add_argument("tests", nargs="*", help="tests to run (default: the folder of tests of the package)")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of tests for each mutation (default: 10)")
    parser.add_argument(
        "--timeout", type=float, default=20.0, help="seconds that every mutation has at least (default: 20)"
    )
    parser.add_argument("--sample", type=int, help="number of mutations to test, a random but repeatable selection")
    parser.add_argument("--only", default="", help="test only mutations whose description contains this text")
    parser.add_argument(
        "--again",
        type=Path,
        metavar="LOG",
        help="test only the mutations that an earlier run has listed, such as by slower tests",
    )
    arguments = parser.parse_args(words)
    package = arguments.package.resolve()
    tests = tuple(arguments.tests) or (f"tests/{package.relative_to(ROOT / 'sfcode').with_suffix('').as_posix()}",)
    listed = _read_listed(arguments.again) if arguments.again else None
    screen = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    null = os.open(os.devnull, os.O_RDWR)
    plugin = Mutants(
        Options(package, tests, arguments.budget, arguments.timeout, arguments.sample, arguments.only, listed),
        lambda line: print(line, file=screen),
    )
    stderr = os.dup(2)
    os.dup2(null, 1)
    os.dup2(null, 2)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--capture=no", *tests]
    code = pytest.main(options, plugins=[plugin])
    os.dup2(stderr, 2)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(f"pytest ended with {code!r}", file=screen)
        return 1
    print(f"{arguments.package}: {_format_counts(plugin.counts)}", file=screen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
