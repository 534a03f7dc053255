"""
The Analytics REST API: run a report.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import require
from sfcode.local.http.call import DATA, RestCall, answer, route
from sfcode.local.reports.definition import ReportDefinition, read_definition
from sfcode.local.reports.run import MAX_ROWS, ReportResult, RowGroup, run
from sfcode.local.store import OrgTransaction, Stored

Json = dict[str, Any]


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    return [route(f"{DATA}/analytics/reports/{{id}}", context, {"GET": _report})]


def _report(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        stored = require(_find(tx, call.path["id"]))
        definition = read_definition(stored.component.body)
        result = run(definition, call.view(tx))
    details = call.query.get("includeDetails") == "true"
    return answer(_shape(call, stored, definition, result, details=details))


def _find(tx: OrgTransaction, report_id: str) -> Stored | None:
    stored = tx.components.get_by_id(report_id)
    return stored if stored and stored.component.type == "Report" and not stored.raw else None


def _shape(
    call: RestCall, stored: Stored, definition: ReportDefinition, result: ReportResult, *, details: bool
) -> Json:
    base = f"{call.base}/analytics/reports/{stored.id}"
    aggregates = [*(entry.name for entry in definition.formulas), "RowCount"]
    scales = [*(entry.scale for entry in definition.formulas), 0]
    facts: Json = {}
    _add_facts(facts, result.whole, definition, result, scales, details=details)
    return {
        "attributes": {
            "describeUrl": f"{base}/describe",
            "instancesUrl": f"{base}/instances",
            "reportId": stored.id,
            "reportName": definition.name,
            "type": "Report",
        },
        "allData": len(result.whole.rows) <= MAX_ROWS,
        "factMap": facts,
        "groupingsAcross": {"groupings": []},
        "groupingsDown": {"groupings": [_grouping(entry) for entry in result.whole.groups]},
        "hasDetailRows": details,
        "reportMetadata": {
            "aggregates": aggregates,
            "detailColumns": list(definition.columns),
            "developerName": stored.component.full_name.rpartition("/")[2],
            "groupingsDown": [
                {
                    "name": entry.column,
                    "dateGranularity": entry.granularity if result.columns.is_date(entry.column) else "None",
                    "sortOrder": "Desc" if entry.descending else "Asc",
                    "sortAggregate": None,
                }
                for entry in definition.groupings
            ],
            "id": stored.id,
            "name": definition.name,
            "reportFilters": [
                {"column": entry.column, "operator": entry.operator, "value": ",".join(entry.values)}
                for entry in definition.criteria
            ],
            "reportFormat": definition.format.upper(),
            "reportType": {"type": definition.report_type},
        },
    }


def _grouping(group: RowGroup) -> Json:
    return {
        "key": group.key,
        "label": group.label,
        "value": group.value,
        "groupings": [_grouping(subgroup) for subgroup in group.groups],
    }


def _add_facts(
    facts: Json,
    group: RowGroup,
    definition: ReportDefinition,
    result: ReportResult,
    scales: list[int],
    *,
    details: bool,
) -> None:
    values = result.summaries[group.key]
    fact: Json = {
        "aggregates": [
            {"label": _number(value, scale), "value": value} for value, scale in zip(values, scales, strict=True)
        ]
    }
    if details:
        rows = [] if group.groups else group.rows[:MAX_ROWS]
        fact["rows"] = [
            {"dataCells": [_cell(result, name, row, column) for column in definition.columns]} for name, row in rows
        ]
    facts[f"{group.key or 'T'}!T"] = fact
    for subgroup in group.groups:
        _add_facts(facts, subgroup, definition, result, scales, details=details)


def _cell(result: ReportResult, name: str, row: Any, column: str) -> Json:
    cell = result.columns.cell(name, row, column)
    return {"label": cell.label, "value": cell.value}


def _number(value: float | None, scale: int) -> str:
    return "-" if value is None else f"{value:,.{scale}f}"
