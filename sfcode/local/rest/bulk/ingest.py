"""Run an ingest job in batches; each batch and its results are one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.record_writer import RecordWriter
from sfcode.local.rest.bulk.cells import Column, columns, record
from sfcode.local.rest.bulk.job import COMPLETE, ENDED, RUNNING, Job, change
from sfcode.local.rest.bulk.table import BadTableError, CsvTable, read
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import UserView
from sfcode.local.store import OrgTransaction

BATCH = 200

Operation = Callable[[RecordWriter, Job, dict[str, Any]], tuple[str, bool]]
"""Processes one row; returns the record's ID and whether it is new. Raises ApiError."""


@dataclass(frozen=True)
class RowResult:
    """The result of a row."""

    record_id: str
    created: bool = False
    error: str = ""

    @property
    def body(self) -> str:
        """The stored form of the result."""
        return json.dumps([self.record_id, self.created, self.error])


def read_results(tx: OrgTransaction, job_id: str) -> list[RowResult]:
    """Read the results of the processed rows."""
    return [RowResult(*json.loads(body)) for body in tx.bulk_jobs.rows(job_id)]


def run(context: OrgContext, job: Job, *, is_running: Callable[[], bool]) -> None:
    """Process the remaining rows until the job ends or the server stops. Raises BadTableError."""
    with context.store.read() as tx:
        content = tx.bulk_jobs.content(job["id"]) or b""
    table = read(content, job)
    while is_running() and _batch(context, job["id"], table):
        pass


def _batch(context: OrgContext, job_id: str, table: CsvTable) -> bool:
    """Process the next rows; return whether there may be more."""

    def step(tx: OrgTransaction, job: Job) -> None:
        if job["state"] in ENDED:
            return
        # Counted in this transaction, since another process may process the same job.
        start = tx.bulk_jobs.count_rows(job_id)
        catalog = UserView.of(tx, job["createdById"], context.clock.now()).catalog
        job_columns = _columns(table, job, catalog)
        rows = table.rows[start : start + BATCH]
        write = RecordWriter(tx, catalog, job["createdById"], context.clock.now())
        outcomes = [_process_row(write, job, job_columns, cells) for cells in rows]
        tx.bulk_jobs.add_rows(job_id, start, (outcome.body for outcome in outcomes))
        job["numberRecordsProcessed"] += len(outcomes)
        job["numberRecordsFailed"] += sum(bool(outcome.error) for outcome in outcomes)
        job["state"] = COMPLETE if start + len(rows) >= len(table.rows) else RUNNING

    return bool(change(context, job_id, step)["state"] == RUNNING)


def _columns(table: CsvTable, job: Job, catalog: Catalog) -> list[Column]:
    target = catalog.object(job["object"])
    if target is None:
        raise BadTableError(f"InvalidBatch : Unable to find object: {job['object']}")
    job_columns = columns(table.columns, target, catalog)
    needed = {"insert": "", "upsert": job.get("externalIdFieldName", "")}.get(job["operation"], "Id")
    if needed and needed not in [column.field.name for column in job_columns if column.key is None]:
        raise BadTableError(f"InvalidBatch : Field name not found : {needed}")
    return job_columns


def _process_row(write: RecordWriter, job: Job, job_columns: Sequence[Column], cells: Sequence[str]) -> RowResult:
    record_id = ""
    try:
        values = record(job_columns, cells)
        record_id = str(values.get("Id") or "")
        with write.tx.savepoint():
            return RowResult(*OPERATIONS[job["operation"]](write, job, values))
    except ApiError as error:
        return RowResult(record_id, error=_error(error.of_member))


def _error(error: ApiError) -> str:
    fields = " ".join(error.fields or ())
    return f"{error.code}:{error.message}:{fields + ' ' if fields else ''}--"


def _insert(write: RecordWriter, job: Job, values: dict[str, Any]) -> tuple[str, bool]:
    return write.create(job["object"], values), True


def _update(write: RecordWriter, job: Job, values: dict[str, Any]) -> tuple[str, bool]:
    record_id = _id(values)
    write.update(job["object"], record_id, values)
    return ids.full(record_id), False


def _upsert(write: RecordWriter, job: Job, values: dict[str, Any]) -> tuple[str, bool]:
    name = job["externalIdFieldName"]
    value = values.pop(name, None)
    return write.upsert(job["object"], name, None if value is None else _format_cell(value), values)


def _delete(write: RecordWriter, job: Job, values: dict[str, Any]) -> tuple[str, bool]:
    record_id = _id(values)
    write.delete(job["object"], record_id)
    return ids.full(record_id), False


def _id(values: dict[str, Any]) -> str:
    value = values.pop("Id", None)
    if not value:
        raise make_error("missing_argument", name="Id", call=" in an update call")
    return str(value)


def _format_cell(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


OPERATIONS: dict[str, Operation] = {
    "insert": _insert,
    "update": _update,
    "upsert": _upsert,
    "delete": _delete,
    "hardDelete": _delete,
}
