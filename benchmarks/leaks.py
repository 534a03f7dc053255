"""Two hundred deploys over SOAP in a row, with the memory, open files and state of the process in between."""

from __future__ import annotations

import base64
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.deploys import NAMESPACE, package

if TYPE_CHECKING:
    from sfcode.local import LocalOrg

DEPLOYS, STEP, FIELDS = 200, 50, 50
STATM = Path("/proc/self/statm")
OPEN_FILES = Path("/proc/self/fd")


def table() -> str:
    """Return the figures as Markdown."""
    lines = [
        "| after | resident memory | open files | state file | a deploy took |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in measure())])


def measure() -> Iterator[tuple[str, ...]]:
    """Deploy repeatedly, and measure the process from time to time."""
    if not STATM.exists():
        yield ("this system does not tell", "", "", "", "")
        return
    from sfcode.local import serve

    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name, serve(Path(name)) as org:
        started = time.perf_counter()
        for number in range(1, DEPLOYS + 1):
            _deploy(org, package(FIELDS, f"Field {number}"))
            if number == 1 or number % STEP == 0:
                seconds = (time.perf_counter() - started) / (1 if number == 1 else STEP)
                pages = int(STATM.read_text().split()[1])
                state = sum(path.stat().st_size for path in Path(name).iterdir())
                yield (
                    f"{number} deploys of {FIELDS} fields",
                    f"{pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.0f} MB",
                    f"{len(list(OPEN_FILES.iterdir()))}",
                    f"{state / 2**20:.1f} MB",
                    f"{seconds * 1000:.0f} ms",
                )
                started = time.perf_counter()


def _deploy(org: LocalOrg, data: bytes) -> None:
    options = "<rollbackOnError>true</rollbackOnError><singlePackage>true</singlePackage>"
    body = (
        f"<deploy><ZipFile>{base64.b64encode(data).decode()}</ZipFile><DeployOptions>{options}</DeployOptions></deploy>"
    )
    deploy_id = _call(org, body).partition("<id>")[2].partition("</id>")[0]
    report = ""
    while "<done>true</done>" not in report:
        report = _call(org, f"<checkDeployStatus><asyncProcessId>{deploy_id}</asyncProcessId></checkDeployStatus>")
    if "<status>Succeeded</status>" not in report:
        raise SystemExit(report)


def _call(org: LocalOrg, body: str) -> str:
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<e:Header xmlns="{NAMESPACE}"><SessionHeader><sessionId>{org.access_token}</sessionId></SessionHeader></e:Header>'
        f'<e:Body xmlns="{NAMESPACE}">{body}</e:Body></e:Envelope>'
    )
    request = urllib.request.Request(
        f"{org.url}/services/Soap/m/62.0", envelope.encode(), {"Content-Type": "text/xml", "SOAPAction": '""'}
    )
    with urllib.request.urlopen(request) as response:
        text: str = response.read().decode()
    return text
