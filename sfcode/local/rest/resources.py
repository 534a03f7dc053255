"""Versions, resources, object lists, describes and limits."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.http.call import DATA, VERSIONS, RestCall, answer, identity_url, route, route_pair
from sfcode.local.sobjects.describe import describe, summary
from sfcode.local.sobjects.rows import Rows

SEASONS = ("Spring", "Summer", "Winter")
RESOURCES = ("composite", "jobs", "limits", "metadata", "query", "queryAll", "sobjects", "tooling")


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    handlers = (
        ("", _resources),
        ("/limits", _limits),
        ("/sobjects", _objects),
        ("/sobjects/{object}/describe", _describe),
    )
    return [
        *(Route(f"/services/data{end}", _versions) for end in ("", "/")),
        *(entry for path, handler in handlers for entry in route_pair(f"{DATA}{path}", context, {"GET": handler})),
        route(f"{DATA}/limits/recordCount", context, {"GET": _record_count}),
    ]


def _versions(_request: Request) -> Response:
    return answer(
        [
            {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in VERSIONS
        ]
    )


def _label(number: int) -> str:
    # There are three releases a year, and a Winter release is named after the next year.
    season, year = SEASONS[number % 3], 2004 + number // 3 + (number % 3 == 2)
    return f"{season} '{year % 100:02d}"


def _resources(call: RestCall) -> Response:
    links = {name: f"{call.base}/{name}" for name in RESOURCES}
    return answer(links | {"identity": identity_url(call.session.org_id, call.session.user_id, call.origin)})


def _limits(call: RestCall) -> Response:
    def limit(most: int, used: int = 0) -> dict[str, int]:
        return {"Max": most, "Remaining": max(0, most - used)}

    usage = call.context.usage

    return answer(
        {
            "DailyApiRequests": limit(usage.limit, usage.count_used(call.context.clock.now())),
            "DailyBulkV2QueryJobs": limit(10_000),
            "DataStorageMB": limit(1024),
            "FileStorageMB": limit(1024),
            "SingleEmail": limit(5000),
        }
    )


def _record_count(call: RestCall) -> Response:
    """
    Return approximate numbers of records.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_record_count.htm
    """
    with call.context.store.read() as tx:
        catalog = call.view(tx).catalog
        requested_names = [name for name in call.query.get("sObjects", "").split(",") if name] or catalog.names()
        targets = [target for name in requested_names if (target := catalog.object(name)) and target.deletable]
        counts = [{"count": tx.records.count(target.name), "name": target.name} for target in targets]
    return answer({"sObjects": sorted(counts, key=lambda entry: str(entry["name"]))})


def _objects(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        catalog = call.view(tx).catalog
        definitions = [catalog.object(name) for name in catalog.names()]
    objects = [summary(definition, call.base) for definition in definitions if definition]
    return answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def _describe(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        catalog = call.view(tx).catalog
        target = catalog.require(call.path["object"])
        changed = datetime.fromisoformat(tx.components.last_modified() or "1970-01-01T00:00:00+00:00")
        since = _http_date(call.headers.get("if-modified-since", ""))
        headers = {"Last-Modified": format_datetime(changed, usegmt=True), "ETag": f'"{int(changed.timestamp()):x}"'}
        if since is not None and changed <= since:
            return Response(status_code=304, headers=headers)
        types = [row for row in Rows(tx).all("RecordType") if row["SobjectType"] == target.name]
        return answer(describe(target, catalog.children(target.name), call.base, types), headers=headers)


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
