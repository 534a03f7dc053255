"""/services/data/vXX.0/jobs/query: queries with CSV results in pages."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import make_error
from sfcode.local.http.call import DATA, Handler, RestCall, answer, no_content, route
from sfcode.local.rest.bulk import job as jobs
from sfcode.local.rest.bulk import query
from sfcode.local.rest.bulk.job import Job
from sfcode.local.rest.bulk.worker import BulkWorker

KIND = "V2Query"
OPERATIONS = {"query": "", "queryAll": ""}


def routes(context: OrgContext, work: BulkWorker) -> list[Route]:
    """List the routes of this file."""

    def create(call: RestCall) -> Response:
        return _create(call, work)

    def about(call: RestCall) -> Response:
        return answer(jobs.job_json(work.state_of(lambda: _existing(call)), base=call.base))

    root: dict[str, Handler] = {"GET": _list, "POST": create}
    one: dict[str, Handler] = {"GET": about, "PATCH": _abort, "DELETE": _delete}
    path = f"{DATA}/jobs/query"
    return [
        made
        for end in ("", "/")
        for made in (
            route(f"{path}{end}", context, root),
            route(f"{path}/{{id}}{end}", context, one),
            route(f"{path}/{{id}}/results{end}", context, {"GET": _results}),
        )
    ]


def _create(call: RestCall, work: BulkWorker) -> Response:
    body = call.json_object()
    operation = jobs.choose(body, "operation", OPERATIONS)
    text = str(body.get("query") or "")
    with call.context.store.transaction() as tx:
        about = query.check(text, call.view(tx))
        job = jobs.create(call, tx, kind=KIND, operation=operation, about=about, body=body)
        job |= {"state": jobs.UPLOADED, "query": text, "numberRecordsProcessed": 0}
        job |= {"retries": 0, "totalProcessingTime": 0}
        tx.bulk_jobs.put(job["id"], job)
    work.start(job["id"])
    counted = ("jobType", "numberRecordsProcessed", "retries", "totalProcessingTime")
    return answer({name: value for name, value in jobs.job_json(job, base=call.base).items() if name not in counted})


def _list(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        return answer(jobs.list_answer([job for job in tx.bulk_jobs.list_all() if job["jobType"] == KIND]))


def _abort(call: RestCall) -> Response:
    wanted = call.json_object().get("state")
    if wanted != jobs.ABORTED:
        raise make_error("bad_property", name="state", value=wanted)
    return answer(jobs.job_summary_json(jobs.change(call.context, _existing(call)["id"], jobs.abort)))


def _delete(call: RestCall) -> Response:
    with call.context.store.transaction() as tx:
        job = jobs.find_job(tx, KIND, call.path["id"])
        if job["state"] not in jobs.ENDED:
            raise jobs.wrong_state(f"Deleting {jobs.state_words(job)} Job not allowed")
        tx.bulk_jobs.delete(job["id"])
    return no_content()


def _results(call: RestCall) -> Response:
    most = call.query.get("maxRecords", str(query.PAGE))
    if not (most.isascii() and most.isdigit() and int(most)):
        raise make_error("bad_property", name="maxRecords", value=most)
    with call.context.store.read() as tx:
        job = jobs.find_job(tx, KIND, call.path["id"])
        if job["state"] != jobs.COMPLETE:
            raise jobs.wrong_state(f"Results of {job['state']} Job not available")
        text, count, locator = query.page(tx, job, call.query.get("locator", ""), int(most))
    headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(count)}
    return Response(text, headers=headers, media_type="text/csv; charset=UTF-8")


def _existing(call: RestCall) -> Job:
    with call.context.store.read() as tx:
        return jobs.find_job(tx, KIND, call.path["id"])
