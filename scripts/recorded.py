"""Render docs/local-org-evidence.md from the recorded pairs in tests/recorded/."""

from __future__ import annotations

from collections import defaultdict

from tests.recorded.pairs import KINDS, RecordedPair, read_pairs

HEAD = """\
# Evidence for the answers of the local org

This page is made from `tests/recorded/*.yaml` by `make docs`; a test fails when it is stale.

Each of these files holds pairs of a request and an answer. Names of fields, structure, codes and texts are those of a real org; the records are invented. A test sends every request to the [local
org](local-org.md) and compares the answers; IDs, times and addresses may differ. *Recorded*: somebody has recorded the answer of a real org. *Documented*: Salesforce documents the answer.
*Inferred*: the answer is concluded from recorded or documented ones. If the local org answers differently, the pair states the reason, and the test fails as soon as the answers agree.

`make evidence` adds [the answers of an org](unverified.md#test-a-real-org).
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
