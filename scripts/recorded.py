"""Render docs/local-org-evidence.md from the recorded pairs in tests/recorded/."""

from __future__ import annotations

from collections import defaultdict

from tests.recorded.pairs import KINDS, RecordedPair, read_pairs

HEAD = """\
# What the answers of the local org rest on

This page is made from `tests/recorded/*.yaml` by `make docs`; a test fails when it is stale.

Each file there holds requests and the answers of real orgs: names of fields, shapes, codes and texts as they are, with records of our own. A test sends every request to the [local
org](local-org.md) and compares the answers; ids, times and addresses may differ. *Recorded*: somebody has recorded the answer of a real org. *Documented*: Salesforce documents it.
*Inferred*: concluded from either. Where the local org answers otherwise, the pair gives the reason, and the test fails as soon as it does not.

`make evidence` adds what [an org has answered](unverified.md#test-a-real-org).
"""


def evidence_page() -> str:
    """Render the page."""
    pairs = read_pairs()
    areas: dict[str, list[RecordedPair]] = defaultdict(list)
    for pair in pairs:
        areas[pair.area].append(pair)
    lines = [
        HEAD,
        "| area | recorded from a real org | documented | inferred | the local org differs |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(area, areas[area]) for area in sorted(areas, key=str.lower)]
    lines += [
        _row("all", pairs),
        "",
        "## Where the local org differs",
        "",
        "| area | request | why | source |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {pair.area} | {pair.name} | {pair.differs} | {pair.source} |" for pair in pairs if pair.differs]
    lines += ["", "## Sources", ""]
    sources = sorted({pair.source for pair in pairs if pair.kind == "recorded"}, key=str.lower)
    lines += [f"- {source}" for source in sources]
    return "\n".join(lines) + "\n"


def _row(title: str, pairs: list[RecordedPair]) -> str:
    counts = [sum(pair.kind == kind for pair in pairs) for kind in KINDS]
    cells = [title, *map(str, counts), str(sum(bool(pair.differs) for pair in pairs))]
    return f"| {' | '.join(cells)} |"
