"""sObject Collections: up to 200 records in one call, each with its own result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.http.call import DATA, RestCall, answer, route
from sfcode.local.ids import full
from sfcode.local.record_writer import RecordWriter
from sfcode.local.rest.records import parse_fields, record_json, writer
from sfcode.local.store import Undo

MAX_RECORDS = 200
ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}

Json = dict[str, Any]
T = TypeVar("T")


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    path = f"{DATA}/composite/sobjects"
    return [
        route(f"{path}/{{object}}/{{field}}", context, {"PATCH": _upsert}),
        route(f"{path}/{{object}}", context, {"GET": _retrieve, "POST": _retrieve}),
        route(path, context, {"POST": _create, "PATCH": _update, "DELETE": _delete}),
    ]


def _create(call: RestCall) -> Response:
    def create(write: RecordWriter, record: Json) -> Json:
        return {"id": write.create(_type(record), _without(record, "attributes"))}

    return _carry_out(call, create)


def _update(call: RestCall) -> Response:
    def update(write: RecordWriter, record: Json) -> Json:
        record_id = next((value for key, value in record.items() if key.lower() == "id"), None)
        if not isinstance(record_id, str) or not record_id:
            raise make_error("missing_argument", name="Id", call=" in an update call")
        write.update(_type(record), record_id, _without(record, "attributes", "id"))
        return {"id": full(record_id)}

    return _carry_out(call, update)


def _upsert(call: RestCall) -> Response:
    name, field = call.path["object"], call.path["field"]

    def upsert(write: RecordWriter, record: Json) -> Json:
        value = next((value for key, value in record.items() if key.lower() == field.lower()), None)
        key = None if value is None else str(value)
        record_id, created = write.upsert(name, field, key, _without(record, "attributes", field.lower()))
        return {"id": record_id, "created": created}

    return _carry_out(call, upsert)


def _delete(call: RestCall) -> Response:
    def delete(write: RecordWriter, record_id: str) -> Json:
        target = write.catalog.of_record(full(record_id))
        if target is None:
            raise make_error("cross_reference")
        write.delete(target.name, record_id)
        return {"id": full(record_id)}

    record_ids = [id_ for id_ in call.query.get("ids", "").split(",") if id_]
    _check_count(len(record_ids))
    return _carry_out_all(call, delete, record_ids, all_or_none=_flag(call.query.get("allOrNone")))


def _retrieve(call: RestCall) -> Response:
    if call.method == "POST":
        body = call.json_object()
        record_ids, fields = body.get("ids"), body.get("fields")
    else:
        record_ids, fields = call.query.get("ids", "").split(","), parse_fields(call)
    if not isinstance(record_ids, list) or not isinstance(fields, list):
        raise make_error("bad_json", message="ids and fields are required")
    with call.context.store.read() as tx:
        view = call.view(tx)
        target = view.catalog.require(call.path["object"])
        rows = [view.rows.find(target.name, str(entry)) for entry in record_ids]
        return answer([row and record_json(call, target, row, [str(entry) for entry in fields]) for row in rows])


def _carry_out(call: RestCall, step: Callable[[RecordWriter, Json], Json]) -> Response:
    body = call.json_object()
    return _carry_out_all(call, step, _records(body), all_or_none=_flag(body.get("allOrNone")))


def _carry_out_all(
    call: RestCall, step: Callable[[RecordWriter, T], Json], items: Sequence[T], *, all_or_none: bool
) -> Response:
    """Process each item in one transaction; a failure undoes only its own item, or with allOrNone all items."""
    results: list[Json] = []
    with writer(call) as write:
        results.extend(_carry_out_one(write, partial(step, write, item)) for item in items)
        if all_or_none and not all(result["success"] for result in results):
            results = [{"success": False, "errors": [ROLLED_BACK]} if row["success"] else row for row in results]
            raise Undo
    return answer(results)


def _carry_out_one(write: RecordWriter, step: Callable[[], Json]) -> Json:
    try:
        with write.tx.savepoint():
            outcome = step()
    except ApiError as error:
        return {"success": False, "errors": [error.of_member.item]}
    return outcome | {"success": True, "errors": []}


def _records(body: Mapping[str, Any]) -> list[Json]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise make_error("bad_json", message="records must be a list of objects")
    if not records:
        raise ApiError("REQUIRED_FIELD_MISSING", "At least 1 record is required")
    _check_count(len(records))
    return records


def _check_count(count: int) -> None:
    if count > MAX_RECORDS:
        raise make_error("too_many_records", most=MAX_RECORDS)


def _type(record: Json) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise ApiError("INVALID_TYPE", "sObject type is not specified: give it as attributes.type", [])
    return name


def _without(record: Json, *names: str) -> Json:
    return {key: value for key, value in record.items() if key.lower() not in names}


def _flag(value: object) -> bool:
    return value is True or str(value).lower() == "true"
