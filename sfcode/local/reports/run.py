"""Run a report: filter the rows, group them, and summarize each group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.errors import ApiError
from sfcode.local.formula.evaluate import NoRecord, evaluate
from sfcode.local.formula.parser import FormulaError
from sfcode.local.reports.columns import Cell, ReportColumns
from sfcode.local.reports.definition import Criterion, CrossFilter, Grouping, ReportDefinition, SummaryFormula
from sfcode.local.sobjects.roll_ups import ORDERED
from sfcode.local.sobjects.rows import UserView
from sfcode.local.store import Record

MAX_ROWS = 2000
"""The maximum number of detail rows of one run; summaries count all rows."""

_AGGREGATE = re.compile(r"([A-Za-z_][\w.]*):(SUM|AVG|MIN|MAX)")
_JOINED = re.compile(r"(\d+( OR \d+)*)?")
"""Matches the filter logic that the local org supports: all filters by AND (an empty text), or all by OR."""
_ROW_COUNT = re.compile(r"\bRowCount\b")

ReportRow = tuple[str, Record]
"""The name of an object, and one of its rows."""


@dataclass
class RowGroup:
    """One group: its rows, and its groups of the next level. The `key` has its number in each level: `0_1`."""

    key: str
    label: str
    value: Any
    rows: list[ReportRow] = field(default_factory=list)
    groups: list[RowGroup] = field(default_factory=list)


@dataclass(frozen=True)
class ReportResult:
    """The rows of a report as groups, and the summaries by the key of the group, which is "" for the whole report."""

    whole: RowGroup
    summaries: Mapping[str, Sequence[float | int | None]]
    columns: ReportColumns


def run(definition: ReportDefinition, view: UserView) -> ReportResult:
    """Run a report for a user. Raises ApiError for reports that the local org does not support."""
    if definition.format not in ("Tabular", "Summary") or not _JOINED.fullmatch(definition.boolean_filter):
        raise ApiError(
            "BAD_REQUEST", "The local org runs tabular and summary reports whose filters are joined by AND or by OR."
        )
    if definition.interval != "INTERVAL_CUSTOM" or definition.start_date or definition.end_date:
        raise ApiError("BAD_REQUEST", "The local org runs reports over all time only.")
    columns = ReportColumns(view, definition.report_type)
    join = any if definition.boolean_filter else all
    rows = [
        (name, row)
        for name, row in columns.rows()
        if join(_fits(columns.cell(name, row, criterion.column), criterion) for criterion in definition.criteria)
        and all(_crosses(view, columns, (name, row), criterion) for criterion in definition.cross_filters)
    ]
    grand_total = RowGroup("", "", None, rows)
    _fill(grand_total, definition.groupings, columns)
    summaries: dict[str, Sequence[float | int | None]] = {}
    _summarize(grand_total, definition.formulas, columns, summaries)
    return ReportResult(grand_total, summaries, columns)


def _fits(cell: Cell, criterion: Criterion) -> bool:
    if criterion.operator in ORDERED:
        compare = ORDERED[criterion.operator]
        return isinstance(cell.value, int | float) and compare(cell.value, float(criterion.values[0]))
    blank = cell.value is None or cell.value == ""
    text = "" if blank else cell.label.casefold()
    operands = [value.casefold() for value in criterion.values]
    if criterion.operator in ("equals", "notEqual"):
        return (text in operands) is (criterion.operator == "equals")
    if criterion.operator == "contains":
        return any(value in text for value in operands)
    if criterion.operator == "startsWith":
        return any(text.startswith(value) for value in operands)
    raise ApiError("BAD_REQUEST", f"The local org does not filter with {criterion.operator}.")


def _crosses(view: UserView, columns: ReportColumns, row: ReportRow, cross: CrossFilter) -> bool:
    record_id = columns.cell(*row, cross.column).value
    target = view.catalog.object(cross.table)
    if target is None or target.field(cross.join_column) is None:
        raise ApiError("BAD_REQUEST", f"The cross filter over {cross.table} cannot be run.")
    has_match = any(
        related.get(cross.join_column) == record_id
        and all(_related_fits(related, criterion) for criterion in cross.criteria)
        for related in view.rows.all(cross.table)
    )
    return has_match is cross.is_with


def _related_fits(row: Record, criterion: Criterion) -> bool:
    value = row.get(criterion.column)
    return _fits(Cell(value, "" if value is None else str(value)), criterion)


def _fill(group: RowGroup, groupings: Sequence[Grouping], columns: ReportColumns) -> None:
    if not groupings:
        return
    grouping, *inner_groupings = groupings
    is_date = columns.is_date(grouping.column)
    by_value: dict[Any, RowGroup] = {}
    for name, row in group.rows:
        cell = columns.cell(name, row, grouping.column)
        label_cell = _month(cell) if is_date and grouping.granularity == "Month" else cell
        by_value.setdefault(label_cell.value, RowGroup("", label_cell.label, label_cell.value)).rows.append((name, row))
    blank = [by_value.pop(value) for value in (None, "") if value in by_value]
    ordered = sorted(by_value.values(), key=lambda subgroup: subgroup.value if is_date else subgroup.label.casefold())
    for index, subgroup in enumerate([*blank, *(reversed(ordered) if grouping.descending else ordered)]):
        subgroup.key = f"{group.key}_{index}" if group.key else str(index)
        group.groups.append(subgroup)
        _fill(subgroup, inner_groupings, columns)


def _month(cell: Cell) -> Cell:
    if not cell.value:
        return cell
    day = date.fromisoformat(str(cell.value)[:10]).replace(day=1)
    return Cell(day.isoformat(), f"{day:%B %Y}")


def _summarize(
    group: RowGroup,
    formulas: Sequence[SummaryFormula],
    columns: ReportColumns,
    summaries: dict[str, Sequence[float | int | None]],
) -> None:
    values = [_formula(entry, group.rows, columns) for entry in formulas]
    summaries[group.key] = [*values, len(group.rows)]
    for entry in group.groups:
        _summarize(entry, formulas, columns, summaries)


def _formula(summary: SummaryFormula, rows: Sequence[ReportRow], columns: ReportColumns) -> float | None:
    """Evaluate a summary formula over the rows of a group; None if the platform would show an error."""

    def aggregate(match: re.Match[str]) -> str:
        values = [columns.cell(name, row, match[1]).value for name, row in rows]
        numbers = [float(value) for value in values if isinstance(value, int | float)]
        results = {
            "SUM": sum(numbers),
            "AVG": sum(numbers) / len(numbers) if numbers else 0.0,
            "MIN": min(numbers, default=0.0),
            "MAX": max(numbers, default=0.0),
        }
        return f"({Decimal(repr(results[match[2]])):f})"

    text = _ROW_COUNT.sub(str(len(rows)), _AGGREGATE.sub(aggregate, summary.formula))
    try:
        value = evaluate(text, NoRecord())
    except FormulaError:
        return None
    return float(value) if isinstance(value, Decimal) else None
