"""The nodes of a parsed formula."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true, false or null."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A field, perhaps across relationships, or a global variable: `Account.Name`, `$Record.Email`."""

    path: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function call: the name in capitals, and the arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with one or two operands: + - & * / ^ = <> < <= > >= && || !."""

    operator: str
    operands: tuple[Node, ...]


Node = Constant | Reference | FunctionCall | Operation


def walk(node: Node) -> Iterator[Node]:
    """Return a node and all nodes below it."""
    yield node
    for child in _children(node):
        yield from walk(child)


def references(node: Node) -> Iterator[Reference]:
    """Return every reference in a formula."""
    return (descendant for descendant in walk(node) if isinstance(descendant, Reference))


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, FunctionCall):
        return node.arguments
    return node.operands if isinstance(node, Operation) else ()
