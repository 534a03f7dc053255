"""Compare the value of a field with the value of a condition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sfcode.local.formula.values import Value, is_blank, to_text

ORDERED: dict[str, Callable[[int], bool]] = {
    "GreaterThan": lambda order: order > 0,
    "GreaterThanOrEqualTo": lambda order: order >= 0,
    "LessThan": lambda order: order < 0,
    "LessThanOrEqualTo": lambda order: order <= 0,
}
TEXTUAL: dict[str, Callable[[str, str], bool]] = {
    "Contains": lambda text, part: part in text,
    "EndsWith": lambda text, part: text.endswith(part),
    "StartsWith": lambda text, part: text.startswith(part),
}


def holds(operator: str, left: Value, right: Value) -> bool:
    """Return whether a comparison holds; texts are compared without case. Raises NotModeled."""
    if operator == "EqualTo":
        return same(left, right)
    if operator == "NotEqualTo":
        return not same(left, right)
    if operator in ORDERED:
        # Nothing is larger or smaller than a blank.
        return not (is_blank(left) or is_blank(right)) and ORDERED[operator](_order(left, right))
    if operator in TEXTUAL:
        return TEXTUAL[operator](to_text(left).lower(), to_text(right).lower())
    raise NotModeled(f"the operator {operator} is not run by the local org")


def same(left: Value, right: Value) -> bool:
    """Return whether two values are equal; all blank values are equal."""
    if is_blank(left) or is_blank(right):
        return is_blank(left) and is_blank(right)
    return _order(left, right) == 0


def _order(left: Value, right: Value) -> int:
    first, second = _comparable(left), _comparable(right)
    if type(first) is not type(second):
        first, second = to_text(left).lower(), to_text(right).lower()
    return (first > second) - (first < second)  # type: ignore[operator]  # both have the same type


def _comparable(value: Value) -> Decimal | float | str | bool:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).timestamp()
    if isinstance(value, Decimal | bool):
        return value
    return to_text(value).lower()


class NotModeled(Exception):
    """Raised for a feature that the local org does not emulate; it is recorded in the automation log."""
