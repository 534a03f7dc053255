"""
Measure sfcode on this machine and print tables: `make bench`, or `make bench ARGS=--save` to save them.

The run fails when a ratio to a peer, or a ratio of growth, is below that of the last saved run by more than the noise.
No test checks these ratios, since a busy machine would make it fail. `--only WORD` measures the parts whose titles
contain the word, and `--save` then replaces only these parts of the saved results. A part whose program is not
installed keeps its saved result.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks import (
    big_state,
    deploys,
    growth,
    installation,
    latency,
    leaks,
    local_start,
    lookups,
    many_objects,
    operator_minute,
    peers,
    ratios,
    relay,
    relay_inbox,
    relay_migration,
    relay_million,
    round_trip,
    schema,
    startup,
)
from benchmarks.measure import ROOT, ProgramMissing, table
from benchmarks.ratios import Section
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
    "Migration of the relay's inbox": relay_migration.table,
    "An operator finds a failed message": operator_minute.table,
    "Installation": installation.table,
    "Schema": lambda: table(list(schema.measure())),
}
RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def measure_parts(word: str = "") -> dict[str, Section]:
    """Measure the parts whose titles contain a word, print each as soon as it is measured, and return them by title."""
    sections = {}
    for title, measure in PARTS.items():
        if word.lower() not in title.lower():
            continue
        print(f"measuring: {title}", end="", file=sys.stderr, flush=True)
        started = time.perf_counter()
        try:
            measured = measure()
        except ProgramMissing as error:
            print(f" (not measured: {error})", file=sys.stderr)
            continue
        print(f" ({time.perf_counter() - started:.0f} s)", file=sys.stderr)
        sections[title] = section = measured if isinstance(measured, Section) else Section(measured)
        print(f"## {title}\n\n{section.text}\n", flush=True)
    return sections


def write_page(texts: Mapping[str, str]) -> str:
    """Return the page of the results, in the order of the parts."""
    machine = f"sfcode {__version__}, Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    head = f"Written by `make bench ARGS=--save`. {machine}. Orders of magnitude: a loaded machine is slower."
    sections = [f"## {title}\n\n{texts[title]}" for title in PARTS if title in texts]
    return "\n\n".join(["# Benchmarks", head, *sections]) + "\n"


def read_page(page: str) -> dict[str, str]:
    """Return the texts of the sections of a page by their titles."""
    return {
        title: text.strip()
        for title, _, text in (part.partition("\n") for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:])
    }


def main() -> None:
    """Print the results, save them on request, and fail if a ratio has fallen."""
    parser = argparse.ArgumentParser(description="Measure sfcode on this machine.")
    parser.add_argument("--save", action="store_true", help="write RESULTS.md and ratios.json in benchmarks/ as well")
    parser.add_argument("--only", default="", metavar="WORD", help="measure only the parts whose titles have this word")
    arguments = parser.parse_args()
    # pip also compiles an installed wheel; otherwise each process would compile the modules that it imports.
    compileall.compile_dir(ROOT / "sfcode", quiet=1)
    saved = ratios.read_saved()
    sections = measure_parts(arguments.only)
    measured = [ratio for section in sections.values() for ratio in section.ratios]
    if arguments.save:
        texts = read_page(RESULTS.read_text(encoding="utf-8")) | {name: part.text for name, part in sections.items()}
        RESULTS.write_text(write_page(texts), encoding="utf-8")
        previous = saved if arguments.only else {}
        ratios.save((previous | {ratio.name: ratio for ratio in measured}).values())
    if fallen := ratios.list_fallen(measured, saved):
        raise SystemExit("Slower than allowed:\n" + "\n".join(f"  - {line}" for line in fallen))


if __name__ == "__main__":
    main()
