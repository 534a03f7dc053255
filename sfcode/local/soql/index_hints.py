"""
Derive from a condition a field and its possible values, so that an index can find the rows.

The condition itself is still evaluated for every row that the index finds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.formula.parser import FormulaError, parse
from sfcode.local.formula.tree import Constant, FunctionCall, Node, Reference
from sfcode.local.sobjects.model import NUMBER_TYPES, FieldDef, ObjectDef
from sfcode.local.store import Scalar

LARGEST = 2**53
"""The largest whole number that is the same in JSON, in SQLite and in a formula."""
UNSUITABLE = frozenset({"address", "boolean", "multipicklist", "base64"})


@dataclass(frozen=True, slots=True)
class Narrow:
    """A stored field, and the values that it has in the rows to find; texts compare without case."""

    field: str
    values: frozenset[Scalar]


def narrow(target: ObjectDef, field: FieldDef, values: Iterable[Scalar]) -> Narrow | None:
    """Return a stored field and its values in the rows where `field` has one of `values`; None if there is none."""
    operands = frozenset(values)
    # A missing value does not equal a text, and SQLite ignores case only for ASCII.
    if field.type in UNSUITABLE or any(value in (None, "") or not str(value).isascii() for value in operands):
        return None
    if not field.formula:
        return None if field.calculated else Narrow(field.name, operands)
    number = number_behind(field.formula)
    source = target.field(number) if number else None
    if source is None or source.calculated or source.type not in NUMBER_TYPES:
        return None
    return Narrow(source.name, frozenset(number_of for value in operands if (number_of := _number(value)) is not None))


@functools.lru_cache(512)
def number_behind(formula: str) -> str:
    """Return the number field of a formula like `TEXT(x)` or `IF(ISBLANK(x), "", TEXT(x))`; "" for others."""
    try:
        node = parse(formula)
    except FormulaError:
        return ""
    match node:
        case FunctionCall("TEXT", (Reference((name,)),)):
            return name
        case FunctionCall(
            "IF",
            (
                FunctionCall("ISBLANK", (blank,)),
                Constant("" | None),
                FunctionCall("TEXT", (Reference((name,)) as converted_field,)),
            ),
        ):
            return name if _same(blank, converted_field) else ""
    return ""


def _same(node: Node, reference: Reference) -> bool:
    return isinstance(node, Reference) and ".".join(node.path).lower() == ".".join(reference.path).lower()


def _number(value: Scalar) -> Scalar:
    """Return the number that TEXT() formats as this value; None if there is none."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return int(number) if number == number.to_integral_value() and abs(number) <= LARGEST else float(number)
