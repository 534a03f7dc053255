"""YAML with positions: plain values, and the position of each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import yaml

from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError
from sfcode.lazy_dataclasses import dataclass, field

Path = tuple[str | int, ...]
MAX_DEPTH = 40
MAX_VALUES, MAX_VALUES_PER_CHARACTER = 10_000, 10
"""The maximum number of values in a file after its aliases are expanded: a constant, and a number for each character.
Without aliases a file has fewer values than characters."""

# The C loader is ten times as fast, but not available everywhere.
BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class SeedDocument:
    """The values of a file, and the problems found in it."""

    name: str
    value: Any
    positions: dict[Path, Position]
    problems: list[Diagnostic] = field(default_factory=list)
    offsets: dict[Path, int] = field(default_factory=dict)
    """The number of items that come from the extended company, by the path of their list."""
    max_values: int = 0

    def add_problem(self, path: Path, message: str, hint: str = "") -> None:
        """Add a problem at a path, or at its nearest ancestor with a position."""
        place = path
        while place and place not in self.positions:
            place = place[:-1]
        self.problems.append(Diagnostic.error(self.positions.get(place), _text(self._as_written(path)), message, hint))

    def _as_written(self, path: Path) -> Path:
        """Return a path with the numbers that list items have in this file, without those of the extended company."""
        parts = [*path]
        for number, part in enumerate(path):
            offset = self.offsets.get(path[:number], 0)
            if isinstance(part, int) and part >= offset:
                parts[number] = part - offset
        return tuple(parts)

    def raise_problems(self) -> None:
        """Raise ConfigError with all problems, if there are any."""
        if self.problems:
            raise ConfigError(self.problems)


def read(text: str, name: str) -> SeedDocument:
    """Parse YAML. Raises ConfigError for invalid YAML and duplicate keys."""
    document = SeedDocument(name, None, {}, max_values=MAX_VALUES + MAX_VALUES_PER_CHARACTER * len(text))
    depth = 0
    try:
        for event in yaml.parse(text, Loader=BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:  # PyYAML composes nodes recursively on the stack of C
                raise _error(document, event, f"nested deeper than {MAX_DEPTH} levels", "reduce the nesting")
        node = yaml.compose(text, Loader=BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        position = Position(name, mark.line + 1, mark.column + 1) if mark else Position(name, 1, 1)
        problem = getattr(error, "problem", error)
        raise ConfigError([Diagnostic.error(position, "", f"this is not YAML: {problem}")]) from error
    document.value = None if node is None else _value(document, node, ())
    document.raise_problems()
    return document


def extend(base: SeedDocument, over: SeedDocument) -> SeedDocument:
    """
    Return a company extended by another one: lists are appended, mappings merged, other values replaced.

    Problems in the extension have positions in its own file.
    """
    merged = SeedDocument(over.name, None, dict(base.positions))
    merged.value = _merge(merged, base.value, over, ())
    return merged


def _merge(merged: SeedDocument, base: Any, over: SeedDocument, path: Path) -> Any:
    """Return the merged value at a path without list items, which is the same in both files."""
    added: Any = over.value
    for part in path:
        added = added[part]
    if isinstance(base, dict) and isinstance(added, dict):
        if path in over.positions:
            merged.positions[path] = over.positions[path]
        return base | {key: _merge(merged, base.get(key), over, (*path, key)) for key in added}
    offset = len(base) if isinstance(base, list) and isinstance(added, list) else 0
    if offset:
        merged.offsets[path] = offset
    for place, position in over.positions.items():
        if place[: len(path)] == path:
            tail = place[len(path) :]
            if tail and isinstance(tail[0], int):
                tail = (tail[0] + offset, *tail[1:])
            merged.positions[(*path, *tail)] = position
    return base + added if offset else added


def _value(document: SeedDocument, node: yaml.Node, path: Path) -> Any:
    if len(path) > MAX_DEPTH or len(document.positions) >= document.max_values:
        raise _error(
            document,
            node,
            f"more than {document.max_values:,} values after the aliases are expanded",
            "use fewer aliases",
        )
    document.positions[path] = _position(document, node)
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in values:
                document.positions[(*path, key)] = _position(document, key_node)
                document.add_problem((*path, key), "this key is here twice", "keep one of them")
                continue
            values[key] = _value(document, value_node, (*path, key))
            document.positions[(*path, key)] = _position(document, key_node)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_value(document, child, (*path, number)) for number, child in enumerate(node.value)]
    return _scalar(node.tag, str(node.value))


def _scalar(tag: str, text: str) -> Any:
    kind = tag.rpartition(":")[2]
    # Dates remain texts, as in the API. Only `true` and `false` are booleans, since YAML 1.1 would read ON (Ontario) as
    # true.
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "null":
        return None
    if kind in ("int", "float"):
        with suppress(ValueError):
            return int(text) if kind == "int" else float(text)
    return text


def _error(document: SeedDocument, place: yaml.Node | yaml.Event, message: str, hint: str) -> ConfigError:
    return ConfigError([Diagnostic.error(_position(document, place), "", message, hint)])


def _position(document: SeedDocument, place: yaml.Node | yaml.Event) -> Position:
    mark: Any = place.start_mark
    return Position(document.name, mark.line + 1, mark.column + 1)


def _text(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
