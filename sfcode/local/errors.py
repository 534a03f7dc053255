"""The errors of an org: a code, a message in Salesforce's words, and the fields concerned."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sfcode.errors import SfcodeError

T = TypeVar("T")


class ApiError(Exception):
    """An error of the REST API: code, message, the fields concerned and the HTTP status."""

    def __init__(self, code: str, message: str, fields: Iterable[str] | None = None, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)
        self.status = status

    @property
    def body(self) -> list[dict[str, Any]]:
        """The body of a REST response."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]

    @property
    def item(self) -> dict[str, Any]:
        """The error of one record of a collection."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}

    @property
    def of_member(self) -> ApiError:
        """The error as a collection reports it for one record: a missing record is an invalid reference there."""
        return make_error("cross_reference") if self.code == "NOT_FOUND" else self


class Ambiguous(ApiError):
    """Raised when several records have the same external ID; REST returns their URLs and changes nothing."""

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
        """The body of the response."""
        return {"error": self.error, "error_description": self.description}


@cache
def _table() -> dict[str, tuple[list[str], str]]:
    lines = Path(__file__).with_name("errors.txt").read_text("utf-8").splitlines()
    rows = (line.partition(": ") for line in lines if not line.startswith("#"))
    return {head.partition(" ")[0]: (head.split()[1:], text) for head, _, text in rows}


def make_error(name: str, /, **values: object) -> ApiError:
    """Return an error of `errors.txt`, with values in place of the placeholders in its text; a list is joined with commas."""
    (code, status, *fields), text = _table()[name]
    texts = {key: ", ".join(value) if isinstance(value, list) else value for key, value in values.items()}
    field_names = [name for field in fields if field != "[]" for name in field.format_map(texts).split(", ")]
    return ApiError(code, text.format_map(texts), field_names if fields else None, status=int(status))


def require(value: T | None) -> T:
    """Return a value that is not None. Raises ApiError (not found) for None."""
    if value is None:
        raise make_error("not_found")
    return value


QUOTED_LENGTH = 60
"""The number of characters that are quoted of a query before and after the position of an error."""


def query_error(name: str, text: str, at: int, /, **values: object) -> ApiError:
    """Return an error of `errors.txt` that shows the position: the query's line, a caret below it, row and column."""
    error = make_error(name, **values)
    row = text.count("\n", 0, at) + 1
    begins = text.rfind("\n", 0, at) + 1
    ends = text.find("\n", at)
    line = text[begins : ends if ends >= 0 else len(text)]
    column = at - begins
    first = max(0, column - QUOTED_LENGTH)
    quoted = f"{line[first : column + QUOTED_LENGTH]}\n{' ' * (column - first)}^"
    return ApiError(error.code, f"\n{quoted}\nERROR at Row:{row}:Column:{column + 1}\n{error.message}")


def bad_query(message: str, text: str, at: int) -> ApiError:
    """Return the error for a text that is not a valid query."""
    return query_error("malformed_query", text, at, message=message)


UNUSABLE = "The state of this local org cannot be read or written"


def describe_failure(log: logging.Logger, event: str, error: Exception) -> str:
    """
    Log an unexpected error and return the message for the client. Call it in the error handler.

    A full or read-only disk is not a bug: the message names it, without a traceback.
    """
    if isinstance(error, sqlite3.Error | SfcodeError | OSError):
        message = error.message if isinstance(error, SfcodeError) else f"{UNUSABLE}: {error}"
        log.error("%s: %s", event, message)
        return message
    log.error("%s", event, exc_info=error)
    return f"An unexpected error occurred: {type(error).__name__}"
