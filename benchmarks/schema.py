"""The schema validation of `validate`: the time for the first file of each type in a process, and for the following files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import ROOT, Row

TIMES = 5
CODE = """
import time
from sfcode.metadata.schema import validate_strictly, xsd
from sfcode.metadata.schema_table import NAMESPACE, roots
files = [f'<{name} xmlns="{NAMESPACE}"/>'.encode() for name in sorted(roots())]
for _ in range(2):
    started = time.perf_counter()
    for file in files:
        validate_strictly(file)
    print(time.perf_counter() - started, len(files))
"""


def measure() -> Iterator[Row]:
    """Validate an empty file of every type twice, in new processes."""
    first, warm_times, types = [], [], 0
    for _ in range(TIMES):
        run = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
        (cold, types_), (warm, _) = (line.split() for line in run.stdout.splitlines())
        types = int(types_)
        first.append(float(cold))
        warm_times.append(float(warm))
    yield Row(f"load the strict schemas of {types} types", first)
    yield Row(f"check {types} small files with them", warm_times)
