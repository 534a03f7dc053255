"""Single records: create, read, update, delete, upsert."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.automation.setup_rules import SaveOptions
from sfcode.local.context import OrgContext
from sfcode.local.errors import Ambiguous, make_error, require
from sfcode.local.http.call import DATA, RestCall, answer, no_content, route, route_pair
from sfcode.local.ids import is_id
from sfcode.local.record_writer import RecordWriter
from sfcode.local.sobjects.describe import summary
from sfcode.local.sobjects.model import ObjectDef
from sfcode.local.sobjects.rows import UserView
from sfcode.local.sobjects.values import parse_value, record_attributes, to_api_value
from sfcode.local.store import Record


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    path = f"{DATA}/sobjects/{{object}}"
    by_id = {"GET": _get, "PATCH": _update, "DELETE": _delete}
    by_key = {"GET": _get_by_key, "PATCH": _upsert, "DELETE": _delete_by_key}
    return [
        route(f"{path}/{{field}}/{{value:path}}", context, by_key),
        route(f"{path}/{{id:str}}", context, by_id),
        *route_pair(path, context, {"GET": _about, "POST": _create}),
    ]


@contextmanager
def writer(call: RestCall) -> Iterator[RecordWriter]:
    """Open a transaction and return the caller's record writer."""
    with call.context.store.transaction() as tx:
        options = SaveOptions.from_headers(call.headers)
        yield RecordWriter(tx, call.view(tx).catalog, call.session.user_id, call.context.clock.now(), options)


def record_json(call: RestCall, target: ObjectDef, row: Record, names: list[str] | None) -> dict[str, Any]:
    """Return a record as JSON with all fields, or those requested."""
    fields = list(target.fields.values())
    if names is not None:
        fields = []
        for name in names:
            field = target.field(name)
            if field is None:
                raise make_error("not_on_entity", name=name, entity=target.name)
            fields.append(field)
    document = {"attributes": record_attributes(call.base, target.name, row)}
    return document | {field.name: to_api_value(field, row) for field in fields}


def parse_fields(call: RestCall) -> list[str] | None:
    """Parse the `fields` parameter."""
    text = call.query.get("fields")
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _about(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        target = call.view(tx).catalog.require(call.path["object"])
        return answer({"objectDescribe": summary(target, call.base), "recentItems": []})


def _create(call: RestCall) -> Response:
    values = call.json_object()
    with writer(call) as write:
        record_id = write.create(call.path["object"], values)
    headers = {"Location": f"{call.base}/sobjects/{call.path['object']}/{record_id}"}
    return answer({"id": record_id, "success": True, "errors": []}, 201, headers)


def _get(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        view = call.view(tx)
        target = view.catalog.require(call.path["object"])
        row = require(view.rows.find(target.name, call.path["id"]) if is_id(call.path["id"]) else None)
        return answer(record_json(call, target, row, parse_fields(call)))


def _update(call: RestCall) -> Response:
    values = call.json_object()
    with writer(call) as write:
        write.update(call.path["object"], call.path["id"], values)
    return no_content()


def _delete(call: RestCall) -> Response:
    with writer(call) as write:
        write.delete(call.path["object"], call.path["id"])
    return no_content()


def _upsert(call: RestCall) -> Response:
    values, path = call.json_object(), call.path
    with writer(call) as write:
        record_id, created = write.upsert(path["object"], path["field"], path["value"], values)
    return answer({"id": record_id, "success": True, "errors": [], "created": created}, 201 if created else 200)


def _get_by_key(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        target, row = _by_key(call.view(tx), call)
        return answer(record_json(call, target, row, parse_fields(call)))


def _delete_by_key(call: RestCall) -> Response:
    with writer(call) as write:
        target, row = _by_key(call.view(write.tx), call)
        write.delete(target.name, str(row["Id"]))
    return no_content()


def _by_key(view: UserView, call: RestCall) -> tuple[ObjectDef, Record]:
    target = view.catalog.require(call.path["object"])
    field = target.field(call.path["field"])
    if field is None or not field.upsertable:
        raise make_error("no_such_key", name=call.path["field"])
    value = parse_value(field, call.path["value"])
    rows = [row for row in view.rows.all(target.name) if value is not None and _same(row.get(field.name), value)]
    if not rows:
        raise make_error("not_found")
    if len(rows) > 1:
        raise Ambiguous(target.name, [str(row["Id"]) for row in rows])
    return target, rows[0]


def _same(value: object, other_value: object) -> bool:
    if isinstance(value, str) and isinstance(other_value, str):
        return value.lower() == other_value.lower()
    return value == other_value
