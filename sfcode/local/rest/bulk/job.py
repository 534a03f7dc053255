"""A bulk job: its definition, its state transitions, and its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.clock import stamp
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.http.call import DATA, RestCall, answer, no_content, slashed
from sfcode.local.store import OrgTransaction

if TYPE_CHECKING:
    from sfcode.local.rest.bulk.worker import BulkWorker

INGEST, QUERY = "V2Ingest", "V2Query"
PATHS = {INGEST: f"{DATA}/jobs/ingest", QUERY: f"{DATA}/jobs/query"}
"""The kinds of jobs, each with the path of its routes."""
OPEN, UPLOADED, RUNNING = "Open", "UploadComplete", "InProgress"
COMPLETE, ABORTED, FAILED = "JobComplete", "Aborted", "Failed"
ENDED = frozenset({COMPLETE, ABORTED, FAILED})
IN_WORDS = {COMPLETE: "Completed"}
"""Names of states in the platform's messages, where they differ from the names in the API."""

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
KEPT = timedelta(days=7)
"""The time for which an org keeps jobs and their results."""

BRIEF = (
    "id",
    "operation",
    "object",
    "createdById",
    "createdDate",
    "systemModstamp",
    "state",
    "externalIdFieldName",
    "concurrencyMode",
    "contentType",
    "apiVersion",
)
"""The properties in the response to a change of the state."""

Job = dict[str, Any]
Step = Callable[[OrgTransaction, Job], None]


def job_routes(
    context: OrgContext,
    work: BulkWorker,
    kind: str,
    create: Callable[[RestCall, BulkWorker], Response],
    steps: Mapping[str, Step],
) -> list[Route]:
    """List the routes of the jobs of a kind and of one job, whose state a client changes by `steps`."""

    def about(call: RestCall) -> Response:
        return answer(job_json(work.state_of(lambda: existing(call, kind)), base=call.base))

    def move(call: RestCall) -> Response:
        state = call.json_object().get("state")
        if not isinstance(state, str) or state not in steps:
            raise make_error("bad_property", name="state", value=state)
        job = change(context, existing(call, kind)["id"], steps[state])
        if state == UPLOADED:
            work.start(job["id"])
        return answer(job_summary_json(job))

    path = PATHS[kind]
    return [
        *slashed(path, context, {"GET": partial(list_jobs, kind=kind), "POST": lambda call: create(call, work)}),
        *slashed(f"{path}/{{id}}", context, {"GET": about, "PATCH": move, "DELETE": partial(delete_job, kind=kind)}),
    ]


def create(
    call: RestCall, tx: OrgTransaction, *, kind: str, operation: str, about: str, body: Mapping[str, Any]
) -> Job:
    """Build a new job with an id; the caller stores it."""
    for old in tx.bulk_jobs.list_all():
        if datetime.fromisoformat(old["createdDate"]) < call.context.clock.now() - KEPT:
            tx.bulk_jobs.delete(old["id"])
    now = stamp(call.context.clock.now())
    return {
        "id": tx.bulk_jobs.new_id(),
        "operation": operation,
        "object": about,
        "createdById": call.session.user_id,
        "createdDate": now,
        "systemModstamp": now,
        "state": OPEN,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.path["version"]),
        "lineEnding": choose(body, "lineEnding", LINE_ENDINGS, "LF"),
        "columnDelimiter": choose(body, "columnDelimiter", DELIMITERS, "COMMA"),
        "jobType": kind,
    }


def choose(body: Mapping[str, Any], name: str, among: Mapping[str, Any], default: str = "") -> str:
    """Read one of several allowed values. Raises ApiError."""
    value = body.get(name) or default
    if not isinstance(value, str) or value not in among:
        raise make_error("bad_property", name=name, value=value)
    return value


def find_job(tx: OrgTransaction, kind: str, job_id: str) -> Job:
    """Find the job of a path. Raises ApiError."""
    job = tx.bulk_jobs.get(job_id)
    if job is None or job["jobType"] != kind:
        raise make_error("not_found")
    return job


def change(context: OrgContext, job_id: str, step: Step) -> Job:
    """Change a job in one transaction and return it."""
    with context.store.transaction() as tx:
        job = tx.bulk_jobs.get(job_id)
        if job is None:
            raise make_error("not_found")
        step(tx, job)
        job["systemModstamp"] = stamp(context.clock.now())
        tx.bulk_jobs.put(job["id"], job)
    return job


def abort(_tx: OrgTransaction, job: Job) -> None:
    """Abort a job that has not ended. Raises ApiError."""
    if job["state"] in ENDED:
        raise wrong_state(f"Aborting already {state_words(job)} Job not allowed")
    job["state"] = ABORTED


def state_words(job: Job) -> str:
    """Return the state as it appears in the platform's messages."""
    return IN_WORDS.get(job["state"], str(job["state"]))


def wrong_state(message: str) -> ApiError:
    """Return the error for an operation that the state of a job does not allow."""
    return ApiError("INVALIDJOBSTATE", message)


def job_json(job: Job, *, base: str) -> Job:
    """Return a job in the form of the response to GET."""
    document = {key: value for key, value in job.items() if key != "query"}
    if job["state"] == OPEN:
        document["contentUrl"] = f"{base.removeprefix('/')}/jobs/ingest/{job['id']}/batches"
    return document


def job_summary_json(job: Job) -> Job:
    """Return a job in the form of the response to a change of its state."""
    return {name: job[name] for name in BRIEF if name in job}


def list_jobs(call: RestCall, kind: str) -> Response:
    """Answer with the jobs of a kind, all in one page."""
    names = (*BRIEF, "jobType", "lineEnding", "columnDelimiter")
    with call.context.store.read() as tx:
        jobs = [job for job in tx.bulk_jobs.list_all() if job["jobType"] == kind]
    records = [{name: job[name] for name in names if name in job} for job in jobs]
    return answer({"done": True, "nextRecordsUrl": None, "records": records})


def existing(call: RestCall, kind: str) -> Job:
    """Return the job of a call's path. Raises ApiError."""
    with call.context.store.read() as tx:
        return find_job(tx, kind, call.path["id"])


def delete_job(call: RestCall, kind: str) -> Response:
    """Delete a job that has ended."""
    with call.context.store.transaction() as tx:
        job = find_job(tx, kind, call.path["id"])
        if job["state"] not in ENDED:
            raise wrong_state(f"Deleting {state_words(job)} Job not allowed")
        tx.bulk_jobs.delete(job["id"])
    return no_content()
