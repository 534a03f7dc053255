"""
Convert field values of Salesforce (texts in messages, JSON from its API) to values of Appcues.

Appcues infers an attribute's type from the value, so that "9" would sort after "10" if a number were sent as text:
https://docs.appcues.com/users-groups-events/supported-data-types
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from sfcode.mapping.value_map import ValueMap

Kind = Literal["string", "number", "boolean", "date"]
Value = str | int | float | bool | None

FINEST = "{:%Y-%m-%dT%H:%M:%S}.{:06d}Z"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHOLE = re.compile(r"(-?\d+)\.0+")
_LARGEST_EXPONENT = 300
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class InvalidValueError(ValueError):
    """Raised for a value that does not have its attribute's type. The message describes the type, never the value."""


def convert(value: Any, kind: Kind, *, numeric: bool = False, values: ValueMap | None = None) -> Value:
    """
    Convert a value to its attribute's type; None for a missing or empty value. Raises InvalidValueError.

    A `numeric` field that is sent as text loses the `.0` that messages add to a whole number. `values` translates
    the text. A blank value is not translated, since a field without access also looks blank.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str | int | float):
        raise InvalidValueError("is not a single value")
    if kind == "string":
        text = _text(value)
        text = _WHOLE.sub(r"\1", text) if numeric and _WHOLE.fullmatch(text) else text
        return values.translate(text) if values else text
    return _READ[kind](value)


def normalize_time(text: Any) -> str:
    """
    Format a time so that its text sorts by time; "" for text that is not a time.

    `2026-09-09T00:41:57.000Z` as in messages and `...+0000` as in JSON become `2026-09-09T00:41:57.000000Z`.
    """
    if not isinstance(text, str):
        return ""
    try:
        time = datetime.fromisoformat(text)
        utc = time.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return FINEST.format(utc, utc.microsecond) if time.tzinfo else ""


def _text(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _number(value: str | float) -> Value:
    if isinstance(value, bool):
        raise InvalidValueError("is no number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise InvalidValueError("is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise InvalidValueError("is not a number that can be sent")
    return int(number) if number == number.to_integral_value() else float(number)


def _boolean(value: str | float) -> Value:
    if isinstance(value, bool):
        return value
    truth = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
    if truth is None:
        raise InvalidValueError("is neither true nor false")
    return truth


def _date(value: str | float) -> Value:
    text = value.strip() if isinstance(value, str) else ""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
        time = datetime.fromisoformat(text)
        utc = time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValueError("is no date") from error
    if time.tzinfo is None:
        raise InvalidValueError("is a time without a zone")
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_READ: Mapping[Kind, Callable[[str | float], Value]] = {"number": _number, "boolean": _boolean, "date": _date}
