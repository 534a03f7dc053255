"""/services/data/vXX.0/jobs/query: queries with CSV results in pages."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import make_error
from sfcode.local.http.call import RestCall, answer, route_pair
from sfcode.local.rest.bulk import job as jobs
from sfcode.local.rest.bulk import query
from sfcode.local.rest.bulk.job_routes import job_routes
from sfcode.local.rest.bulk.worker import BulkWorker

OPERATIONS = {"query": "", "queryAll": ""}


def routes(context: OrgContext, work: BulkWorker) -> list[Route]:
    """List the routes of this file."""
    return [
        *job_routes(context, work, jobs.QUERY, _create, {jobs.ABORTED: jobs.abort}),
        *route_pair(f"{jobs.PATHS[jobs.QUERY]}/{{id}}/results", context, {"GET": _results}),
    ]


def _create(call: RestCall, work: BulkWorker) -> Response:
    body = call.json_object()
    operation = jobs.choose(body, "operation", OPERATIONS)
    text = str(body.get("query") or "")
    with call.context.store.transaction() as tx:
        about = query.check(text, call.view(tx))
        job = jobs.create(call, tx, kind=jobs.QUERY, operation=operation, about=about, body=body)
        job |= {"state": jobs.UPLOADED, "query": text, "numberRecordsProcessed": 0}
        job |= {"retries": 0, "totalProcessingTime": 0}
        tx.bulk_jobs.put(job["id"], job)
    work.start(job["id"])
    counted = ("jobType", "numberRecordsProcessed", "retries", "totalProcessingTime")
    return answer({name: value for name, value in jobs.job_json(job, base=call.base).items() if name not in counted})


def _results(call: RestCall) -> Response:
    most = call.query.get("maxRecords", str(query.PAGE))
    if not (most.isascii() and most.isdigit() and int(most)):
        raise make_error("bad_property", name="maxRecords", value=most)
    with call.context.store.read() as tx:
        job = jobs.find_job(tx, jobs.QUERY, call.path["id"])
        if job["state"] != jobs.COMPLETE:
            raise jobs.wrong_state(f"Results of {job['state']} Job not available")
        text, count, locator = query.page(tx, job, call.query.get("locator", ""), int(most))
    headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(count)}
    return Response(text, headers=headers, media_type="text/csv; charset=UTF-8")
