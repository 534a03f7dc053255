"""The start of the local org, which commands with `--org local` wait for, compared with that of Python and uvicorn."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import ROOT, Row, process

SERVE = "import sys; from pathlib import Path; from sfcode.local import serve; org = serve(Path(sys.argv[1])); found = org.__enter__()"
QUERY = (
    "; import urllib.request as u; u.urlopen(u.Request("
    "found.url + '/services/data/v62.0/query?q=SELECT+Id+FROM+Contact', headers={'Authorization': 'Bearer ' + found.access_token})).read()"
)
STOP = "; org.__exit__(None, None, None)"
PROGRAMS = {
    "bare `python -c pass`": "pass",
    "`import uvicorn, starlette.applications`": "import uvicorn, starlette.applications",
    "serve and stop, the state is there": SERVE + STOP,
    "serve, one query over HTTP, stop": SERVE + QUERY + STOP,
}
TIMES = 9


def measure() -> Iterator[Row]:
    """Start the programs in turn on one state, which the first round creates."""
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        rounds = [
            {title: process([sys.executable, "-c", code, name], ROOT) for title, code in PROGRAMS.items()}
            for _ in range(TIMES + 1)
        ][1:]
        seconds = {title: [timing[title] for timing in rounds] for title in PROGRAMS}
        bare, web, *_ = map(statistics.median, seconds.values())
        for title, values in seconds.items():
            ratio = (
                f" ({statistics.median(values) / web:.2f} times the web server's imports)" if "serve" in title else ""
            )
            yield Row(title + ratio, values, bare)
        fresh = [process([sys.executable, "-c", SERVE + STOP, str(Path(name, f"new-{n}"))], ROOT) for n in range(TIMES)]
        yield Row("serve and stop, the shipped company is founded", fresh, bare)
