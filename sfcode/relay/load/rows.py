"""Read the rows of an export one by one: CSV with a header, JSON Lines, or an array of JSON objects."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, TextIO

from sfcode.lazy_dataclasses import dataclass, field

AT_ONCE = 65_536
"""The number of characters of a JSON array that are read at a time."""
LARGEST = 1_000_000
"""The maximum length of one JSON object in characters."""
DEEPEST = 4
_REPLACED = "\ufffd"
_NOT_UTF8 = "contains bytes that are not UTF-8"


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One row by column names; the keys of nested objects are joined with `_`."""

    line: int
    """The line at which the row begins, from 1."""
    values: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why the row cannot be read; "" if it can."""


def read_rows(stream: TextIO) -> Iterator[ExportRow]:
    """Yield the rows of a stream opened with `errors="replace"`, keeping one in memory."""
    skipped = 0
    for line in stream:
        if line.strip():
            break
        skipped += 1
    else:
        return
    lines = chain([line], stream)
    if line.lstrip().startswith("["):
        return (yield from _read_array(line, stream, skipped + 1))
    read = _read_json_lines if line.lstrip().startswith("{") else _read_csv
    yield from read(lines, skipped + 1)


def _read_csv(lines: Iterator[str], first: int) -> Iterator[ExportRow]:
    header_line = next(lines)
    separator = max(",;\t", key=header_line.count)
    header = next(csv.reader([header_line], delimiter=separator))
    reader = csv.reader(lines, delimiter=separator)
    while True:
        line = first + 1 + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield ExportRow(line, problem=f"is no CSV: {error}")
            continue
        if not any(cells):
            continue
        if len(cells) > len(header):
            yield ExportRow(line, problem=f"has {len(cells)} cells, and the header has {len(header)}")
        elif any(_REPLACED in cell for cell in cells):
            yield ExportRow(line, problem=_NOT_UTF8)
        else:
            yield ExportRow(line, {name: cell for name, cell in zip(header, cells, strict=False) if cell})


def _read_json_lines(lines: Iterator[str], first: int) -> Iterator[ExportRow]:
    for number, line in enumerate(lines, start=first):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield ExportRow(number, problem="is not JSON")
        else:
            yield _as_row(number, value)


def _read_array(text: str, stream: TextIO, line: int) -> Iterator[ExportRow]:
    """Read an array object by object, up to the first syntax error."""
    decode = json.JSONDecoder().raw_decode
    text = text[text.index("[") + 1 :]
    while True:
        remaining_text = text.lstrip(" \t\r\n,")
        line += text.count("\n", 0, len(text) - len(remaining_text))
        text = remaining_text
        if text.startswith("]"):
            return
        try:
            value, end = decode(text)
        except (ValueError, RecursionError):
            more = stream.read(AT_ONCE) if len(text) < LARGEST else ""
            if not more:
                yield ExportRow(line, problem="is not JSON; the rest of the file was not read")
                return
            text += more
            continue
        yield _as_row(line, value)
        line += text.count("\n", 0, end)
        text = text[end:]


def _as_row(line: int, value: object) -> ExportRow:
    if not isinstance(value, dict):
        return ExportRow(line, problem="is not a JSON object")
    values = dict(_flatten(value, "", 0))
    if any(isinstance(cell, str) and _REPLACED in cell for cell in values.values()):
        return ExportRow(line, problem=_NOT_UTF8)
    return ExportRow(line, values)


def _flatten(node: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict) and depth < DEEPEST:
            yield from _flatten(value, f"{before}{key}_", depth + 1)
        elif isinstance(value, str | int | float) and value != "":
            yield f"{before}{key}", value
