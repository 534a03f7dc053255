"""A parsed YAML file: its data, and the position of every key and value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from sfcode.diagnostics import Diagnostic, Position
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.place import ConfigPath, nearest
from sfcode.text import printable

_BARE = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Spot:
    """The positions of an entry: its key (in a list: the item), its value, and the value's text as written."""

    key: Position
    value: Position
    start: int = 0
    end: int = 0
    block: bool = False
    """Whether the value is a literal block (`|`), whose text begins on the line after `value`."""
    text: str | None = None
    """The text of the entry's file, if it is not the file of the document."""


@dataclass(frozen=True, slots=True)
class PathProblem:
    """One problem of an entry, without its position in the file."""

    path: ConfigPath
    message: str
    hint: str
    at: Literal["key", "value"] = "value"
    by_content: bool = False
    """Whether the problem depends on the content of the entry, so that it may follow from other problems there."""
    instead: ConfigPath = ()
    """The similar entry that was probably meant, whose absence is then not reported."""


@dataclass(frozen=True)
class Document:
    """The content of one YAML file. `data` consists of dict, list, str, bool, int, float and None."""

    file: str
    text: str
    data: object
    spots: Mapping[ConfigPath, Spot]
    problems: tuple[Diagnostic, ...] = ()
    """Problems of entries that are not in `data`: a repeated key, a merge key."""

    @cached_property
    def keys(self) -> dict[ConfigPath, Position]:
        """The position of every key, and of every item of a list."""
        return {path: spot.key for path, spot in self.spots.items()}

    @cached_property
    def values(self) -> dict[ConfigPath, Position]:
        """The position of every value."""
        return {path: spot.value for path, spot in self.spots.items()}

    def has(self, *path: str | int) -> bool:
        """Return whether an entry is in the file."""
        return path in self.spots

    def get(self, path: ConfigPath) -> object:
        """Return the value of an entry as written, None if there is none."""
        node = self.data
        for part in path:
            if isinstance(node, dict):
                node = node.get(part)
            elif isinstance(node, list) and isinstance(part, int) and part < len(node):
                node = node[part]
            else:
                return None
        return node

    def source(self, path: ConfigPath) -> str:
        """Return the text of a value as written."""
        spot = self.spots.get(path)
        return self._text(spot)[spot.start : spot.end] if spot else ""

    def key(self, path: ConfigPath) -> Position:
        """Return the position of the key at a path, or of its nearest ancestor."""
        return nearest(self.keys, path)

    def value(self, path: ConfigPath) -> Position:
        """Return the position of the value at a path, or of its nearest ancestor."""
        return nearest(self.values, path)

    def find(self, path: ConfigPath, token: str, nth: int = 0) -> Position:
        """Return the position of the n-th occurrence of a text within a value; the position of the value if there is none."""
        spot = self.spots[path]
        start = spot.start - 1
        for _ in range(nth + 1):
            start = self._text(spot).find(token, start + 1, spot.end)
            if start < 0:
                return spot.value
        return position_at(spot.value.file, self._text(spot), start)

    def line(self, path: ConfigPath, number: int) -> Position:
        """Return the position of the n-th line (from 1) of a text; of the whole value unless it is a literal block."""
        spot = self.spots[path]
        if not spot.block:
            return spot.value
        row = spot.value.line + number
        lines = self._text(spot).split("\n")
        content = lines[row - 1] if row <= len(lines) else ""
        return Position(spot.value.file, row, len(content) - len(content.lstrip()) + 1)

    def _text(self, spot: Spot) -> str:
        return self.text if spot.text is None else spot.text

    def problem(self, finding: PathProblem) -> Diagnostic:
        """Return a diagnostic for a problem of an entry, with the position in the file."""
        path = finding.path
        if not self.has(*path) and isinstance(self.get(path[:-1]), str):
            path = path[:-1]  # short form: `score: Score__c` for `score: {field: Score__c}`
        position = self.key(path) if finding.at == "key" else self.value(path)
        return Diagnostic.error(position, format_path(path), finding.message, finding.hint)


def format_path(path: ConfigPath) -> str:
    """Format a path: `to_salesforce.activities[2]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += "." * bool(text) + (
                part if _BARE.fullmatch(part) else printable(json.dumps(part, ensure_ascii=False))
            )
    return text


def position_at(file: str, text: str, index: int) -> Position:
    """Convert an index of a text to a position in its file."""
    return Position(file, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
