"""The errors of a query, which quote it and point to the position."""

from __future__ import annotations

from sfcode.local.errors import ApiError

AROUND = 60
"""How much of the query is quoted before and after the place."""


def query_error(code: str, message: str, text: str, at: int) -> ApiError:
    """Return an error that shows the position: the query's line, a caret below it, row and column."""
    row = text.count("\n", 0, at) + 1
    begins = text.rfind("\n", 0, at) + 1
    ends = text.find("\n", at)
    line = text[begins : ends if ends >= 0 else len(text)]
    column = at - begins
    first = max(0, column - AROUND)
    quoted = line[first : column + AROUND]
    return ApiError(code, f"\n{quoted}\n{' ' * (column - first)}^\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def malformed(message: str, text: str, at: int) -> ApiError:
    """Return the error for a text that is no query."""
    return query_error("MALFORMED_QUERY", message, text, at)


def no_such_column(name: str, entity: str, text: str, at: int) -> ApiError:
    """Return the error for a field that an object does not have."""
    return query_error(
        "INVALID_FIELD",
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
        "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate "
        "names.",
        text,
        at,
    )


def no_such_object(name: str, text: str, at: int) -> ApiError:
    """Return the error for an unknown object."""
    return query_error(
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
        text,
        at,
    )


def not_in_this_api(name: str) -> ApiError:
    """Return the error for an object of another API, or one that the user may not read."""
    return ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.")


def no_such_relationship(name: str, where: str, text: str, at: int) -> ApiError:
    """Return the error for a relationship that an object does not have; `where` is the part of the query."""
    return query_error(
        "INVALID_FIELD",
        f"Didn't understand relationship '{name}' in {where}. If you are attempting to use a custom relationship, be "
        "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call "
        "for the appropriate names.",
        text,
        at,
    )
