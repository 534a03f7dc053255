"""Field values: parse JSON, check, and convert to the stored form."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from sfcode.local.clock import audit_stamp
from sfcode.local.errors import ApiError, make_error
from sfcode.local.ids import full, is_id
from sfcode.local.sobjects.model import NUMBER_TYPES, TEXT_TYPES, FieldDef
from sfcode.local.store import Record, Scalar

EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z?")
FIRST_YEAR, LAST_YEAR = 1700, 4000
JSON_KINDS = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
JSON_KINDS |= {str: "VALUE_STRING", list: "START_ARRAY", dict: "START_OBJECT"}


def parse_value(field: FieldDef, value: Any) -> Scalar:
    """Check a JSON value and return its stored form. Raises ApiError."""
    if value is None or value == "":
        return False if field.type == "boolean" else None
    if isinstance(value, list | dict):
        raise _wrong_type(field, value)
    if field.type == "boolean":
        return _boolean(field, value)
    if field.type in NUMBER_TYPES:
        return _number(field, value)
    return _text(field, (str(value).lower() if isinstance(value, bool) else str(value)).strip())


def _text(field: FieldDef, text: str) -> str | None:
    if not text:
        return None
    if field.type in ("date", "datetime", "time"):
        return _moment(field, text)
    if field.type in ("reference", "id"):
        if not is_id(text):
            raise make_error("malformed_id", label=field.label, value=text, field=field.name)
        return full(text)
    return _checked_text(field, text)


def _checked_text(field: FieldDef, text: str) -> str:
    if field.type == "email" and not EMAIL.fullmatch(text):
        raise make_error("invalid_email", label=field.label, value=text, field=field.name)
    if field.restricted:
        choices = text.split(";") if field.type == "multipicklist" else [text]
        bad = [choice for choice in choices if choice not in field.picklist]
        if bad:
            raise make_error("bad_picklist", label=field.label, value=bad[0], field=field.name)
    if field.type not in TEXT_TYPES and field.type != "picklist":
        return text
    if field.length and len(text) > field.length:
        raise make_error("too_long", label=field.label, value=text, most=field.length, field=field.name)
    return text


def _boolean(field: FieldDef, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _wrong_type(field, value)


def _number(field: FieldDef, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong_type(field, value)
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise _wrong_type(field, value) from error
    digits = field.precision - field.scale if field.precision else 18
    if number != number or abs(number) >= 10.0**digits or abs(_round_to_scale(field, number)) >= 10.0**digits:  # noqa: PLR0124
        raise make_error("out_of_range", label=field.label, value=number, field=field.name)
    if field.type == "int":
        if number != int(number):
            raise _wrong_type(field, value)
        return int(number)
    return _round_to_scale(field, number)


def _round_to_scale(field: FieldDef, number: float) -> float:
    """Round to the scale of the field; halves round away from zero."""
    if not field.precision or not math.isfinite(number):
        return number
    step = Decimal(1).scaleb(-field.scale)
    return float(Decimal(repr(number)).quantize(step, rounding=ROUND_HALF_UP, context=Context(prec=400)))


def _moment(field: FieldDef, text: str) -> str:
    if field.type == "time":
        if not TIME.fullmatch(text):
            raise _wrong_type(field, text)
        return f"{text.rstrip('Z'):.12}Z"
    if field.type == "datetime" and "T" not in text:
        raise _wrong_type(field, text)
    try:
        if field.type == "date":
            return _in_range(field, date.fromisoformat(text[:10])).isoformat()
        moment = datetime.fromisoformat(text)
        _in_range(field, moment.date())
        return audit_stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise _wrong_type(field, text) from error


def _in_range(field: FieldDef, day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise make_error("invalid_date", label=field.label, value=day.isoformat(), field=field.name)
    return day


def _kind(field: FieldDef) -> str:
    return {"currency": "double", "percent": "double", "reference": "id"}.get(field.type, field.type)


def _wrong_type(field: FieldDef, value: object) -> ApiError:
    literal = str(value).lower() if isinstance(value, bool) else "{" if isinstance(value, dict) else str(value)
    token = "VALUE_FALSE" if value is False else JSON_KINDS.get(type(value), "VALUE_STRING")
    hint = "" if isinstance(value, list) else f"{literal} or request may be missing a required field at "
    message = f"Cannot deserialize instance of {_kind(field)} from {token} value {hint}[line:1, column:1]"
    return make_error("bad_json", message=message)


DEVELOPER_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def check_developer_name(noun: str, name: str, longest: int) -> Iterator[str]:
    """Return the messages for an API name with forbidden characters or of more than `longest` characters."""
    if not DEVELOPER_NAME.fullmatch(name):
        yield (
            f"{noun} can only contain underscores and alphanumeric characters. It must be unique, begin with a letter, "
            "not include spaces, not end with an underscore, and not contain two consecutive underscores."
        )
    if len(name) > longest:
        yield f"Value too long for field: fullName maximum length is:{longest}"


ADDRESS_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")


def to_api_value(field: FieldDef, row: Record) -> Any:
    """Convert a stored value to JSON: a checkbox is never null, an address is built from its parts."""
    if field.type == "address":
        prefix = field.name.removesuffix("Address")
        parts = {part[0].lower() + part[1:]: row.get(prefix + part) for part in ADDRESS_PARTS}
        return parts if any(value is not None for value in parts.values()) else None
    value = row.get(field.name)
    return False if value is None and field.type == "boolean" else value


def record_attributes(base: str, object_name: str, row: Record) -> dict[str, str]:
    """Return the `attributes` of a record; `base` is the prefix of its URL: `/services/data/v62.0`."""
    return {"type": object_name, "url": f"{base}/sobjects/{object_name}/{row.get('Id')}"}
