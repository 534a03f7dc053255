"""A record on its way into the org."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sfcode.local.store import Record, Scalar, Transaction


@dataclass(frozen=True)
class PendingRecord:
    """A record about to be stored: as it was, as it will be, and the fields that the caller gave."""

    tx: Transaction
    before: Record | None
    after: Record
    given: frozenset[str]
    now: datetime

    def first(self, *names: str) -> Scalar:
        """Take the value that the caller gave to one of these fields, else the one that is there."""
        given = (self.after.get(name) for name in names if name in self.given)
        there = (self.after.get(name) for name in names)
        return next((value for value in (*given, *there) if value is not None), None)
