"""Find user ids of several records. An org compares ids without case, so they are compared exactly here."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.checks.doctor.facts import Alike, Repeats

EXAMPLES = 5


def repeats(rows: Iterable[tuple[str, object]], *, complete: bool = True) -> Repeats:
    """Compare user ids, each with the record ids that have it."""
    exact: dict[str, list[str]] = {}
    for record, value in rows:
        exact.setdefault(str(value), []).append(record)
    folded: dict[str, list[str]] = {}
    for value, records in exact.items():
        folded.setdefault(value.casefold(), []).append(records[0])
    return Repeats(_alike(exact.values()), _alike(folded.values()), complete)


def _alike(groups: Iterable[list[str]]) -> Alike:
    several = [group for group in groups if len(group) > 1]
    return Alike(len(several), tuple(" = ".join(group[:2]) for group in several[:EXAMPLES]))
