"""
Format a project's files: indentation, spacing, and the order of keys in the mapping language.

Lines are moved, not rewritten, so that quotes, anchors and comments are kept, and comments stay above their entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml

from sfcode.config.schema import json_schema
from sfcode.config.yaml import parse
from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError
from sfcode.lazy_dataclasses import dataclass

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COMMENT = re.compile(r"^(\s*)#")
_MODELINE = re.compile(r"^(# yaml-language-server:|%YAML|---)")
_DASHES = re.compile(r"(?:-\s+)+")
_COLON = re.compile(r"\s*:\s+")

Schema = Mapping[str, Any]


def format_text(data: bytes, file: str, kind: str) -> str:
    """
    Return the canonical text of a file of a kind; `file` is its name in messages.

    Raises:
        ConfigError: the file is not valid YAML.

    """
    document = parse(data, file)
    if document.problems:
        raise ConfigError(document.problems)
    text = _sort_keys(_restyle(document.text), _schema(kind))
    if parse(text.encode(), file).data != document.data:
        problem = Diagnostic.error(
            Position(file, 1, 1), "", "cannot be formatted without changing a value", "format it by hand"
        )
        raise ConfigError([problem])
    return text


@lru_cache
def _schema(kind: str) -> Schema:
    return json_schema(kind)


def _restyle(text: str) -> str:
    """Indent by two spaces, write one space after a colon, and at most one blank line between lines."""
    layout = _Layout(text)
    lines: list[str] = []
    blank = False
    for number, line in enumerate(layout.lines):
        if line.strip() or number in layout.beginnings:
            lines += [""] if blank and lines else []
            lines.append(layout.render(number))
        blank = not line.strip() and number not in layout.beginnings
    return "\n".join(lines) + "\n"


class _Layout:
    """The lines of a text, and their canonical columns."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.columns: dict[int, int] = {}
        """Canonical columns of the lines that begin with a key, an item or a value."""
        self.beginnings: dict[int, int] = {}
        """The first line of a multi-line value, by each following line."""
        self._edits: list[tuple[int, int, int]] = []
        """Line and columns of the text between a key and its value."""
        root = _compose(text)
        if root is not None:
            self._place(root, 0)
        for line, start, end in sorted(self._edits, reverse=True):
            self.lines[line] = f"{self.lines[line][:start]}: {self.lines[line][end:]}"

    def render(self, number: int) -> str:
        """Return a line in its canonical form."""
        line = self.lines[number]
        if number in self.columns:
            dashes = _DASHES.match(line.lstrip())
            content = line.lstrip()[dashes.end() if dashes else 0 :]
            canonical_line = " " * self.columns[number] + "- " * (dashes[0].count("-") if dashes else 0) + content
            return canonical_line if number + 1 in self.beginnings else canonical_line.rstrip()
        if number in self.beginnings:
            first = self.beginnings[number]
            shift = self.columns[first] - _indent(self.lines[first])
            return " " * shift + line if shift > 0 else line[min(-shift, _indent(line)) :]
        return " " * self._comment_column(number) + line.strip()

    def _place(self, node: yaml.Node, column: int) -> None:
        """Record the canonical columns of the lines of a node that begins at a column."""
        start = node.start_mark
        if isinstance(node, yaml.SequenceNode) and not node.flow_style:
            for item in node.value:
                self._begin(item.start_mark, column)
                self._place(item, column + 2)
        elif isinstance(node, yaml.MappingNode) and not node.flow_style:
            for key, value in node.value:
                self._begin(key.start_mark, column)
                between = self.lines[key.end_mark.line][key.end_mark.column : value.start_mark.column]
                if key.end_mark.line == value.start_mark.line and _COLON.fullmatch(between):
                    self._edits.append((key.end_mark.line, key.end_mark.column, value.start_mark.column))
                self._place(value, column + 2)
        else:
            self._begin(start, column)
            self.beginnings |= dict.fromkeys(range(start.line + 1, _last_line(node) + 1), start.line)

    def _begin(self, mark: yaml.Mark, column: int) -> None:
        if not self.lines[mark.line][: mark.column].replace("-", "").strip():
            self.columns.setdefault(mark.line, column)

    def _comment_column(self, number: int) -> int:
        """Return the column of a comment: that of the line below, or of the entry before it if that is deeper."""
        column = _indent(self.lines[number])
        below = next((line for line in range(number + 1, len(self.lines)) if line in self.columns), None)
        if below is not None and column <= _indent(self.lines[below]):
            return self.columns[below]
        for line in range(number - 1, -1, -1):
            if line in self.columns and _indent(self.lines[line]) <= column:
                opens = self.lines[line].rstrip().endswith(":") and _indent(self.lines[line]) < column
                return self.columns[line] + (2 if opens else 0)
        return 0


@dataclass
class _Entry:
    """The lines of one key of a mapping, including the comments above it."""

    key: str
    start: int
    end: int
    blank: int
    """The number of blank lines above the key."""


def _sort_keys(text: str, schema: Schema) -> str:
    """Move the keys of every mapping into the order of the schema; unknown keys keep their order."""
    mappings = list(_mappings(_compose(text), schema, schema))
    # Outer mappings are sorted first. Moving lines changes neither the number of mappings nor the sorted ones.
    for number in range(len(mappings)):
        node, order = mappings[number]
        moved = _sort_mapping(text, node, order)
        if moved != text:
            text = moved
            mappings = list(_mappings(_compose(text), schema, schema))
    return text


def _sort_mapping(text: str, node: yaml.MappingNode, order: list[str]) -> str:
    keys = [key.value for key, _ in node.value]
    ranks = {name: rank for rank, name in enumerate(order)}
    sorted_keys = iter(sorted((key for key in keys if key in ranks), key=ranks.__getitem__))
    canonical_keys = [next(sorted_keys) if key in ranks else key for key in keys]
    if canonical_keys == keys:
        return text
    return _sort_flow(text, node, canonical_keys) if node.flow_style else _sort_block(text, node, canonical_keys)


def _sort_flow(text: str, node: yaml.MappingNode, canonical_keys: list[str]) -> str:
    """Reorder a mapping such as `{b: 1, a: 2}`."""
    source = text[node.start_mark.index : node.end_mark.index]
    if "\n" in source or any(value.start_mark.index < key.end_mark.index for key, value in node.value):
        return text  # multi-line, or with an alias, whose node has the position of its anchor
    parts = {key.value: text[key.start_mark.index : value.end_mark.index] for key, value in node.value}
    ordered = "{" + ", ".join(parts[key] for key in canonical_keys) + "}"
    return text[: node.start_mark.index] + ordered + text[node.end_mark.index :]


def _sort_block(text: str, node: yaml.MappingNode, canonical_keys: list[str]) -> str:
    lines = text.splitlines()
    first = node.value[0][0].start_mark
    in_list = lines[first.line][: first.column].strip() == "-"
    if in_list:
        # The first key is behind the dash of a list item, which stays in place.
        lines[first.line] = " " * first.column + lines[first.line][first.column :]
    entries = _entries(lines, node, first.column, at_start=in_list)
    start, end = entries[0].start, entries[-1].end
    by_key = {entry.key: lines[entry.start + entry.blank : entry.end] for entry in entries}
    if in_list and _COMMENT.match(by_key[canonical_keys[0]][0]):
        return text
    sorted_lines: list[str] = []
    for entry, key in zip(entries, canonical_keys, strict=True):
        # Blank lines keep their position between entries, whichever keys these have.
        sorted_lines += [""] * entry.blank + by_key[key]
    if in_list:
        sorted_lines[0] = lines[first.line][: first.column - 2] + "- " + sorted_lines[0].lstrip()
    return "\n".join([*lines[:start], *sorted_lines, *lines[end:]]) + "\n"


def _entries(lines: list[str], node: yaml.MappingNode, column: int, *, at_start: bool) -> list[_Entry]:
    """Split the lines of a mapping into entries; each begins with the comments above its key."""
    starts = []
    floor = 0
    for number, (key, _) in enumerate(node.value):
        line = key.start_mark.line
        start = line
        while not (number == 0 and at_start) and start > floor and _belongs_below(lines[start - 1], column):
            start -= 1
        if number == 0:
            start = _skip_header(lines, start, line, is_root=column == 0)
        starts.append(start)
        floor = line + 1
    end = max(_last_line(node.value[-1][1]), node.value[-1][0].start_mark.line) + 1
    while end < len(lines) and _is_comment_below(lines[end], column):
        end += 1
    while end > floor and not lines[end - 1].strip():
        end -= 1
    ends = [*starts[1:], max(end, floor)]
    entries = []
    for (key, _), start, stop in zip(node.value, starts, ends, strict=True):
        blank = 0
        while not lines[start + blank].strip():
            blank += 1
        entries.append(_Entry(key.value, start, stop, blank))
    return entries


def _last_line(node: yaml.Node) -> int:
    """Return the last line of a node. For a block it is that of the last child, since a block's end mark is at the next token."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return max(_last_line(part) for part in (last if isinstance(last, tuple) else (last,)))
    end = node.end_mark
    return end.line if end.column else end.line - 1


def _is_comment_below(line: str, column: int) -> bool:
    """Return whether a comment is indented deeper than a mapping, and so belongs to its last value."""
    comment = _COMMENT.match(line)
    return not line.strip() or (comment is not None and len(comment[1]) > column)


def _belongs_below(line: str, column: int) -> bool:
    comment = _COMMENT.match(line)
    return not line.strip() or (comment is not None and len(comment[1]) == column)


def _skip_header(lines: list[str], start: int, line: int, *, is_root: bool) -> int:
    """Return the line of a mapping's first key with its comments; comments above a blank line belong to the file."""
    blank = [number for number in range(start, line) if not lines[number].strip()]
    if blank:
        return blank[-1] + 1
    while is_root and start < line and _MODELINE.match(lines[start]):
        start += 1
    return start


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _mappings(node: yaml.Node | None, schema: Schema, root: Schema) -> Iterator[tuple[yaml.MappingNode, list[str]]]:
    """List the mappings of a text with the order of their keys, outer ones first."""
    schemas = list(_alternatives(schema, root))
    if isinstance(node, yaml.MappingNode):
        properties: dict[str, Schema] = {}
        for alternative in schemas:
            properties |= alternative.get("properties", {})
        yield node, list(properties)
        value_schemas = [
            value_schema
            for alternative in schemas
            for value_schema in (
                alternative.get("additionalProperties"),
                *alternative.get("patternProperties", {}).values(),
            )
            if isinstance(value_schema, Mapping)
        ]
        for key, value in node.value:
            yield from _mappings(value, properties.get(key.value, {"anyOf": value_schemas}), root)
    elif isinstance(node, yaml.SequenceNode):
        items = {"anyOf": [alternative["items"] for alternative in schemas if "items" in alternative]}
        for value in node.value:
            yield from _mappings(value, items, root)


def _compose(text: str) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    return node


def _alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    """Return the alternatives of a schema, with references resolved."""
    if reference := schema.get("$ref"):
        schema = root["$defs"][str(reference).rpartition("/")[2]]
    yield schema
    for key in ("anyOf", "oneOf", "allOf"):
        for alternative in schema.get(key, ()):
            yield from _alternatives(alternative, root)
