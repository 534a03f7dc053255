"""
The formula functions that depend only on their arguments.

Their results for blanks and extreme values follow https://github.com/salesforce/formula-engine .
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_UP, Decimal
from typing import Any

from sfcode.local.formula.parser import FormulaError
from sfcode.local.formula.values import PRECISION, Value, is_blank, number_text, round_half_up, to_number, to_text
from sfcode.local.ids import full

FUNCTIONS: dict[str, Callable[..., Value]] = {}
"""The functions by name; the arguments are values."""

WHOLE_NUMBER_DIGITS = 33
"""The number of digits to which a value is rounded before it becomes whole, so that a third times three is one."""


def text(value: Value) -> str:
    """Convert a value to text: a number is formatted, a blank is ''."""
    if isinstance(value, Decimal):
        return number_text(value)
    return value if isinstance(value, str) else to_text(value)


def _to_integer(value: Value) -> int:
    return int(value) if isinstance(value, Decimal) else 0


def _function(*names: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    def add(function: Callable[..., Value]) -> Callable[..., Value]:
        for name in names:
            FUNCTIONS[name] = function
        return function

    return add


def _number(name: str, compute: Callable[..., Decimal]) -> None:
    """Register a function of numbers; a blank argument makes the result blank."""

    def function(*values: Value) -> Value:
        if any(value is None for value in values):
            return None
        if not all(isinstance(value, Decimal) for value in values):
            raise FormulaError(f"Incorrect parameter type for function '{name}()'. Expected Number")
        return compute(*values)

    FUNCTIONS[name] = function


def _to_whole(rounding: str) -> Callable[[Decimal], Decimal]:
    def compute(number: Decimal) -> Decimal:
        short = PRECISION.copy()
        short.prec = WHOLE_NUMBER_DIGITS
        return short.plus(number).to_integral_value(rounding)

    return compute


def _float(function: Callable[..., float]) -> Callable[..., Decimal]:
    return lambda *numbers: Decimal(repr(function(*map(float, numbers))))


_number("ABS", abs)
_number("CEILING", _to_whole(ROUND_UP))
_number("FLOOR", _to_whole(ROUND_DOWN))
_number("MCEILING", _to_whole(ROUND_CEILING))
_number("MFLOOR", _to_whole(ROUND_FLOOR))
_number("MOD", PRECISION.remainder)
_number("ROUND", lambda number, digits: round_half_up(number, int(digits)))
_number(
    "TRUNC", lambda number, digits=Decimal(0): number.quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_DOWN)
)
_number("SQRT", PRECISION.sqrt)
_number("EXP", PRECISION.exp)
_number("LN", PRECISION.ln)
_number("LOG", PRECISION.log10)
_number("PI", _float(lambda: math.pi))
for _name in ("sin", "cos", "tan", "asin", "acos", "atan", "atan2"):
    _number(_name.upper(), _float(getattr(math, _name)))


@_function("ISNUMBER")
def _is_number(value: Value) -> Value:
    try:
        return to_number(text(value)) is not None
    except FormulaError:
        return False


@_function("MID")
def _mid(value: Value, start: Value, count: Value) -> Value:
    first = max(1, _to_integer(start)) - 1
    return text(value)[first : first + max(0, _to_integer(count))]


@_function("FIND")
def _find(part: Value, value: Value, start: Value = None) -> Value:
    first = 1 if start is None else _to_integer(start)
    if first < 1 or not text(part):
        return Decimal(0)
    return Decimal(text(value).find(text(part), first - 1) + 1)


def _padding(value: str, length: int, pad: Value) -> str:
    missing = min(length, 4000) - len(value)
    with_what = text(pad) or " "
    return (with_what * (missing // len(with_what) + 1))[:missing] if missing > 0 and value else ""


@_function("REGEX")
def _regex(value: Value, pattern: Value) -> Value:
    try:
        return re.fullmatch(text(pattern), text(value)) is not None
    except re.error as error:
        raise FormulaError(f"REGEX: {error}") from error


@_function("DATE")
def _date(year: Value, month: Value, day: Value) -> Value:
    if year is None or month is None or day is None:
        return None
    return date(_to_integer(year), _to_integer(month), _to_integer(day))


@_function("DATEVALUE")
def _date_value(value: Value) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if is_blank(value) or isinstance(value, date):
        return None if is_blank(value) else value
    return date.fromisoformat(text(value)[:10])


@_function("DATETIMEVALUE")
def _datetime_value(value: Value) -> Value:
    if is_blank(value) or isinstance(value, datetime):
        return value or None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment = datetime.fromisoformat(text(value).strip().replace(" ", "T"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@_function("TIMEVALUE")
def _time_value(value: Value) -> Value:
    if is_blank(value) or isinstance(value, time):
        return value or None
    return value.astimezone(UTC).time() if isinstance(value, datetime) else time.fromisoformat(text(value))


@_function("ADDMONTHS")
def _add_months(value: Value, count: Value) -> Value:
    if not isinstance(value, date) or count is None:
        return None
    months = value.year * 12 + value.month - 1 + _to_integer(count)
    year, month = months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    # The last day of a month stays the last day.
    ends = value.day == calendar.monthrange(value.year, value.month)[1]
    return value.replace(year=year, month=month, day=last if ends else min(value.day, last))


FUNCTIONS |= {
    "MAX": lambda *values: max((value for value in values if value is not None), default=None),
    "MIN": lambda *values: min((value for value in values if value is not None), default=None),
    "ISBLANK": is_blank,
    "ISNULL": is_blank,
    "BLANKVALUE": lambda value, instead: instead if is_blank(value) else value,
    "NULLVALUE": lambda value, instead: instead if is_blank(value) else value,
    "ISPICKVAL": lambda value, choice: text(value) == text(choice),
    "INCLUDES": lambda value, choice: text(choice) in text(value).split(";"),
    "PICKLISTCOUNT": lambda value: Decimal(len([item for item in text(value).split(";") if item])),
    "TEXT": to_text,
    "VALUE": lambda value: to_number(text(value)),
    "LEN": lambda value: Decimal(len(text(value))),
    "LEFT": lambda value, count: text(value)[: max(0, _to_integer(count))],
    "RIGHT": lambda value, count: text(value)[max(0, len(text(value)) - max(0, _to_integer(count))) :],
    "UPPER": lambda value, _locale=None: text(value).upper(),
    "LOWER": lambda value, _locale=None: text(value).lower(),
    "INITCAP": lambda value: re.sub(r"\w+", lambda word: word.group().capitalize(), text(value)),
    "TRIM": lambda value: text(value).strip(),
    "REVERSE": lambda value: text(value)[::-1],
    "SUBSTITUTE": lambda value, old, new: text(value).replace(text(old), text(new)) if text(old) else text(value),
    "CONTAINS": lambda value, part: text(part) in text(value),
    "BEGINS": lambda value, part: text(value).startswith(text(part)),
    "LPAD": lambda value, length, pad=None: (
        _padding(text(value), _to_integer(length), pad) + text(value)[: max(0, _to_integer(length))]
    ),
    "RPAD": lambda value, length, pad=None: (
        text(value)[: max(0, _to_integer(length))] + _padding(text(value), _to_integer(length), pad)
    ),
    "BR": lambda: "\n",
    "CASESAFEID": lambda value: full(text(value)),
    "ASCII": lambda value: Decimal(ord(text(value)[0])) if text(value) else None,
    "CHR": lambda value: chr(_to_integer(value)) if value is not None else "",
    "FROMUNIXTIME": lambda value: (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(value)) if isinstance(value, Decimal) else None
    ),
}


def _of(name: str, read: Callable[[Any], int]) -> None:
    def function(value: Value) -> Value:
        return None if value is None else Decimal(read(value))

    FUNCTIONS[name] = function


_of("YEAR", lambda day: day.year)
_of("MONTH", lambda day: day.month)
_of("DAY", lambda day: day.day)
_of("DAYOFYEAR", lambda day: day.timetuple().tm_yday)
_of("WEEKDAY", lambda day: day.isoweekday() % 7 + 1)
_of("ISOWEEK", lambda day: day.isocalendar()[1])
_of("ISOYEAR", lambda day: day.isocalendar()[0])
_of("HOUR", lambda moment: moment.hour)
_of("MINUTE", lambda moment: moment.minute)
_of("SECOND", lambda moment: moment.second)
_of("MILLISECOND", lambda moment: moment.microsecond // 1000)


@_function("UNIXTIMESTAMP")
def _unix_timestamp(value: Value) -> Value:
    if isinstance(value, datetime):
        return Decimal(int(value.timestamp()))
    if isinstance(value, time):
        return Decimal(value.hour * 3600 + value.minute * 60 + value.second)
    return Decimal(calendar.timegm(value.timetuple())) if isinstance(value, date) else None
