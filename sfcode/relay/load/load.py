"""Load an export: store the answers of its rows in the inbox, a few hundred per transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.load.answers import AnswerReader, BadRow
from sfcode.relay.load.rows import ExportRow
from sfcode.relay.message import InboxMessage

AT_ONCE = 500
"""The number of answers per transaction."""
MOST_KEPT = 1_000
"""The number of bad rows that are kept for the report; the others are counted."""

Accept = Callable[[Sequence[InboxMessage]], int]
"""Stores messages and returns how many were new."""


@dataclass
class LoadResult:
    """The result of a load, which is its progress while it runs."""

    rows: int = 0
    answers: int = 0
    new: int = 0
    """Answers that were not in the inbox yet."""
    other_events: int = 0
    bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    """The first of the bad rows."""
    first: str = ""
    last: str = ""
    """The times of the first and the last answer; "" without answers."""

    def add(self, message: InboxMessage) -> None:
        """Count an answer."""
        self.answers += 1
        time = str(message.payload["timestamp"])
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)

    def add_bad(self, row: BadRow) -> None:
        """Count a bad row, and keep the first ones for the report."""
        self.bad += 1
        if len(self.bad_rows) < MOST_KEPT:
            self.bad_rows.append(row)


def load_answers(
    rows: Iterable[ExportRow], reader: AnswerReader, accept: Accept, report: Callable[[LoadResult], None]
) -> LoadResult:
    """
    Store the answers of rows, and return their numbers.

    The same answer gives the same message, so that an interrupted load can be run again.
    """
    result = LoadResult()
    waiting: list[InboxMessage] = []

    def flush() -> None:
        result.new += accept(waiting)
        waiting.clear()
        report(result)

    for row in rows:
        result.rows += 1
        answer = reader.read(row)
        if answer is None:
            result.other_events += 1
        elif isinstance(answer, BadRow):
            result.add_bad(answer)
        else:
            result.add(answer)
            waiting.append(answer)
            if len(waiting) >= AT_ONCE:
                flush()
    if waiting:
        flush()
    return result
