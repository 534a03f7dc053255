"""/services/data/vXX.0/jobs/ingest: jobs that write records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error, require
from sfcode.local.http.call import Handler, RestCall, answer, route_pair
from sfcode.local.http.multipart import parse_parts
from sfcode.local.rest.bulk import job as jobs
from sfcode.local.rest.bulk.ingest import OPERATIONS, RowResult, read_results
from sfcode.local.rest.bulk.job import Job
from sfcode.local.rest.bulk.job_routes import job_routes
from sfcode.local.rest.bulk.table import BadTableError, CsvTable, header, line, read
from sfcode.local.rest.bulk.worker import BulkWorker
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.model import ObjectDef
from sfcode.local.store import OrgTransaction

MAX_UPLOAD = 150_000_000
"""The maximum size of one upload in bytes."""
MAX_UPLOAD_WITH_JOB = 100_000
"""The maximum number of characters of an upload that is sent together with the job."""
PROGRESS_KEYS = (
    "jobType",
    "numberRecordsProcessed",
    "numberRecordsFailed",
    "retries",
    "totalProcessingTime",
    "apiActiveProcessingTime",
    "apexProcessingTime",
)
"""Keys that the response to a new job lacks, because they depend on the processing of the job."""
CSV_TYPE = "text/csv; charset=UTF-8"


def routes(context: OrgContext, work: BulkWorker) -> list[Route]:
    """List the routes of this file."""
    results: dict[str, Handler] = {
        "successfulresults": partial(_answer_processed, column="sf__Created"),
        "failedresults": partial(_answer_processed, column="sf__Error"),
        "unprocessedrecords": _answer_unprocessed,
    }

    def result(call: RestCall) -> Response:
        return require(results.get(call.path["what"].lower()))(call)

    path = jobs.PATHS[jobs.INGEST]
    return [
        *job_routes(context, work, jobs.INGEST, _create, {jobs.UPLOADED: _close, jobs.ABORTED: jobs.abort}),
        *route_pair(f"{path}/{{id}}/batches", context, {"PUT": _upload}, max_bytes=MAX_UPLOAD),
        *route_pair(f"{path}/{{id}}/{{what}}", context, {"GET": result}),
    ]


def _create(call: RestCall, work: BulkWorker) -> Response:
    if not call.headers.get("content-type", "").startswith("multipart/"):
        with call.context.store.transaction() as tx:
            job = _new(call, tx, call.json_object())
            tx.bulk_jobs.put(job["id"], job)
        document = jobs.job_json(job, base=call.base)
        return answer({name: value for name, value in document.items() if name not in PROGRESS_KEYS})
    body, content = _read_multipart(call)
    with call.context.store.transaction() as tx:
        job = _new(call, tx, body) | {"state": jobs.UPLOADED}
        tx.bulk_jobs.put(job["id"], job)
        tx.bulk_jobs.put_content(job["id"], content)
    work.start(job["id"])
    return answer(jobs.job_summary_json(job))


def _new(call: RestCall, tx: OrgTransaction, body: Mapping[str, Any]) -> Job:
    name = str(body.get("object") or "")
    target = call.view(tx).catalog.object(name)
    if target is None:
        raise ApiError("INVALIDJOB", f"InvalidJob : Unable to find object: {name}")
    operation = jobs.choose(body, "operation", OPERATIONS)
    jobs.choose(body, "contentType", {"CSV": ""}, "CSV")
    if operation == "hardDelete" and "BulkApiHardDelete" not in UserAccess(tx, call.session.user_id).user_permissions:
        raise make_error("hard_delete")
    job = jobs.create(call, tx, kind=jobs.INGEST, operation=operation, about=target.name, body=body)
    if operation == "upsert":
        job["externalIdFieldName"] = _external_id(target, body.get("externalIdFieldName"))
    return job | dict.fromkeys(PROGRESS_KEYS, 0) | {"jobType": jobs.INGEST}


def _external_id(target: ObjectDef, name: object) -> str:
    key = target.field(str(name or ""))
    if key is None or not key.upsertable:
        raise make_error("no_external_id", name=name or "", object=target.name)
    return key.name


def _read_multipart(call: RestCall) -> tuple[dict[str, Any], bytes]:
    """Read a job and its content from one multipart body."""
    try:
        parts = {part.name: part.content for part in parse_parts(call.body, call.headers.get("content-type", ""))}
        body = json.loads(parts.get("job", b""))
    except ValueError as error:
        raise make_error("bad_json", message=f"{error}") from error
    if not isinstance(body, dict) or "content" not in parts:
        raise make_error(
            "bad_json", message="a part `job` with a JSON object and a part `content` with CSV are required"
        )
    if len(parts["content"]) > MAX_UPLOAD_WITH_JOB:
        raise ApiError("INVALIDJOB", f"InvalidJob : the content has more than {MAX_UPLOAD_WITH_JOB} characters")
    return body, parts["content"]


def _upload(call: RestCall) -> Response:
    with call.context.store.transaction() as tx:
        job = jobs.find_job(tx, jobs.INGEST, call.path["id"])
        if job["state"] != jobs.OPEN:
            raise jobs.wrong_state(f"Uploading to already {jobs.state_words(job)} Job not allowed")
        if tx.bulk_jobs.content(job["id"]) is not None:
            raise make_error("multiple_contents", job=job["id"][:15])
        tx.bulk_jobs.put_content(job["id"], call.body)
    return Response(status_code=201)


def _close(_tx: OrgTransaction, job: Job) -> None:
    if job["state"] != jobs.OPEN:
        raise jobs.wrong_state(f"Closing already {jobs.state_words(job)} Job not allowed")
    job["state"] = jobs.UPLOADED


def _answer_processed(call: RestCall, column: str) -> Response:
    """Answer with the rows that succeeded (`sf__Created`) or failed (`sf__Error`)."""
    job, table, row_results = _read_ended_job(call)
    rows = (
        (outcome.record_id, outcome.error or str(outcome.created).lower(), *cells)
        for outcome, cells in zip(row_results, table.rows, strict=False)
        if bool(outcome.error) is (column == "sf__Error")
    )
    head = header(("sf__Id", column), table.header, job)
    return Response(head + "".join(line(row, job) for row in rows), media_type=CSV_TYPE)


def _answer_unprocessed(call: RestCall) -> Response:
    job, table, row_results = _read_ended_job(call)
    remaining_rows = table.rows[len(row_results) :]
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=jobs.DELIMITERS[job["columnDelimiter"]], lineterminator=jobs.LINE_ENDINGS[job["lineEnding"]]
    )
    writer.writerows(remaining_rows)
    return Response(header((), table.header, job) + text.getvalue(), media_type=CSV_TYPE)


def _read_ended_job(call: RestCall) -> tuple[Job, CsvTable, list[RowResult]]:
    with call.context.store.read() as tx:
        job = jobs.find_job(tx, jobs.INGEST, call.path["id"])
        content, row_results = tx.bulk_jobs.content(job["id"]) or b"", read_results(tx, job["id"])
    if job["state"] not in jobs.ENDED:
        raise jobs.wrong_state(f"Results of {job['state']} Job not available")
    try:
        return job, read(content, job), row_results
    except BadTableError:
        # An unreadable part is returned unchanged as unprocessed.
        return job, CsvTable(content.decode("utf-8", "replace").rstrip("\r\n"), (), []), []
