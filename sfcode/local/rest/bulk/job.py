"""A bulk job: its definition, its state transitions, and its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sfcode.local.clock import stamp
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error, require
from sfcode.local.http.call import DATA, RestCall
from sfcode.local.store import OrgTransaction

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
RETENTION = timedelta(days=7)
"""The time for which an org keeps jobs and their results."""

SUMMARY_KEYS = (
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


def create(
    call: RestCall, tx: OrgTransaction, *, kind: str, operation: str, about: str, body: Mapping[str, Any]
) -> Job:
    """Build a new job with an ID; the caller stores it."""
    for old in tx.bulk_jobs.list_all():
        if datetime.fromisoformat(old["createdDate"]) < call.context.clock.now() - RETENTION:
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
        job = require(tx.bulk_jobs.get(job_id))
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
    return {name: job[name] for name in SUMMARY_KEYS if name in job}
