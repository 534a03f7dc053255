"""Tables for terminals: a header, columns side by side, and times in the reader's zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from sfcode.lazy_dataclasses import dataclass

utc_option = click.option("--utc", is_flag=True, help="Show times in UTC instead of your time zone.")


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """Formats times for a reader: in the zone of this machine or of TZ, or in UTC."""

    utc: bool = False

    @property
    def zone(self) -> str:
        """The name of the zone, for a header."""
        return "UTC" if self.utc else datetime.now().astimezone().tzname() or "local"

    def format(self, moment: datetime | None) -> str:
        """Return a time to the second; "" for None."""
        return "" if moment is None else f"{moment.astimezone(UTC if self.utc else None):%Y-%m-%d %H:%M:%S}"


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, the header first; the last column is as wide as it needs to be."""
    from sfcode.text import printable

    cells = [list(map(printable, row)) for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths[-1] = 0
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
