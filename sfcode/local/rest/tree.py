"""
sObject Tree: create records with their children in one call, all or nothing.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobject_tree.htm
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from sfcode.local.errors import ApiError, make_error
from sfcode.local.http.call import RestCall, answer
from sfcode.local.record_writer import RecordWriter
from sfcode.local.rest.records import writer
from sfcode.local.store import Undo

MAX_RECORDS = 200
MAX_DEPTH = 5

Json = dict[str, Any]


def create(call: RestCall) -> Response:
    """Create the trees of a request, or return the errors by reference ID and create nothing."""
    records = call.json_object().get("records")
    if not isinstance(records, list) or not all(isinstance(root, dict) for root in records):
        raise make_error("bad_json", message="records must be a list of objects")
    names = [name for root in records for name in _reference_ids(root, 1)]
    if len(names) > MAX_RECORDS:
        raise ApiError("INVALID_INPUT", f"The request may contain up to {MAX_RECORDS} records")
    if len(set(names)) < len(names):
        raise ApiError("INVALID_INPUT", "Duplicate ReferenceId provided in the request.")
    results: list[Json] = []
    with writer(call) as write:
        for root in records:
            results.extend(_create_records(write, call.path["object"], root, {}))
            if "errors" in results[-1]:
                results = results[-1:]
                raise Undo
    failed = any("errors" in root for root in results)
    return answer({"hasErrors": failed, "results": results}, 400 if failed else 201)


def _reference_ids(record: Json, depth: int) -> Iterator[str]:
    attributes = record.get("attributes")
    name = attributes.get("referenceId") if isinstance(attributes, dict) else None
    if not isinstance(name, str) or not name:
        raise ApiError("INVALID_INPUT", "Each record needs attributes with a type and a referenceId.")
    if depth > MAX_DEPTH:
        raise ApiError("INVALID_INPUT", f"The request may contain up to {MAX_DEPTH} levels of records")
    yield name
    for _, children in _children(record):
        for child in children:
            yield from _reference_ids(child, depth + 1)


def _children(record: Json) -> Iterator[tuple[str, list[Json]]]:
    for key, value in record.items():
        if isinstance(value, dict) and key != "attributes" and isinstance(value.get("records"), list):
            yield key, [child for child in value["records"] if isinstance(child, dict)]


def _create_records(write: RecordWriter, name: str, record: Json, parent: Json) -> Iterator[Json]:
    children = dict(_children(record))
    values = {key: value for key, value in record.items() if key != "attributes" and key not in children}
    reference_id = str(record["attributes"]["referenceId"])
    try:
        record_id = write.create(name, values | parent)
        relationships = []
        for key, child_records in children.items():
            relationship = write.catalog.child(name, key)
            if relationship is None:
                raise make_error("not_a_column", name=key, object=name)
            relationships.append((relationship, child_records))
    except ApiError as error:
        yield {"referenceId": reference_id, "errors": [error.item]}
        return
    yield {"referenceId": reference_id, "id": record_id}
    for relationship, child_records in relationships:
        for child in child_records:
            for result in _create_records(write, relationship.child, child, {relationship.field: record_id}):
                yield result
                if "errors" in result:
                    return
