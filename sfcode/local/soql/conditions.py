"""Compile conditions to functions that test a row. Texts compare without case, null equals ''."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sfcode.local.clock import stamp
from sfcode.local.errors import ApiError, bad_query, query_error
from sfcode.local.ids import full, is_id
from sfcode.local.sobjects.model import NUMBER_TYPES, FieldDef, ObjectDef
from sfcode.local.soql.ast import (
    Both,
    Comparison,
    Condition,
    DateRange,
    Either,
    FieldRef,
    Literal,
    Membership,
    Not,
    SingleCondition,
    SoqlQuery,
    TotalComparison,
)
from sfcode.local.soql.index_hints import Narrow, narrow
from sfcode.local.soql.scope import Bound, World
from sfcode.local.store import Record, Scalar

Test = Callable[[Record], bool]
Column = Callable[[SoqlQuery], set[Scalar]]
"""Runs a query with a single column, for IN (SELECT ...), and returns its values."""

ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
QUOTED = "value of filter criterion for field '{}' must be of type {} and should be enclosed in quotes"
UNQUOTED = "value of filter criterion for field '{}' must be of type {} and should not be enclosed in quotes"


T = TypeVar("T")


def combine(condition: Condition, single: Callable[[SingleCondition], Callable[[T], bool]]) -> Callable[[T], bool]:
    """Return a function that tests a condition; `single` returns it for a part without AND, OR and NOT."""
    match condition:
        case Both(parts):
            tests = [combine(part, single) for part in parts]
            return lambda item: all(test(item) for test in tests)
        case Either(parts):
            tests = [combine(part, single) for part in parts]
            return lambda item: any(test(item) for test in tests)
        case Not(part):
            negated = combine(part, single)
            return lambda item: not negated(item)
        case _:
            return single(condition)


class Conditions:
    """Compiles the conditions of one query over one object."""

    def __init__(self, world: World, target: ObjectDef, alias: str, now: datetime, column: Column) -> None:
        self._world = world
        self._target = target
        self._alias = alias
        self._now = now
        self._column = column
        self._found: dict[int, frozenset[Scalar]] = {}
        """The values that the queries of semi-joins have returned."""

    def test(self, condition: Condition) -> Test:
        """Return a function that tests whether a row meets a condition."""
        return combine(condition, self._single)

    def _single(self, condition: SingleCondition) -> Test:
        match condition:
            case Comparison():
                return self._comparison(condition)
            case Membership():
                return self._membership(condition)
            case TotalComparison(total):
                raise bad_query(f"unexpected token: '{total.function}'", self._world.text, total.at)

    def narrow(self, condition: Condition) -> Narrow | None:
        """Return a field and the values that it has in the rows that meet a compiled condition; None if there is none."""
        match condition:
            case Both(parts):
                hints = [candidate for part in parts if (candidate := self.narrow(part)) is not None]
                return min(hints, key=lambda candidate: len(candidate.values), default=None)
            case Comparison(ref, "=", literal) if not isinstance(literal.value, DateRange):
                return self._narrow(ref, lambda field: [self._value(field, literal)])
            case Membership(ref, "IN") if condition.query is not None:
                return self._narrow(ref, lambda _: self._found.get(id(condition), frozenset({None})))
            case Membership(ref, "IN"):
                return self._narrow(ref, lambda field: [self._value(field, value) for value in condition.values])
        return None

    def _narrow(self, ref: FieldRef, values: Callable[[FieldDef], Iterable[Scalar]]) -> Narrow | None:
        bound = self._bind(ref)
        definition = self._world.catalog.unrestricted.object(self._target.name)
        return None if bound.steps or definition is None else narrow(definition, bound.field, values(bound.field))

    def _comparison(self, condition: Comparison) -> Test:
        bound = self._bind(condition.field)
        read, sign, literal = self._world.reader(bound), condition.operator, condition.value
        if sign == "LIKE":
            return self._like(bound, literal)
        if isinstance(literal.value, DateRange):
            return self._within(bound, sign, literal)
        holds = make_comparison(sign, self._value(bound.field, literal))
        return lambda row: holds(read(row))

    def _like(self, bound: Bound, literal: Literal) -> Test:
        read = self._world.reader(bound)
        if literal.kind != "string":
            raise self._refuse(QUOTED.format(bound.field.name, "string"), literal.at)
        pattern = like_pattern(str(literal.value))
        return lambda row: (value := read(row)) is not None and pattern.fullmatch(str(value)) is not None

    def _within(self, bound: Bound, sign: str, literal: Literal) -> Test:
        field, read = bound.field, self._world.reader(bound)
        if field.type not in ("date", "datetime") or not isinstance(literal.value, DateRange):
            raise self._refuse(QUOTED.format(field.name, _soql_type(field)), literal.at)
        try:
            first, after = (_format_day(field, day) for day in bounds(literal.value, self._now))
        except (ValueError, OverflowError) as error:
            raise self._refuse("the date is out of range", literal.at) from error
        tests: dict[str, Callable[[str], bool]] = {
            "=": lambda value: first <= value < after,
            "!=": lambda value: not first <= value < after,
            "<": lambda value: value < first,
            "<=": lambda value: value < after,
            ">": lambda value: value >= after,
            ">=": lambda value: value >= first,
        }
        test = tests[sign]

        def within(row: Record) -> bool:
            value = read(row)
            return sign == "!=" if value is None else test(str(value))

        return within

    def _membership(self, condition: Membership) -> Test:
        bound = self._bind(condition.field)
        read, negated = self._world.reader(bound), condition.operator == "NOT IN"
        if condition.operator in ("INCLUDES", "EXCLUDES"):
            return self._test_choices(condition, bound)
        if condition.query is not None:
            if bound.field.type not in ("id", "reference"):
                raise self._refuse("The selected field in a semi join must be an id or a reference", condition.field.at)
            # Rows of the subquery without a value are ignored, both for IN and for NOT IN.
            self._found[id(condition)] = frozenset(key for key in self._column(condition.query) if key is not None)
            members = {comparable(value) for value in self._found[id(condition)]}
        else:
            members = {comparable(self._value(bound.field, literal)) for literal in condition.values}
        return lambda row: (comparable(read(row)) in members) is not negated

    def _test_choices(self, condition: Membership, bound: Bound) -> Test:
        read, excluded = self._world.reader(bound), condition.operator == "EXCLUDES"
        if bound.field.type != "multipicklist":
            raise self._refuse(
                f"includes or excludes operator only valid on multipicklist: {bound.ref.text}", bound.ref.at
            )
        choices = [{text.lower() for text in str(literal.value).split(";")} for literal in condition.values]

        def has_choices(row: Record) -> bool:
            picks = {text.lower() for text in str(read(row) or "").split(";")}
            return any(choice <= picks for choice in choices) is not excluded

        return has_choices

    def _bind(self, ref: FieldRef) -> Bound:
        bound = self._world.bind(self._target, self._alias, ref)
        if not bound.field.filterable:
            raise self._refuse(f"field '{bound.field.name}' can not be filtered in a query call", ref.at)
        return bound

    def _value(self, field: FieldDef, literal: Literal) -> Scalar:
        """Check that a literal fits a field, and return it in stored form."""
        kind, value = literal.kind, literal.value
        if kind == "null":
            return False if field.type == "boolean" else None
        expected = _literal_kind(field)
        if kind != expected:
            message = QUOTED if expected == "string" else UNQUOTED
            raise self._refuse(message.format(field.name, _soql_type(field)), literal.at)
        if field.type in ("id", "reference") and value:
            if not is_id(value):
                raise query_error("invalid_id", self._world.text, literal.at, value=value)
            return full(str(value))
        if kind == "datetime":
            try:
                return _to_stamp(str(value))
            except (ValueError, OverflowError) as error:
                raise bad_query(f"invalid datetime: {value}", self._world.text, literal.at) from error
        return None if isinstance(value, DateRange) else value

    def _refuse(self, message: str, at: int) -> ApiError:
        return query_error("wrong_filter", self._world.text, at, message=message)


def make_comparison(sign: str, right: Scalar) -> Callable[[Scalar], bool]:
    """Return a function that compares a value with `right` by an operator such as `>=`."""
    operand = comparable(right)
    if sign in ("=", "!="):
        same = sign == "="
        return lambda value: (comparable(value) == operand) is same
    compare = ORDERED[sign]

    def has_order(value: Scalar) -> bool:
        row_value = comparable(value)
        return row_value is not None and operand is not None and compare(row_value, operand)

    return has_order


def comparable(value: Scalar) -> Any:
    """Return the value to compare: texts in lower case, '' as null."""
    if isinstance(value, str):
        return value.lower() or None
    return value


def like_pattern(text: str) -> re.Pattern[str]:
    """Compile the wildcards of LIKE: % is any text, _ one character, a backslash escapes them."""
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    wildcards = {"%": ".*", "_": "."}
    pattern = "".join(wildcards.get(part) or re.escape(part[-1]) for part in parts)
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _literal_kind(field: FieldDef) -> str:
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "string"


def _soql_type(field: FieldDef) -> str:
    if field.type in ("picklist", "multipicklist", "textarea", "email", "phone", "url"):
        return "string"
    return {"datetime": "dateTime", "reference": "ID", "id": "ID"}.get(field.type, field.type)


def _to_stamp(text: str) -> str:
    return stamp(datetime.fromisoformat(text.upper().replace(" ", "+")))


def _format_day(field: FieldDef, day: date) -> str:
    if field.type == "date":
        return day.isoformat()
    return stamp(datetime(day.year, day.month, day.day, tzinfo=UTC))


MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def bounds(literal: DateRange, now: datetime) -> tuple[date, date]:
    """Return the first day of a date literal's range, counted from `now` in UTC, and the first day after the range."""
    today = now.date()
    name, number = literal.name, literal.number
    if name in ("TODAY", "YESTERDAY", "TOMORROW"):
        day = today + timedelta(days=("YESTERDAY", "TODAY", "TOMORROW").index(name) - 1)
        return day, day + timedelta(days=1)
    if name == "N_DAYS_AGO":
        return today - timedelta(days=number), today - timedelta(days=number - 1)
    if name in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        name, number = name.replace("90", "N"), 90
    direction, _, unit = name.partition("_")
    unit = unit.removeprefix("N_")
    if unit == "DAYS":
        # LAST_N_DAYS includes today; NEXT_N_DAYS begins tomorrow.
        tomorrow = today + timedelta(days=1)
        if direction == "LAST":
            return today - timedelta(days=number), tomorrow
        return tomorrow, tomorrow + timedelta(days=number)
    steps = number or 1
    unit = unit.removesuffix("S")
    first, last = {"LAST": (-steps, 0), "THIS": (0, 1), "NEXT": (1, 1 + steps)}[direction]
    return _first_day(today, unit, first), _first_day(today, unit, last)


def _first_day(today: date, unit: str, steps: int) -> date:
    """Return the first day of the unit that is a number of steps after the current unit; weeks begin on Sunday."""
    if unit == "WEEK":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return sunday + timedelta(weeks=steps)
    width = MONTHS[unit]
    month = (today.year * 12 + today.month - 1) // width * width + steps * width
    return date(month // 12, month % 12 + 1, 1)
