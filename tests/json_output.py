"""Check JSON documents that a command printed against the published schemas, in which no other keys are allowed."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
from pydantic import TypeAdapter

from sfcode.cli.schema import output_schema
from sfcode.relay.result_types import RESULTS


def check_output(document: Any) -> None:
    """Check a document if it is an envelope, a plan or a review."""
    if not isinstance(document, dict):
        return
    if "status" in document and ({"result"} <= document.keys() or "exitCode" in document):
        _validator("envelope").validate(document)
        check_output(document.get("result"))
    elif "resource_changes" in document and "digest" in document:
        _validator("plan").validate(document)
    elif "statements" in document and "effects" in document:
        _validator("review").validate(document)


def check_relay_output(verb: str, document: Any) -> None:
    """Check an envelope that a verb of `sfcode relay` printed, unless it is an error's."""
    _validator("envelope").validate(document)
    if "result" in document:
        check_relay_result(verb, document["result"])


def check_relay_result(verb: str, result: Any) -> None:
    """Check the output of a verb of `sfcode relay` that has no envelope, such as each line of `tail`."""
    _relay_validator(verb).validate(result)
    _validator("relay").validate(result)


@cache
def _relay_validator(verb: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(close_schema(TypeAdapter(RESULTS[verb]).json_schema()))


@cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(close_schema(output_schema(kind)))


def close_schema(node: Any) -> Any:
    """Return the schema without further keys: those that it does not list are refused."""
    if isinstance(node, list):
        return [close_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    keys = {key: close_schema(value) for key, value in node.items()}
    return {**keys, "additionalProperties": False} if isinstance(node.get("properties"), dict) else keys
