"""How time and memory grow with the number of mappings: whole processes, against an org that is served in another one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks.against_sf import served
from benchmarks.lookups import call
from benchmarks.many_mappings import fill_org, write_project
from benchmarks.measure import SFCODE
from benchmarks.round_trip import OUTBOUND

COUNTS = (1, 10, 100, 300, 1_000)
VERBS = ("validate", "plan", "apply", "plan without changes")
WORDS = {
    "validate": ["validate"],
    "plan": ["plan"],
    "apply": ["apply", "--auto-approve"],
    "plan without changes": ["plan", "--detailed-exitcode"],
}


def table(counts: tuple[int, ...] = COUNTS) -> str:
    """
    Set the growth as Markdown: processor seconds of each verb, its peak memory, and the bytes of the state.

    Processor time says the same on a loaded machine. Behind each figure stands how many times that of the row before it is; on
    a straight line it is at most eleven where there are ten times the mappings.
    """
    lines = [f"| mappings | {' | '.join(VERBS)} | peak memory | state |", "| ---: |" + " ---: |" * (len(VERBS) + 2)]
    before: dict[str, float] = {}
    for count in counts:
        seconds, memory, state = _measure(count)
        cells = [f"{seconds[verb]:.2f} s{_times(seconds[verb], before.get(verb))}" for verb in VERBS]
        lines.append(f"| {count:,} | {' | '.join(cells)} | {memory / 1_000:.0f} MB | {state / 1_000:.0f} kB |")
        before = seconds
    return "\n".join(lines)


def _times(seconds: float, before: float | None) -> str:
    return f" ({seconds / before:.1f})" if before else ""


def _measure(mappings: int) -> tuple[dict[str, float], int, int]:
    """Return the processor seconds of each verb, the peak memory of the largest in kB, and the bytes of the state."""
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        folder = Path(name)
        write_project(folder, mappings)
        fill_org(folder / "org", mappings)
        with served(folder) as org:
            environment = {**os.environ, **OUTBOUND, "SF_ACCESS_TOKEN": org.access_token}
            seconds, peak = {}, 0
            for verb in VERBS:
                command = [SFCODE, "--env", "local", "--org", org.url, "--quiet", *WORDS[verb]]
                seconds[verb], memory = _run(command, folder, environment)
                peak = max(peak, memory)
            row = call(org, "GET", "/query?q=SELECT+BodyLength+FROM+StaticResource+WHERE+Name+LIKE+'%25_sfcode_state'")
            return seconds, peak, int(row["records"][0]["BodyLength"])


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Run a process, and return its processor seconds and its peak memory in kB."""
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    print(table())
