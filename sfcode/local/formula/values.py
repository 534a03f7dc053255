"""The values of formulas, and their conversion from and to text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from sfcode.local.formula.parser import FormulaError

Value = None | str | Decimal | bool | date | datetime | time
"""A blank text is ''; None is a blank number, date or checkbox, and the result of a comparison with one."""

PRECISION = Context(prec=39, rounding=ROUND_HALF_UP)
"""
The precision and rounding of the platform:
https://github.com/salesforce/formula-engine/blob/main/api/src/main/java/com/force/formula/util/BigDecimalHelper.java
"""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def number_text(number: Decimal) -> str:
    """Format a number as TEXT() does: no exponent, no trailing zeros."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_text(value: Value) -> str:
    """Format a value as TEXT() does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.{value.microsecond // 1000:03d}"
    return value.isoformat() if isinstance(value, date) else value


def to_number(text: str) -> Decimal | None:
    """Parse a number as VALUE() does. Raises FormulaError for other text."""
    stripped = text.strip()
    if not stripped:
        return None
    if not NUMBER.fullmatch(stripped):
        raise FormulaError(f"VALUE: '{text}' is no number")
    try:
        return PRECISION.create_decimal(stripped)
    except InvalidOperation as error:
        raise FormulaError(f"VALUE: '{text}' is no number") from error


def round_half_up(number: Decimal, digits: int) -> Decimal:
    """Round to a number of digits after the point (negative: before it); halves round away from zero."""
    step = Decimal(1).scaleb(-digits)
    try:
        return number.quantize(step, rounding=ROUND_HALF_UP, context=Context(prec=100))
    except InvalidOperation as error:
        raise FormulaError("the number is too large to be rounded") from error


def is_blank(value: Value) -> bool:
    """Return whether there is no value."""
    return value is None or value == ""


def text_of_field(stored: object) -> str:
    """Read a text, picklist or ID field; a blank is ''."""
    return "" if stored is None else str(stored)
