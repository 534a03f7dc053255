"""
Add the answers of an org to docs/assumptions.yaml and tests/recorded/.

    .venv/bin/python scripts/evidence.py FILE

FILE is the output of `sfcode doctor --probe FILE` and `make test-org`.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ASSUMPTIONS = ROOT / "docs" / "assumptions.yaml"
RECORDED = ROOT / "tests" / "recorded"
SETTLED = ("confirmed", "refuted")


def add_evidence(evidence: dict[str, Any], root: Path = ROOT) -> list[str]:
    """Add the evidence to docs/assumptions.yaml and tests/recorded/, and return a summary."""
    steps = describe_steps(evidence.get("steps", []))
    if "org" not in evidence:
        return [*steps, "The probes were not asked: nothing else was added."]
    source = describe_org(evidence)
    path = root / "docs" / "assumptions.yaml"
    text, messages = path.read_text("utf-8"), []
    for probe in evidence["probes"]:
        if probe["result"] in SETTLED:
            text = update_assumption(text, probe, source, evidence["date"])
            messages.append(f"{probe['assumption']} is {probe['result']}")
    path.write_text(text, "utf-8")
    name = re.sub(r"[^a-z0-9]+", "-", f"{evidence['date']} {evidence['org']['edition']}".lower()).strip("-")
    pairs = root / "tests" / "recorded" / f"org-{name}.yaml"
    pairs.write_text(render_pairs(evidence["exchanges"], source), "utf-8")
    return [*messages, *steps, f"{len(evidence['exchanges'])} answers are in {pairs.relative_to(root)}"]


def describe_org(evidence: dict[str, Any]) -> str:
    """Describe the org that the evidence comes from, without its name: edition, API version and language."""
    org = evidence["org"]
    kind = "a sandbox" if org["sandbox"] else "an org"
    return f"{kind} of {org['edition']}, API {org['api_version']}, language {org['language']}"


def describe_steps(steps: list[dict[str, str]]) -> list[str]:
    """Return for each client how many steps had the same result as in the local org, and the steps that failed."""
    lines = []
    for client, group in groupby(sorted(steps, key=lambda step: step["client"]), key=lambda step: step["client"]):
        own = list(group)
        passed = sum(step["result"] == "passed" for step in own)
        lines.append(f"{client}: {passed} of {len(own)} steps did as in the local org")
        lines += [f"  {step['step']}: {step['answer']}" for step in own if step["result"] == "failed"]
    return lines


def update_assumption(text: str, probe: dict[str, Any], source: str, date: str) -> str:
    """Return the YAML of the assumptions with the result of a probe as status and its answer as evidence."""
    block = re.compile(rf"(?ms)^- id: {probe['assumption']}\n.*?(?=^- id: |\Z)")
    match = block.search(text)
    if match is None:
        raise SystemExit(f"There is no assumption {probe['assumption']} in {ASSUMPTIONS.name}.")
    changed = re.sub(r"(?m)^  status: \w+$", f"  status: {probe['result']}", match[0])
    if "\n  evidence:\n" not in changed:
        changed += "  evidence:\n"
    says = json.dumps(probe["answer"].replace("\n", "; "), ensure_ascii=False)
    changed += f"    - source: {json.dumps(source)}\n      date: {date}\n      says: {says}\n"
    return text[: match.start()] + changed + text[match.end() :]


def render_pairs(exchanges: list[dict[str, Any]], source: str) -> str:
    """Render exchanges as a file of recorded answers."""
    lines = ["pairs:"]
    for exchange in exchanges:
        lines.append(f"  - name: {json.dumps(exchange['name'])}")
        lines.append(f"    area: {json.dumps(exchange['area'])}")
        lines.append("    kind: recorded")
        lines.append(f"    source: {json.dumps(source)}")
        lines += [f"    {key}: {json.dumps(exchange[key], ensure_ascii=False)}" for key in ("request", "answer")]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    print(*add_evidence(json.loads(Path(sys.argv[1]).read_text("utf-8"))), sep="\n")
    print("Run `make docs`, look at the changes, and correct the code where an assumption is refuted.")
