"""
Jinja2 with bounded cost.

`sfcode.config.template` refuses unbounded operations when a project is loaded; this module bounds the others. No constant is
computed when a template is compiled, every value is truncated, and an invalid operation (a word plus one) gives a
missing value instead of an error.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from jinja2 import ChainableUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sfcode.config.template import FILTERS, MAX_TEMPLATE, TESTS

MISSING = "\ue000"
"""Marks a missing value in the rendered text, until punctuation around it is removed."""

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_LARGEST = 10**30
_PRECISION = 10


class MissingValue(ChainableUndefined):
    """A missing value, which is empty in a text and false in every comparison."""

    __slots__ = ()

    def _no(self, _other: object) -> bool:
        return False

    def __mod__(self, _other: object) -> MissingValue:  # type: ignore[override]
        return self

    __lt__ = __le__ = __gt__ = __ge__ = _no  # type: ignore[assignment]


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """The Jinja2 environment in which texts are compiled and rendered."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self) -> None:
        super().__init__(undefined=MissingValue, optimized=False, finalize=render_value, keep_trailing_newline=False)
        self.code_generator_class = _Generator
        self.globals = {}
        self.filters = {name: _FILTERS.get(name) or JINJA_FILTERS[name] for name in FILTERS}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """Compute with numbers, also with numbers as text; concatenate other texts."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return (left + right)[:MAX_TEMPLATE]
        first_number, second_number = number(left), number(right)
        if first_number is None or second_number is None or operator not in _ARITHMETIC:
            return MissingValue()
        try:
            return _bound(_ARITHMETIC[operator](first_number, second_number))
        except ArithmeticError:
            return MissingValue()

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ARG002
        """Apply a sign to a number."""
        value = number(arg)
        return MissingValue() if value is None else -value if operator == "-" else value

    @staticmethod
    def join(parts: Iterable[Any]) -> str:
        """Concatenate values like `~`, up to the longest text."""
        length, pieces = 0, []
        for part in parts:
            pieces.append(text(part))
            length += len(pieces[-1])
            if length > MAX_TEMPLATE:
                break
        return "".join(pieces)[:MAX_TEMPLATE]


class _Generator(CodeGenerator):
    """Compiles constants to code: Jinja2 would compute `"x" * 10**9` while compiling."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if isinstance(node, nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802  (named after the node)
        self.write("environment.join((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def text(value: Any) -> str:
    """Format a value for people: whole numbers without a decimal point, "" for a missing value."""
    if value is None or isinstance(value, ChainableUndefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return str(int(value))
    if isinstance(value, str):
        return value[:MAX_TEMPLATE]
    if isinstance(value, int | float):
        return str(value)
    return _json(value)


def render_value(value: Any) -> str:
    """Format a value for a text, with a marker for a missing value."""
    return text(value).replace(MISSING, "") or MISSING


def number(value: Any) -> int | float | None:
    """Parse a value as a number; None if it is not a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _bound(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    return None


def _bound(value: float) -> int | float | None:
    return value if math.isfinite(value) and abs(value) < _LARGEST else None


def _json(value: Any) -> str:
    length, pieces = 0, []
    for part in json.JSONEncoder(ensure_ascii=False, default=text).iterencode(value):
        pieces.append(part)
        length += len(part)
        if length > MAX_TEMPLATE:
            break
    return "".join(pieces)[:MAX_TEMPLATE]


def _on_text(change: Callable[..., str]) -> Callable[..., str]:
    def apply(value: Any, *arguments: Any) -> str:
        return change(text(value), *arguments)[:MAX_TEMPLATE]

    return apply


def _on_number(change: Callable[..., Any]) -> Callable[..., Any]:
    def apply(value: Any, *arguments: Any) -> Any:
        numeric = number(value)
        return MissingValue() if numeric is None else change(numeric, *arguments)

    return apply


def _replace(value: str, old: Any, new: Any) -> str:
    before, after = text(old), text(new)
    # Bounded, since text beyond the longest text is truncated anyway.
    fitting = MAX_TEMPLATE // max(len(after), 1) + 1
    return value.replace(before, after, fitting) if before else value


def _round(value: float, precision: int = 0) -> float:
    return round(value, max(-_PRECISION, min(_PRECISION, precision)))


def _truncate(value: str, length: int = 255) -> str:
    return value if len(value) <= length else value[: max(length - 1, 0)].rstrip() + "…"


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_FILTERS: dict[str, Callable[..., Any]] = {
    "abs": _on_number(abs),
    "capitalize": _on_text(str.capitalize),
    "float": _on_number(float),
    "int": _on_number(int),
    "lower": _on_text(str.lower),
    "replace": _on_text(_replace),
    "round": _on_number(_round),
    "string": text,
    "title": _on_text(str.title),
    "trim": _on_text(str.strip),
    "truncate": _on_text(_truncate),
    "upper": _on_text(str.upper),
    "urlencode": _on_text(quote),
}
"""Jinja2's filters that accept any value, and whose results are bounded."""
