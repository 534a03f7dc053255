"""Start-up of commands without an org, compared with an empty Python program."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from benchmarks.measure import ROOT, SFCODE, Row, process

COMMANDS = {
    "bare `python -c pass`": [sys.executable, "-c", "pass"],
    "`sfcode --help`": [SFCODE, "--help"],
    "`sfcode validate` on config/": [SFCODE, "--env", "local", "validate"],
}
TIMES = 9


def measure() -> Iterator[Row]:
    """Run the commands in turn, so that load of the machine affects all; the first round fills the disk cache."""
    rounds = [{name: process(command, ROOT) for name, command in COMMANDS.items()} for _ in range(TIMES + 1)][1:]
    seconds = {name: [timing[name] for timing in rounds] for name in COMMANDS}
    bare = statistics.median(next(iter(seconds.values())))
    for name, values in seconds.items():
        yield Row(name, values, bare)
