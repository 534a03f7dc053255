"""
Measure sfcode on this machine and print a table: `make bench`, or `make bench ARGS=--save` to keep it.

These are orders of magnitude. No test looks at them, as a busy machine would make it fail.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable

from benchmarks import (
    against_sf,
    big_state,
    deploys,
    growth,
    leaks,
    local_start,
    lookups,
    many_objects,
    relay,
    relay_inbox,
    relay_million,
    round_trip,
    schema,
    startup,
)
from benchmarks.measure import ROOT, table
from sfcode import __version__

PARTS: dict[str, Callable[[], str]] = {
    "Start-up": lambda: table(list(startup.measure())),
    "Start of the local org": lambda: table(list(local_start.measure())),
    "Round trip against the local org": lambda: table(list(round_trip.measure())),
    "sfcode and sf, the same package into the same org": against_sf.table,
    "Growth with the number of mappings": growth.table,
    "Deploys into the local org": lambda: table(list(deploys.measure())),
    "A large local org": lambda: table(list(big_state.measure())),
    "Lookups and writes in an org of 10,000 contacts": lambda: table(list(lookups.measure())),
    "Many objects": lambda: table(list(many_objects.measure())),
    "Many deploys in a row": leaks.table,
    "Relay": relay.tables,
    "The relay's inbox": relay_inbox.table,
    "The relay's inbox with a million rows": relay_million.table,
    "Schema": lambda: table(list(schema.measure())),
}
RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def report() -> str:
    """Measure everything and set it as one Markdown page."""
    machine = f"sfcode {__version__}, Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    parts = [
        "# Benchmarks",
        f"Written by `make bench ARGS=--save`. {machine}. Orders of magnitude: a loaded machine is slower.",
    ]
    for title, measure in PARTS.items():
        print(f"measuring: {title}", file=sys.stderr)
        parts += [f"## {title}", measure()]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Print the report, and keep it if asked to."""
    parser = argparse.ArgumentParser(description="Measure sfcode on this machine.")
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.relative_to(ROOT)} as well")
    save: bool = parser.parse_args().save
    text = report()
    print(text)
    if save:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
