"""The errors of a query, which quote it and point to the position."""

from __future__ import annotations

from sfcode.local.errors import ApiError, make_error

AROUND = 60
"""How much of the query is quoted before and after the place."""


def query_error(name: str, text: str, at: int, /, **values: object) -> ApiError:
    """Return an error of `errors.txt` that shows the position: the query's line, a caret below it, row and column."""
    error = make_error(name, **values)
    row = text.count("\n", 0, at) + 1
    begins = text.rfind("\n", 0, at) + 1
    ends = text.find("\n", at)
    line = text[begins : ends if ends >= 0 else len(text)]
    column = at - begins
    first = max(0, column - AROUND)
    quoted = f"{line[first : column + AROUND]}\n{' ' * (column - first)}^"
    return ApiError(error.code, f"\n{quoted}\nERROR at Row:{row}:Column:{column + 1}\n{error.message}")


def malformed(message: str, text: str, at: int) -> ApiError:
    """Return the error for a text that is no query."""
    return query_error("malformed_query", text, at, message=message)
