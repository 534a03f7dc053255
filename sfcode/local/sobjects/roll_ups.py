"""Roll-up summary fields: counts, sums and extremes over the details of a record."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.store import Scalar

ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "lessThan": operator.lt,
    "lessOrEqual": operator.le,
    "greaterThan": operator.gt,
    "greaterOrEqual": operator.ge,
}


@dataclass(frozen=True, slots=True)
class DetailFilter:
    """A condition on a detail's field."""

    field: str
    operation: str
    value: str

    def fits(self, row: Mapping[str, Scalar]) -> bool:
        """Return whether a detail matches the filter; a blank value is neither less nor greater than another."""
        row_value = row.get(self.field)
        if self.operation in ORDERED:
            return isinstance(row_value, int | float) and ORDERED[self.operation](row_value, float(self.value))
        operands = {part.strip() for part in self.value.split(",")}
        return (_text(row_value) in operands) is (self.operation == "equals")


@dataclass(frozen=True, slots=True)
class RollUpSummary:
    """The definition of a roll-up summary field. It uses stored fields of the detail records, not formula fields."""

    operation: str
    detail: str
    master_field: str
    field: str
    filters: tuple[DetailFilter, ...]

    def value(self, details: Iterable[Mapping[str, Scalar]], record_id: str) -> float | None:
        """Return the value of the field in a record; `details` are all rows of the detail object."""
        rows = [
            row
            for row in details
            if row.get(self.master_field) == record_id and all(rule.fits(row) for rule in self.filters)
        ]
        if self.operation == "count":
            return float(len(rows))
        values = [float(value) for row in rows if isinstance(value := row.get(self.field), int | float)]
        if self.operation == "sum":
            return sum(values)
        if not values:
            return None
        return min(values) if self.operation == "min" else max(values)


def read_roll_up(body: Mapping[str, Any]) -> RollUpSummary | None:
    """Read the definition from the metadata of a field; None for another type of field."""
    if body.get("type") != "Summary":
        return None
    detail, _, master_field = str(body.get("summaryForeignKey", "")).partition(".")
    items = body.get("summaryFilterItems")
    filters = tuple(
        DetailFilter(_field_name(item.get("field")), str(item.get("operation")), str(item.get("value") or ""))
        for item in (items if isinstance(items, list | tuple) else ())
        if isinstance(item, Mapping)
    )
    return RollUpSummary(
        str(body.get("summaryOperation")), detail, master_field, _field_name(body.get("summarizedField")), filters
    )


def _field_name(path: object) -> str:
    return str(path or "").partition(".")[2]


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
