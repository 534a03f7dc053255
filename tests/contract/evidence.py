"""The redacted results of clients' steps in the named org, for the file of `make test-org`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sfcode import __version__
from sfcode.evidence.record import FORMAT

PROPERTY = "client step"
CODE = re.compile(r"\b(?=[A-Z]*_)[A-Z][A-Z_]{5,}\b")
"""
Matches error codes of an org. Nothing else of a failure is kept, since the rest may be about people and records of the
org.
"""


def describe_step(node_id: str, outcome: str, error: BaseException | None = None) -> dict[str, str]:
    """Return the result of a step: for a failure the kind of error and the org's codes, for a skip the reason."""
    path, _, name = node_id.partition("::")
    client = Path(path).stem.removeprefix("test_")
    answer = ""
    if error is not None and outcome == "skipped":
        answer = str(error)
    elif error is not None:
        answer = " ".join([type(error).__name__, *dict.fromkeys(CODE.findall(str(error)))])
    return {
        "client": client,
        "step": name.replace("[real-", "[").removesuffix("[real]"),
        "result": outcome,
        "answer": answer,
    }


class ClientSteps:
    """Collects the steps of a run, and adds them to the file of evidence at its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.time()
        self._steps: list[Mapping[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store the step of a report."""
        self._steps += [value for name, value in report.user_properties if name == PROPERTY]  # type: ignore[misc]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the steps and the probes of this run, in the process that has collected all of them."""
        if not self._steps or hasattr(session.config, "workerinput"):
            return
        document: dict[str, Any] = {"evidence": FORMAT, "sfcode": __version__, "probes": [], "exchanges": []}
        # The file of an earlier run may be about another org, so it is replaced.
        if self._path.exists() and self._path.stat().st_mtime >= self._began:
            document = json.loads(self._path.read_text("utf-8"))
        document["steps"] = sorted(self._steps, key=lambda step: (step["client"], step["step"]))
        self._path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
