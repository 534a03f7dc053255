"""The routes of bulk jobs of both kinds: list, create, read, change and delete them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import make_error
from sfcode.local.http.call import RestCall, answer, no_content, route_pair
from sfcode.local.rest.bulk import job as jobs
from sfcode.local.rest.bulk.worker import BulkWorker


def job_routes(
    context: OrgContext,
    work: BulkWorker,
    kind: str,
    create: Callable[[RestCall, BulkWorker], Response],
    steps: Mapping[str, jobs.Step],
) -> list[Route]:
    """List the routes of all jobs of a kind and of one job; `steps` has a function for each state that a client sets."""

    def about(call: RestCall) -> Response:
        return answer(jobs.job_json(work.wait_for_job(lambda: _existing(call, kind)), base=call.base))

    def move(call: RestCall) -> Response:
        state = call.json_object().get("state")
        if not isinstance(state, str) or state not in steps:
            raise make_error("bad_property", name="state", value=state)
        job = jobs.change(context, _existing(call, kind)["id"], steps[state])
        if state == jobs.UPLOADED:
            work.start(job["id"])
        return answer(jobs.job_summary_json(job))

    path = jobs.PATHS[kind]
    return [
        *route_pair(path, context, {"GET": partial(list_jobs, kind=kind), "POST": lambda call: create(call, work)}),
        *route_pair(f"{path}/{{id}}", context, {"GET": about, "PATCH": move, "DELETE": partial(delete_job, kind=kind)}),
    ]


def list_jobs(call: RestCall, kind: str) -> Response:
    """Answer with the jobs of a kind, all in one page."""
    names = (*jobs.SUMMARY_KEYS, "jobType", "lineEnding", "columnDelimiter")
    with call.context.store.read() as tx:
        own_jobs = [job for job in tx.bulk_jobs.list_all() if job["jobType"] == kind]
    records = [{name: job[name] for name in names if name in job} for job in own_jobs]
    return answer({"done": True, "nextRecordsUrl": None, "records": records})


def delete_job(call: RestCall, kind: str) -> Response:
    """Delete a job that has ended."""
    with call.context.store.transaction() as tx:
        job = jobs.find_job(tx, kind, call.path["id"])
        if job["state"] not in jobs.ENDED:
            raise jobs.wrong_state(f"Deleting {jobs.state_words(job)} Job not allowed")
        tx.bulk_jobs.delete(job["id"])
    return no_content()


def _existing(call: RestCall, kind: str) -> jobs.Job:
    """Return the job of a call's path. Raises ApiError."""
    with call.context.store.read() as tx:
        return jobs.find_job(tx, kind, call.path["id"])
