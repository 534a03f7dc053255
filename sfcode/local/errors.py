"""The errors of an org: a code, a message in Salesforce's words, and the fields concerned."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from typing import Any

from sfcode.errors import SfcodeError


class ApiError(Exception):
    """An error. REST returns it as `[{message, errorCode, fields}]`, a collection as the error of an item."""

    def __init__(self, code: str, message: str, fields: Iterable[str] | None = None, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)
        self.status = status

    @property
    def body(self) -> list[dict[str, Any]]:
        """Return the body of a REST response."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]

    @property
    def item(self) -> dict[str, Any]:
        """Return the error of one record of a collection."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class Ambiguous(ApiError):
    """Raised when several records have the same external id; REST returns their URLs and changes nothing."""

    def __init__(self, object_name: str, record_ids: list[str]) -> None:
        super().__init__("DUPLICATE_EXTERNAL_ID", "more than one record found for external id field", [], status=300)
        self.object_name = object_name
        self.record_ids = record_ids


class OAuthError(Exception):
    """An error of an OAuth endpoint: `{"error": ..., "error_description": ...}`."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    @property
    def body(self) -> dict[str, str]:
        """Return the body of the response."""
        return {"error": self.error, "error_description": self.description}


def invalid_session() -> ApiError:
    """Return the error for a missing or invalid token."""
    return ApiError("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def not_found() -> ApiError:
    """Return the error for an unknown path, object or record."""
    return ApiError("NOT_FOUND", "The requested resource does not exist", status=404)


def method_not_allowed(method: str, allowed: Iterable[str]) -> ApiError:
    """Return the error for a method that the path does not support."""
    names = ",".join(allowed)
    return ApiError("METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {names}", status=405)


def malformed_query(message: str) -> ApiError:
    """Return the error for a request without a query."""
    return ApiError("MALFORMED_QUERY", message)


def bad_json(message: str) -> ApiError:
    """Return the error for a body that is not JSON or has a value of the wrong type."""
    return ApiError("JSON_PARSER_ERROR", message)


def no_such_column(name: str, object_name: str) -> ApiError:
    """Return the error for a field that the object does not have or the user cannot see."""
    return ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}")


def required(names: list[str]) -> ApiError:
    """Return the error for missing required fields."""
    return ApiError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names)


def read_only(names: list[str]) -> ApiError:
    """Return the error for fields that only the org can write."""
    return ApiError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set.",
        names,
    )


def malformed_id(label: str, value: object, field: str) -> ApiError:
    """Return the error for an id of the wrong form or object."""
    return ApiError("MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [field])


def cross_reference(fields: Iterable[str] = (), *, status: int = 400) -> ApiError:
    """Return the error for an id that names no record."""
    return ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields, status=status)


def hidden_reference(record_id: str = "") -> ApiError:
    """Return the error for an id of a record that the user cannot see."""
    said = f": {record_id[:15]}" if record_id else ""
    return ApiError(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", f"insufficient access rights on cross-reference id{said}", []
    )


def deleted_entity() -> ApiError:
    """Return the refusal of a record that is in the recycle bin."""
    return ApiError("ENTITY_IS_DELETED", "entity is deleted", [], status=404)


def wrong_record_type(record_type_id: str) -> ApiError:
    """Return the refusal of a record type of another object."""
    message = f"Record Type ID: this ID value isn't valid for the user: {record_type_id}"
    return ApiError("INVALID_CROSS_REFERENCE_KEY", message, ["RecordTypeId"])


def no_access() -> ApiError:
    """Return the error for changing or deleting a record that the user can only read."""
    return ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [], status=403)


def not_insertable(object_name: str) -> ApiError:
    """Return the error for an object that the user cannot create."""
    return ApiError("INVALID_TYPE_FOR_OPERATION", f"entity type cannot be inserted: {object_name}", [])


def duplicate(field: str, record_id: str) -> ApiError:
    """Return the error for a duplicate value of a unique field."""
    return ApiError(
        "DUPLICATE_VALUE", f"duplicate value found: {field} duplicates value on record with id: {record_id}", []
    )


UNUSABLE = "The state of this local org cannot be read or written"


def describe_failure(log: logging.Logger, what: str, error: Exception) -> str:
    """
    Log an unexpected error and return the message for the client. Call it in the error handler.

    A disk that is full or may not be written to is nobody's bug: it is named, without a traceback.
    """
    if isinstance(error, sqlite3.Error | SfcodeError | OSError):
        said = error.message if isinstance(error, SfcodeError) else f"{UNUSABLE}: {error}"
        log.error("%s: %s", what, said)
        return said
    log.error("%s", what, exc_info=error)
    return f"An unexpected error occurred: {type(error).__name__}"
