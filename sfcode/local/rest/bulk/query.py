"""Run a query job: CSV rows and result pages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.rest.bulk.job import COMPLETE, ENDED, Job, change
from sfcode.local.rest.bulk.table import line
from sfcode.local.sobjects.rows import UserView
from sfcode.local.store import OrgTransaction

PAGE = 50_000
"""The number of rows of a page, if the caller does not pass one."""

STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\+0000")

Json = dict[str, Any]


def check(text: str, view: UserView) -> str:
    """Check that a query can run in bulk and return its object. Raises ApiError."""
    from sfcode.local.soql.ast import Aggregate, AllFields, SoqlQuery
    from sfcode.local.soql.parser import parse

    query = parse(text)
    if query.group_by or any(isinstance(item, Aggregate) for item in query.select):
        raise _unsupported_error("Aggregate Relationships not supported in Bulk Query")
    if any(isinstance(item, SoqlQuery) for item in query.select):
        raise _unsupported_error("Nested queries not supported in Bulk Query")
    if query.offset:
        raise _unsupported_error("OFFSET not supported in Bulk Query")
    if any(isinstance(item, AllFields) for item in query.select):
        raise _unsupported_error("FIELDS() not supported in Bulk Query")
    target, paths = _columns(text, view)
    if any(kind == "address" for _, kind in paths):
        raise _unsupported_error("Selecting compound data not supported in Bulk Query")
    return target


def run(context: OrgContext, job: Job, *, is_running: Callable[[], bool]) -> None:
    """Run the query. Raises ApiError."""
    from sfcode.local.soql.execute import run as run_query

    def step(tx: OrgTransaction, job: Job) -> None:
        if job["state"] in ENDED or not is_running():
            return
        now, asker = context.clock.now(), job["createdById"]
        _, paths = _columns(job["query"], UserView.of(tx, asker, now))
        with_deleted = job["operation"] == "queryAll"
        records = run_query(job["query"], tx, now, "", asker, with_deleted=with_deleted).records
        head = line((".".join(path) for path, _ in paths), job)
        body = (line((_cell(record, path, kind) for path, kind in paths), job) for record in records)
        tx.bulk_jobs.add_rows(job["id"], 0, (head, *body))
        job["numberRecordsProcessed"] = len(records)
        job["state"] = COMPLETE

    change(context, job["id"], step)


def page(tx: OrgTransaction, job: Job, locator: str, size: int) -> tuple[str, int, str]:
    """Return a page of the result with header, the number of rows, and the locator of the next page."""
    start = _offset(locator) if locator else 0
    total = job["numberRecordsProcessed"]
    (head,) = tx.bulk_jobs.rows(job["id"], 0, 1)
    rows = tx.bulk_jobs.rows(job["id"], start + 1, size)
    end = start + len(rows)
    return head + "".join(rows), len(rows), _locator(end) if end < total else "null"


def _columns(text: str, view: UserView) -> tuple[str, list[tuple[list[str], str]]]:
    """Return the object of a query, and the path and type of each column."""
    from sfcode.local.soql.ast import FieldRef
    from sfcode.local.soql.parser import parse
    from sfcode.local.soql.scope import World

    query, world = parse(text), World(view.catalog, view.rows, text)
    target = world.object(query.source, query.source_at)
    bound = [world.bind(target, query.alias, item) for item in query.select if isinstance(item, FieldRef)]
    return target.name, [
        ([*(step.relationship for step in column.steps), column.field.name], column.field.type) for column in bound
    ]


def _cell(record: Json, path: list[str], kind: str) -> str:
    value: Any = record
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    # A datetime ends in Z in CSV, and in +0000 in JSON.
    return STAMP.sub(r"\1Z", value) if kind == "datetime" else str(value)


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise make_error("invalid_locator") from error


def _unsupported_error(message: str) -> ApiError:
    return ApiError("FUNCTIONALITY_NOT_ENABLED", message)
