"""Parse a formula into a tree, with the platform's error messages."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from sfcode.local import grammars
from sfcode.local.formula.tree import Constant, FunctionCall, Node, Operation, Reference

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_LENGTH = 20_000
"""Longer than any formula that an org takes (3,900 characters in a field); the limit keeps parsing bounded."""
MAX_DEPTH = 300
"""Of the tree; what walks it calls itself once per level."""


TOO_BIG = "Compiled formula is too big to execute"


class FormulaError(Exception):
    """An invalid formula; the message is the platform's."""


def parse(text: str) -> Node:
    """Parse a formula. Raises FormulaError if it is invalid."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    if not text.strip():
        raise FormulaError("Syntax error. Found end of formula")
    if len(text) > MAX_LENGTH:
        raise FormulaError(TOO_BIG)
    try:
        return _Build().transform(_parser().parse(text))
    except UnexpectedCharacters as error:
        raise FormulaError(f"Syntax error. Found '{error.char}'") from None
    except UnexpectedToken as error:
        raise FormulaError(_syntax_error(error.token, error.accepts or error.expected)) from None


def _syntax_error(token: Token, expected: set[str]) -> str:
    if "RPAR" in expected and token.type not in {"RPAR", "COMMA"}:
        return "Syntax error. Missing ')'"
    if token.type == "$END":
        return "Syntax error. Found end of formula"
    if token.type in {"RPAR", "COMMA"}:
        return f"Syntax error. Extra '{token}'"
    return f"Syntax error. Found '{token}'"


@functools.cache
def _parser() -> Lark:
    return grammars.load(__package__)


class _Build:
    """Converts lark's tree into ours, bottom up."""

    def transform(self, tree: Any) -> Node:
        from lark import Tree

        # Without recursion: what is nested too deep is found out here, not by Python's own limit.
        done: dict[int, Any] = {}
        depths: dict[int, int] = {}
        for subtree in tree.iter_subtrees():
            below = [id(child) for child in subtree.children if isinstance(child, Tree)]
            depths[id(subtree)] = 1 + max((depths[child] for child in below), default=0)
            if depths[id(subtree)] > MAX_DEPTH:
                raise FormulaError(TOO_BIG)
            children = [done[id(child)] if isinstance(child, Tree) else child for child in subtree.children]
            done[id(subtree)] = getattr(self, f"on_{subtree.data}")(children)
        built: Node = done[id(tree)]
        return built

    def on_number(self, children: list[Any]) -> Node:
        return Constant(float(children[0]))

    def on_string(self, children: list[Any]) -> Node:
        return Constant(re.sub(r"\\(.)", r"\1", children[0][1:-1]))

    def on_reference(self, children: list[Any]) -> Node:
        name = re.sub(r"\s+", "", children[0])
        constants: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
        if name.upper() in constants:
            return Constant(constants[name.upper()])
        return Reference(tuple(name.split(".")))

    def on_arguments(self, children: list[Any]) -> tuple[Node, ...]:
        return tuple(children)

    def on_call(self, children: list[Any]) -> Node:
        return FunctionCall(children[0].upper(), children[1] if len(children) > 1 else ())

    def on_group(self, children: list[Any]) -> Node:
        inner: Node = children[0]
        return inner

    def on_binary(self, children: list[Any]) -> Node:
        operator = {"==": "=", "!=": "<>"}.get(str(children[1]), str(children[1]))
        return Operation(operator, (children[0], children[2]))

    def on_unary(self, children: list[Any]) -> Node:
        return Operation(str(children[0]), (children[1],))

    def on_not_(self, children: list[Any]) -> Node:
        return Operation("!", (children[0],))

    def on_and_(self, children: list[Any]) -> Node:
        return Operation("&&", tuple(children))

    def on_or_(self, children: list[Any]) -> Node:
        return Operation("||", tuple(children))
