"""
The language of the templates in `events.yaml`: the subset of Jinja2 whose cost is proportional to its length.

Templates are rendered for every event, with values that any browser may have sent, in a service that must not stall.
Without loops, assignments, calls and powers, and with filters that do not multiply text, the cost of a template is
proportional to its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sfcode.mapping.limits import ACTIVITY_COMMENT_LENGTH

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_TEMPLATE = ACTIVITY_COMMENT_LENGTH
"""The maximum length of a template and of its values, in characters."""
MAX_DEPTH = 40
"""The maximum nesting depth of expressions; Python's own limit is about a hundred."""

FILTERS = frozenset(
    [
        "abs",
        "capitalize",
        "count",
        "d",
        "default",
        "first",
        "float",
        "int",
        "last",
        "length",
        "lower",
        "replace",
        "round",
        "string",
        "title",
        "trim",
        "truncate",
        "upper",
        "urlencode",
    ]
)
TESTS = frozenset(
    [
        "!=",
        "<",
        "<=",
        "==",
        ">",
        ">=",
        "boolean",
        "defined",
        "eq",
        "equalto",
        "even",
        "false",
        "float",
        "ge",
        "gt",
        "in",
        "integer",
        "le",
        "lt",
        "mapping",
        "ne",
        "none",
        "number",
        "odd",
        "sequence",
        "string",
        "true",
        "undefined",
    ]
)
_ALLOWED = frozenset(
    [
        "Add",
        "And",
        "Compare",
        "Concat",
        "CondExpr",
        "Const",
        "Dict",
        "Div",
        "Filter",
        "FloorDiv",
        "Getattr",
        "Getitem",
        "If",
        "Keyword",
        "List",
        "Mod",
        "Mul",
        "Name",
        "Neg",
        "Not",
        "Operand",
        "Or",
        "Output",
        "Pair",
        "Pos",
        "Slice",
        "Sub",
        "Template",
        "TemplateData",
        "Test",
        "Tuple",
    ]
)
_OTHER_TEMPLATES = frozenset({"Include", "Import", "FromImport", "Extends", "Block"})
_WORDS = {
    "Assign": "{% set %} is",
    "AssignBlock": "{% set %} is",
    "Call": "calls such as x() are",
    "CallBlock": "{% call %} is",
    "FilterBlock": "{% filter %} is",
    "For": "{% for %} is",
    "Macro": "{% macro %} is",
    "Pow": "** is",
    "ScopedEvalContextModifier": "{% autoescape %} is",
    "With": "{% with %} is",
}


class TemplateProblem(NamedTuple):
    """A problem of a template, and its line."""

    line: int
    message: str


def find_template_problem(text: str) -> TemplateProblem | None:
    """
    Return the problem of a text that cannot be rendered, if there is one.

    The text is parsed and not compiled, since compiling computes constant expressions.
    """
    from jinja2 import TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if len(text) > MAX_TEMPLATE:
        return TemplateProblem(1, f"longer than {MAX_TEMPLATE} characters")
    try:
        tree = ImmutableSandboxedEnvironment().parse(text)
    except TemplateSyntaxError as error:
        return TemplateProblem(error.lineno, (error.message or "it cannot be parsed").rstrip("."))
    except RecursionError:
        return TemplateProblem(1, "nested too deeply")
    return next((problem for node, depth in _walk(tree) if (problem := _judge(node, depth))), None)


def find_template_names(text: str) -> tuple[str, ...]:
    """Return the names of attributes in a valid text, in order."""
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    tree = ImmutableSandboxedEnvironment().parse(text)
    return tuple(dict.fromkeys(node.name for node, _ in _walk(tree) if isinstance(node, nodes.Name)))


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Visit every node in the order of the text, without recursion."""
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in reversed(list(node.iter_child_nodes())))


def _judge(node: nodes.Node, depth: int) -> TemplateProblem | None:
    kind = type(node).__name__
    if depth > MAX_DEPTH:
        return TemplateProblem(node.lineno, "nested too deeply")
    if kind in _OTHER_TEMPLATES:
        word = kind.removeprefix("From").lower()
        return TemplateProblem(node.lineno, f"{{% {word} %}} refers to other templates, which do not exist")
    if kind not in _ALLOWED:
        return TemplateProblem(node.lineno, f"{_WORDS.get(kind, f'{kind} is')} not part of the template language")
    for noun, table in (("filter", FILTERS), ("test", TESTS)):
        if kind == noun.capitalize() and getattr(node, "name", "") not in table:
            return TemplateProblem(node.lineno, f"there is no {noun} named {getattr(node, 'name', '')}")
    return None
