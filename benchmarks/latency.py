"""The additional time of a plan of the shipped example when each response of the org is delayed."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import urllib.request
from pathlib import Path

from benchmarks.measure import ROOT, SFCODE
from benchmarks.peers import Program
from benchmarks.round_trip import OUTBOUND
from benchmarks.served import Org, served

LATENCY = 0.1
"""Seconds by which each response is delayed."""
ROUNDS = 5
STEPS = {"a first plan": "new", "a plan without changes": "applied"}


def table() -> str:
    """Return the additional seconds as Markdown, and the number of sequential responses."""
    lines = [
        f"Each response takes {LATENCY * 1000:.0f} ms longer, by a fault of the local org. With and without in turn, {ROUNDS} rounds.",
        "",
        "| plan | seconds longer | responses that it waits for, one after the other |",
        "| --- | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "config", folder / "config")
        with served(folder) as org:
            words = (SFCODE, "--env", "local", "--org", org.url, "--quiet")
            program = Program(words, folder, {**OUTBOUND, "SF_ACCESS_TOKEN": org.access_token})
            for step, content in STEPS.items():
                if content == "applied":
                    program.run("apply", "--auto-approve")
                median = statistics.median(_measure_more(program, org) for _ in range(ROUNDS))
                lines.append(f"| {step} | {median:.2f} s | {median / LATENCY:.1f} |")
    return "\n".join(lines)


def _measure_more(program: Program, org: Org) -> float:
    usual = program.run("plan").seconds
    _faults(org, "POST", {"kind": "latency", "seconds": LATENCY, "times": 1_000})
    try:
        return program.run("plan").seconds - usual
    finally:
        _faults(org, "DELETE")


def _faults(org: Org, method: str, fault: dict[str, object] | None = None) -> None:
    request = urllib.request.Request(
        f"{org.url}/services/sfcode/faults",
        json.dumps(fault).encode() if fault else None,
        {"Authorization": f"Bearer {org.access_token}", "Content-Type": "application/json"},
        method=method,
    )
    urllib.request.urlopen(request).close()


if __name__ == "__main__":
    print(table())
