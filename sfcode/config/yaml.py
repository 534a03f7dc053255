"""
Parse YAML and report all its problems, with the position of every entry.

The events of the C parser are composed here and not by PyYAML, whose composer keeps the last of two
equal keys, expands aliases without limit, and recurses to the nesting depth of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sfcode.config.document import Document, Spot, format_path, position_at
from sfcode.config.yaml_scalars import COLLECTION_TAGS, scalar, show_tag
from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.place import ConfigPath

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HINTS = {
    "mapping values are not allowed": "put a value that holds `: ` in quotes, and check the indentation",
    "cannot start any token": "indent with spaces, and put values that begin with %, @ or ` in quotes",
    "did not find expected ',' or": "inside { } and [ ], put values that hold ${...} in quotes and check the commas",
    "did not find expected key": "check the indentation; put a value that begins with { or [ in quotes",
    "could not find expected ':'": "every line needs `key: value`; check the indentation",
    "unexpected end of stream": "close the quotes",
}


@dataclass(slots=True)
class _Node:
    """A value as written: a scalar, a list of nodes, or a list of (key, position, node)."""

    at: Position
    start: int
    end: int
    block: bool = False
    value: object = None
    items: list[_Node] | None = None
    entries: list[tuple[str, Position, _Node]] | None = None


def read(path: Path, file: str) -> Document:
    """Read a file; `file` is its name in messages. Raises ConfigError."""
    if not path.is_file() and path.exists() and not path.is_dir():  # a pipe would be read until somebody writes to it
        raise ConfigError([Diagnostic.error(None, file, "is not a regular file", "check the file")])
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            [Diagnostic.error(None, file, f"cannot be read: {error.strerror}", "check the file")]
        ) from None
    return parse(data, file)


def parse(data: bytes, file: str) -> Document:
    """Parse the bytes of a file. Raises ConfigError."""
    return _Parser(file, _decode(data, file)).document()


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise _error(Position(file, 1, 1), f"larger than {MAX_BYTES:,} bytes", "split the file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        position = position_at(file, before, len(before))
        raise _error(position, "not UTF-8 text", "save the file as UTF-8") from None
    if bad := _CONTROL.search(text):
        position = position_at(file, text, bad.start())
        raise _error(position, f"the character U+{ord(bad[0]):04X} is not allowed in YAML", "remove it")
    return text


def _error(position: Position, message: str, hint: str, path: str = "") -> ConfigError:
    return ConfigError([Diagnostic.error(position, path, message, hint)])


@dataclass
class _Parser:
    file: str
    text: str
    problems: list[Diagnostic] = field(default_factory=list)
    unread: list[Diagnostic] = field(default_factory=list)
    """Problems of entries that are left out of the data; the rest can still be checked."""
    anchors: dict[str, _Node] = field(default_factory=dict)
    spots: dict[ConfigPath, Spot] = field(default_factory=dict)

    def document(self) -> Document:
        events = yaml.parse(self.text, Loader=_LOADER)
        try:
            root = self.root(events)
        except yaml.MarkedYAMLError as error:
            raise self.syntax_error(error) from None
        if root.entries is None:
            kind = "the file is empty" if root.value is None and root.items is None else "the file has no keys"
            raise _error(Position(self.file, 1, 1), kind, "write `key: value` lines; `sfcode init` writes an example")
        data = self.flatten(root, (), root.at)
        if self.problems:
            raise ConfigError(self.problems + self.unread)
        return Document(self.file, self.text, data, self.spots, tuple(self.unread))

    def syntax_error(self, error: yaml.MarkedYAMLError) -> ConfigError:
        from sfcode.config.yaml_mistakes import find_mistake

        mistake = find_mistake(self.file, self.text, error)
        if mistake is not None:
            return _error(mistake.position, f"not valid YAML: {mistake.message}", mistake.hint)
        mark = error.problem_mark or error.context_mark
        position = self.place(mark) if mark else Position(self.file, 1, 1)
        problem = error.problem or error.context or "it cannot be parsed"
        hint = next((hint for part, hint in _HINTS.items() if part in problem), "check indentation and quotes here")
        return _error(position, f"not valid YAML: {problem}", hint)

    def place(self, mark: Any) -> Position:
        return Position(self.file, mark.line + 1, mark.column + 1)

    def root(self, events: Iterator[Any]) -> _Node:
        root = _Node(Position(self.file, 1, 1), 0, 0)
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(
                        self.place(event.start_mark),
                        "a second YAML document in one file",
                        "write each document into its own file",
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = self.node(event, events, ())
        return root

    def node(self, event: Any, events: Iterator[Any], path: ConfigPath) -> _Node:
        position = self.place(event.start_mark)
        if len(path) > MAX_DEPTH:
            raise _error(position, f"nested deeper than {MAX_DEPTH} levels", "reduce the nesting")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                message = f"there is no anchor &{event.anchor} before this alias"
                raise _error(position, message, "put a value that begins with * in quotes", format_path(path))
            return self.anchors[event.anchor]
        node = _Node(position, event.start_mark.index, event.end_mark.index)
        if isinstance(event, yaml.ScalarEvent):
            node.block = event.style == "|"
            node.value = self.scalar(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.check_tag(event, path, "list")
            node.items = list(self.items(events, path))
        else:
            self.check_tag(event, path, "mapping")
            node.entries = list(self.entries(events, path))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def items(self, events: Iterator[Any], path: ConfigPath) -> Iterator[_Node]:
        index = 0
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            yield self.node(event, events, (*path, index))
            index += 1

    def entries(self, events: Iterator[Any], path: ConfigPath) -> Iterator[tuple[str, Position, _Node]]:
        positions: dict[str, Position] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                position = self.place(event.start_mark)
                raise _error(position, "a key must be plain text", "put a value that begins with { or [ in quotes")
            key, position = event.value, self.place(event.start_mark)
            node = self.node(next(events), events, (*path, key))
            if key == "<<" and event.implicit[0]:
                self.leave_out(position, path, "merge keys (<<) are not supported", "write the keys themselves")
            elif key in positions:
                message = f"defined twice, first in line {positions[key].line}"
                self.leave_out(position, (*path, key), message, "keep one of them")
            else:
                positions[key] = position
                yield key, position, node

    def scalar(self, event: yaml.ScalarEvent, path: ConfigPath) -> object:
        try:
            return scalar(event.value, event.tag, plain=event.implicit[0])
        except ValueError as error:
            self.note(event, path, str(error), "write the value without a tag")
        return None

    def check_tag(self, event: Any, path: ConfigPath, kind: str) -> None:
        if event.tag not in (None, "!", COLLECTION_TAGS[kind]):
            self.note(event, path, f"the tag {show_tag(event.tag)} is not supported", "write the value without a tag")

    def note(self, event: Any, path: ConfigPath, message: str, hint: str) -> None:
        self.problems.append(Diagnostic.error(self.place(event.start_mark), format_path(path), message, hint))

    def leave_out(self, position: Position, path: ConfigPath, message: str, hint: str) -> None:
        self.unread.append(Diagnostic.error(position, format_path(path), message, hint))

    def flatten(self, node: _Node, path: ConfigPath, key: Position) -> object:
        """Convert a node to data and record its positions; aliases are expanded here, up to a limit."""
        if len(self.spots) >= MAX_NODES or len(path) > MAX_DEPTH:
            raise _error(key, f"more than {MAX_NODES:,} values after the aliases are expanded", "use fewer aliases")
        self.spots[path] = Spot(key, node.at, node.start, node.end, node.block)
        if node.items is not None:
            return [self.flatten(item, (*path, index), item.at) for index, item in enumerate(node.items)]
        if node.entries is not None:
            return {name: self.flatten(item, (*path, name), key_position) for name, key_position, item in node.entries}
        return node.value
