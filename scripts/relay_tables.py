"""Render the tables of metrics, reasons and alarms in docs/relay.md from the tables in the code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sfcode.relay.metrics import Metrics
from sfcode.relay.reasons import ALARMS, REASONS, Reason

PAGE = Path("docs/relay.md")
LINKS = {"`relay.api_calls_per_day`": "[`relay.api_calls_per_day`](#requests-to-the-org)"}
"""Links for settings that are explained elsewhere on the page."""


def write_tables(text: str) -> str:
    """Return the text of the page with its present tables."""
    text = _replace_table(text, "metrics", metrics_table())
    text = _replace_table(text, "reasons", _reasons_table("Reason", REASONS.items()))
    return _replace_table(text, "alarms", _reasons_table("Alarm", ALARMS.items()))


def _replace_table(text: str, name: str, table: str) -> str:
    """Replace the table between the two comments that name it."""
    begin, end = f"<!-- {name}: `make docs` writes this table -->\n\n", f"\n\n<!-- end of {name} -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{PAGE} has no place for the table of {name}.")
    return f"{before}{begin}{table}{end}{after}"


def metrics_table() -> str:
    """Return the table of all metrics."""
    metrics = Metrics()
    rows = []
    for metric in vars(metrics).values():
        for family in metric.collect() if hasattr(metric, "collect") and metric is not metrics.registry else ():
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 (nothing else has them)
            kind = " (histogram)" if family.type == "histogram" else ""
            rows.append((f"`{name}`", labels, f"{_link(family.documentation.removesuffix('.'))}{kind}"))
    return _table(("Metric", "Labels", "What it tells"), rows)


def _reasons_table(title: str, reasons: Iterable[tuple[str, Reason]]) -> str:
    rows = ((f"`{name}`", reason.meaning, reason.hint) for name, reason in reasons)
    return _table((title, "What it means", "What to do"), rows)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _link(text: str) -> str:
    for words, link in LINKS.items():
        text = text.replace(words, link)
    return text
