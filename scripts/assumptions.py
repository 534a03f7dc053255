"""Render docs/unverified.md from docs/assumptions.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sfcode.config import yaml

DATA = Path(__file__).resolve().parent.parent / "docs" / "assumptions.yaml"
ABOUT = {"salesforce": "Salesforce", "appcues": "Appcues"}

HEAD = """\
# Unverified assumptions

This page is made from `docs/assumptions.yaml` by `make docs`; a test fails when it is stale.

sfcode was built without access to a Salesforce org or an Appcues account. Its output is validated against the Metadata
API's own WSDL and by Salesforce's own CLI (`sf project convert`). Complete journeys run against the local org, which is
based on documentation and on published metadata and traffic. This page lists the assumptions that only a real org or a real Appcues account can
confirm, and those that public evidence or an org has confirmed.

**Confidence** rates the evidence. *High*: vendor documentation, or a capture from a
real org that we could not repeat. *Medium*: several independent reports, or a similar case that works. *Low*: one
report, memory, or deduction.

## Test a real org

```sh
export SFCODE_TEST_ORG=alias:my-scratch-org   # or env:PREFIX, or an instance URL with SF_ACCESS_TOKEN
make test-org
```

The probes change nothing: they read records and validate packages without deploying them (`make test-org ARGS=tests/probes` runs only the probes). The [client
tests](local-org-clients.md#in-another-org) create records and components and delete them afterwards, so use a scratch org, a developer org or a
sandbox. Without the variable `SFCODE_TEST_ORG`, the command tests nothing and exits with 1. A row that names `make test-org` has a probe; a test
compares the table with the probes, and `make test` runs the same probes against the local org. The other rows describe a manual test.

`sfcode doctor --probe FILE` runs the same probes, and some requests that fail, in the org of any project. It writes the answers to one file: codes, messages and types of
values, without names, IDs and addresses. `make test-org` writes this file as `org-evidence.json`, and adds the result of each step of the five clients: passed, skipped, or the kind of error and the codes of the org. `sfcode relay learn --evidence FILE` adds the format of a webhook to the file. Send the file with an
[observation](../.github/ISSUE_TEMPLATE/observation.yml), so that all users benefit from it: `make evidence FILE=...` moves the assumptions to *confirmed* or *refuted*, and adds the answers to the recorded ones that the local org is
compared with.
"""


def read_assumptions(path: Path = DATA) -> list[dict[str, Any]]:
    """Return the assumptions in the order of the file."""
    document = yaml.parse(path.read_bytes(), path.name)
    rows: list[dict[str, Any]] = document.data["assumptions"]  # type: ignore[index]
    return rows


def unverified_page() -> str:
    """Render the page."""
    rows = read_assumptions()
    parts = [HEAD]
    for key, title in ABOUT.items():
        open_ = [row for row in rows if row["about"] == key and row["status"] == "open"]
        parts.append(f"\n## {title}\n\n{_open_table(open_)}")
    for status, title, text in (
        (
            "confirmed",
            "Confirmed",
            "Public evidence or an org has confirmed these assumptions; the code relies on them as before.",
        ),
        ("refuted", "Refuted", "An org has refuted these assumptions; the code no longer relies on them."),
    ):
        settled = [row for row in rows if row["status"] == status]
        if settled:
            parts.append(f"\n## {title}\n\n{text}\n\n{_settled_table(settled)}")
    return "".join(parts)


def _open_table(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = ["| ID | assumption | relied on in | how to confirm it | confidence |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        findings = "".join(
            f" Known so far: {evidence['says']} ({evidence['source']})." for evidence in row.get("evidence", ())
        )
        cells = (
            row["id"],
            row["assumption"],
            row["relied_on_in"],
            f"{row['confirm']}{'.' if findings else ''}{findings}",
        )
        lines.append(f"| {' | '.join(cells)} | {row['confidence']} |")
    return "\n".join(lines) + "\n"


def _settled_table(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = ["| ID | assumption | relied on in | by | date |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        by = "; ".join(f"{evidence['says']} ({evidence['source']})" for evidence in row["evidence"])
        lines.append(
            f"| {row['id']} | {row['assumption']} | {row['relied_on_in']} | {by} | {row['evidence'][-1]['date']} |"
        )
    return "\n".join(lines) + "\n"
