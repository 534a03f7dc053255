"""The definition of a report, read from its metadata."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Body


@dataclass(frozen=True, slots=True)
class Criterion:
    """A condition on a column; several values are alternatives, and an empty one is a blank."""

    column: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """A level of groups; `granularity` applies only to dates."""

    column: str
    granularity: str
    descending: bool


@dataclass(frozen=True, slots=True)
class SummaryFormula:
    """A formula over the rows of a group."""

    name: str
    label: str
    formula: str
    scale: int


@dataclass(frozen=True, slots=True)
class CrossFilter:
    """Related records that a row must have (`with`) or must not have (`without`)."""

    column: str
    is_with: bool
    table: str
    join_column: str
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """One report."""

    name: str
    format: str
    report_type: str
    columns: tuple[str, ...]
    groupings: tuple[Grouping, ...]
    criteria: tuple[Criterion, ...]
    boolean_filter: str
    formulas: tuple[SummaryFormula, ...]
    cross_filters: tuple[CrossFilter, ...]
    params: Mapping[str, str]
    interval: str
    start_date: str
    end_date: str
    date_column: str


def read_definition(body: Body) -> ReportDefinition:
    """Read the metadata of a report."""
    report: Mapping[str, Any] = body
    filters: Mapping[str, Any] = report.get("filter") or {}
    frame: Mapping[str, Any] = report.get("timeFrameFilter") or {}
    return ReportDefinition(
        str(report.get("name", "")),
        str(report.get("format", "Tabular")),
        str(report.get("reportType", "")),
        tuple(str(column["field"]) for column in report.get("columns") or ()),
        tuple(
            Grouping(str(entry["field"]), str(entry.get("dateGranularity", "Day")), entry.get("sortOrder") == "Desc")
            for entry in report.get("groupingsDown") or ()
        ),
        _criteria(filters.get("criteriaItems")),
        str(filters.get("booleanFilter") or ""),
        tuple(
            SummaryFormula(
                str(entry["developerName"]),
                str(entry["masterLabel"]),
                str(entry["calculatedFormula"]),
                int(entry.get("scale") or 0),
            )
            for entry in report.get("aggregates") or ()
            if entry.get("isActive")
        ),
        tuple(
            CrossFilter(
                str(entry["primaryTableColumn"]),
                entry.get("operation") == "with",
                str(entry["relatedTable"]),
                str(entry["relatedTableJoinColumn"]),
                _criteria(entry.get("criteriaItems")),
            )
            for entry in report.get("crossFilters") or ()
        ),
        {name: str(value.get("value") or "") for name, value in (report.get("params") or {}).items()},
        str(frame.get("interval") or "INTERVAL_CUSTOM"),
        str(frame.get("startDate") or ""),
        str(frame.get("endDate") or ""),
        str(frame.get("dateColumn") or ""),
    )


def _criteria(items: Any) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(str(item["column"]), str(item["operator"]), _values(str(item.get("value") or "")))
        for item in items or ()
    )


def _values(text: str) -> tuple[str, ...]:
    """Split the values of a filter at commas; values that contain a comma are quoted."""
    row = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(value.strip() for value in row) or ("",)
