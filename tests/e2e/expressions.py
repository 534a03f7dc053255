"""The part of GitHub's expressions that the workflows use; other expressions are errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<op>&&|\|\||==|!=|!|\(|\))|(?P<name>[A-Za-z_][\w.-]*))")
INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
STATUS = ("success", "failure", "cancelled", "always")


class Expression:
    """A parsed expression, evaluated in a context."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = TOKEN.match(text, at)
            assert match, f"cannot read {text[at:]!r}"
            self.tokens.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
            at = match.end()

    @property
    def asks_for_status(self) -> bool:
        return any(kind == "name" and name in STATUS for kind, name in self.tokens)

    def value(self, context: Mapping[str, Any], functions: Mapping[str, Callable[[], bool]]) -> Any:
        tokens = list(self.tokens)
        result = _or(tokens, context, functions)
        assert not tokens, tokens
        return result


def _or(tokens, context, functions):
    value = _and(tokens, context, functions)
    while tokens and tokens[0] == ("op", "||"):
        tokens.pop(0)
        operand = _and(tokens, context, functions)
        value = value or operand
    return value


def _and(tokens, context, functions):
    value = _equal(tokens, context, functions)
    while tokens and tokens[0] == ("op", "&&"):
        tokens.pop(0)
        operand = _equal(tokens, context, functions)
        value = value and operand
    return value


def _equal(tokens, context, functions):
    value = _parse_operand(tokens, context, functions)
    while tokens and tokens[0] in (("op", "=="), ("op", "!=")):
        _, sign = tokens.pop(0)
        operand = _parse_operand(tokens, context, functions)
        same = _plain(value) == _plain(operand)
        value = same if sign == "==" else not same
    return value


def _parse_operand(tokens, context, functions):
    kind, token = tokens.pop(0)
    if kind == "text":
        return token[1:-1].replace("''", "'")
    if kind == "op":
        if token == "!":
            return not _parse_operand(tokens, context, functions)
        assert token == "(", token
        value = _or(tokens, context, functions)
        assert tokens.pop(0) == ("op", ")")
        return value
    if tokens[:2] == [("op", "("), ("op", ")")]:
        del tokens[:2]
        return functions[token]()
    value = context
    for name in token.split("."):
        # A missing property is an empty text; a missing context is an error.
        value = value[name] if value is context else (value or {}).get(name, "")
    return value


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str("" if value is None else value)


def filled(text: Any, context: Mapping[str, Any]) -> str:
    """Replace every `${{ }}` of a text."""
    return INSIDE.sub(lambda match: _plain(Expression(match[1]).value(context, {})), _plain(text))


def holds(text: str | None, context: Mapping[str, Any], *, succeeded: bool) -> bool:
    """Evaluate an `if`, which includes `success()` unless it has a status function."""
    if text is None:
        return succeeded
    match = INSIDE.fullmatch(str(text).strip())
    expression = Expression(match[1] if match else str(text))
    functions = {
        "success": lambda: succeeded,
        "failure": lambda: not succeeded,
        "cancelled": lambda: False,
        "always": lambda: True,
    }
    value = bool(expression.value(context, functions))
    return value if expression.asks_for_status else succeeded and value
