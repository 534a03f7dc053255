"""Parse a formula into a tree, with the platform's error messages."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sfcode.local import grammars
from sfcode.local.formula.tree import Constant, FunctionCall, Node, Operation, Reference

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_LENGTH = 20_000
"""The maximum length of a formula: more than an org accepts (3,900 characters in a field), but quick to parse."""
MAX_DEPTH = 300
"""The maximum depth of the tree, since functions recurse once per level."""


TOO_BIG = "Compiled formula is too big to execute"


class FormulaError(Exception):
    """An invalid formula; the message is the platform's."""


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """Parse a formula, cached since a deploy parses each one several times. Raises FormulaError if it is invalid."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    if not text.strip():
        raise FormulaError("Syntax error. Found end of formula")
    if len(text) > MAX_LENGTH:
        raise FormulaError(TOO_BIG)
    try:
        return _build(_parser().parse(text))
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


def _build(tree: Any) -> Node:
    """Convert lark's tree to the nodes of `sfcode.local.formula.tree`, bottom up."""
    from lark import Tree

    # Without recursion, so that too deep nesting is detected here and not by Python's own limit.
    nodes: dict[int, Any] = {}
    depths: dict[int, int] = {}
    for subtree in tree.iter_subtrees():
        below = [id(child) for child in subtree.children if isinstance(child, Tree)]
        depths[id(subtree)] = 1 + max((depths[child] for child in below), default=0)
        if depths[id(subtree)] > MAX_DEPTH:
            raise FormulaError(TOO_BIG)
        children = [nodes[id(child)] if isinstance(child, Tree) else child for child in subtree.children]
        nodes[id(subtree)] = BUILDERS[subtree.data](*children)
    root: Node = nodes[id(tree)]
    return root


CONSTANTS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
OPERATORS = {"==": "=", "!=": "<>"}


def _reference(text: str) -> Node:
    name = re.sub(r"\s+", "", text)
    return Constant(CONSTANTS[name.upper()]) if name.upper() in CONSTANTS else Reference(tuple(name.split(".")))


BUILDERS: dict[str, Callable[..., Any]] = {
    "and_": lambda *operands: Operation("&&", operands),
    "arguments": lambda *arguments: arguments,
    "binary": lambda left, operator, right: Operation(OPERATORS.get(operator, str(operator)), (left, right)),
    "call": lambda name, arguments=(): FunctionCall(name.upper(), arguments),
    "group": lambda inner: inner,
    "not_": lambda operand: Operation("!", (operand,)),
    "number": lambda text: Constant(float(text)),
    "or_": lambda *operands: Operation("||", operands),
    "reference": _reference,
    "string": lambda text: Constant(re.sub(r"\\(.)", r"\1", text[1:-1])),
    "unary": lambda operator, operand: Operation(str(operator), (operand,)),
}
"""The function that builds a node from its children, by rule of the grammar."""
