"""
Measure sfcode on this machine and print tables: `make bench`, or `make bench ARGS=--save` to keep them.

Ratios to peers, and of growth, are held: it fails when one is below that of the last saved run by more than the noise.
No test looks at them, as a busy machine would make it fail. `--only WORD` measures the parts whose titles have that word.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable

from benchmarks import (
    big_state,
    deploys,
    growth,
    latency,
    leaks,
    local_start,
    lookups,
    many_objects,
    peers,
    ratios,
    relay,
    relay_inbox,
    relay_million,
    round_trip,
    schema,
    startup,
)
from benchmarks.measure import ROOT, table
from benchmarks.ratios import Ratio, Section
from sfcode import __version__

PARTS: dict[str, Callable[[], str | Section]] = {
    "Start-up": lambda: table(list(startup.measure())),
    "Start of the local org": lambda: table(list(local_start.measure())),
    "Round trip against the local org": lambda: table(list(round_trip.measure())),
    "sfcode and its peers, the same package into the same org": peers.measure,
    "Growth with the number of mappings": growth.measure_mappings,
    "Growth with the number of attributes": growth.measure_attributes,
    "A plan of an org that answers late": latency.table,
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


def report(word: str = "") -> Section:
    """Measure the parts whose titles have a word, print each when it is measured, and return them as one page."""
    machine = f"sfcode {__version__}, Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    texts = [
        "# Benchmarks",
        f"Written by `make bench ARGS=--save`. {machine}. Orders of magnitude: a loaded machine is slower.",
    ]
    held: list[Ratio] = []
    for title, measure in PARTS.items():
        if word.lower() not in title.lower():
            continue
        print(f"measuring: {title}", end="", file=sys.stderr, flush=True)
        started = time.perf_counter()
        measured = measure()
        print(f" ({time.perf_counter() - started:.0f} s)", file=sys.stderr)
        section = measured if isinstance(measured, Section) else Section(measured)
        texts += [f"## {title}", section.text]
        print(f"## {title}\n\n{section.text}\n", flush=True)
        held += section.ratios
    return Section("\n\n".join(texts) + "\n", tuple(held))


def main() -> None:
    """Print the results, keep them if asked to, and fail if a ratio has fallen."""
    parser = argparse.ArgumentParser(description="Measure sfcode on this machine.")
    parser.add_argument("--save", action="store_true", help="write RESULTS.md and ratios.json in benchmarks/ as well")
    parser.add_argument("--only", default="", metavar="WORD", help="measure only the parts whose titles have this word")
    arguments = parser.parse_args()
    if arguments.save and arguments.only:
        parser.error("--save keeps a whole run: leave --only out")
    saved = ratios.read_saved()
    section = report(arguments.only)
    if arguments.save:
        RESULTS.write_text(section.text, encoding="utf-8")
        ratios.save(section.ratios)
    if fallen := ratios.list_fallen(section.ratios, saved):
        raise SystemExit("Slower than allowed:\n" + "\n".join(f"  - {line}" for line in fallen))


if __name__ == "__main__":
    main()
