"""Read and write CSV as the Bulk API does, with the delimiter and line ending of the job."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.rest.bulk.job import DELIMITERS, LINE_ENDINGS, Job

QUOTE_OR_BREAK = re.compile(r'"|\r\n|\r|\n')


class BadTableError(Exception):
    """Raised when an upload is not valid CSV; the job fails with this message."""


@dataclass(frozen=True)
class CsvTable:
    """An uploaded table: its header line as sent, its column names, and its rows."""

    header: str
    columns: tuple[str, ...]
    rows: list[list[str]]


def read(content: bytes, job: Job) -> CsvTable:
    """Parse an upload. Raises BadTableError."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadTableError(f"ClientInputError : Failed to read request. Exception: {error.reason}") from error
    line_break = _first_break(text)
    if line_break and line_break[0] != LINE_ENDINGS[job["lineEnding"]]:
        raise BadTableError(
            f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {job['lineEnding']}"
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job["columnDelimiter"]], strict=True)
    try:
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise BadTableError(f"InvalidBatch : Failed to parse CSV: {error}") from error
    head = text[: line_break.start()] if line_break else text
    return CsvTable(head, tuple(lines[0]) if lines else (), lines[1:])


def _first_break(text: str) -> re.Match[str] | None:
    """Find the first line end outside of quotes."""
    quoted = False
    for match in QUOTE_OR_BREAK.finditer(text):
        if match[0] == '"':
            quoted = not quoted
        elif not quoted:
            return match
    return None


def line(cells: Iterable[str], job: Job) -> str:
    """Write one line with every value quoted."""
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return DELIMITERS[job["columnDelimiter"]].join(quoted) + LINE_ENDINGS[job["lineEnding"]]


def header(added: Iterable[str], uploaded_header: str, job: Job) -> str:
    """Write the header of a result: the added columns, then the header of the upload unchanged."""
    delimiter = DELIMITERS[job["columnDelimiter"]]
    return delimiter.join([*(f'"{name}"' for name in added), uploaded_header]) + LINE_ENDINGS[job["lineEnding"]]
