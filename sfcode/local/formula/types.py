"""The data types of formulas, named as in the platform's messages."""

from __future__ import annotations

import enum


class Type(enum.StrEnum):
    """The type of an expression; None stands for an unknown type, which no check refuses."""

    TEXT = "Text"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    DATE = "Date"
    DATETIME = "Date/Time"
    TIME = "Time"
    PICKLIST = "Picklist"
    MULTIPICKLIST = "Multi-Select Picklist"
    LONG_TEXT = "Long Text Area"


LETTERS = {
    "T": Type.TEXT,
    "N": Type.NUMBER,
    "B": Type.BOOLEAN,
    "D": Type.DATE,
    "M": Type.DATETIME,
    "I": Type.TIME,
    "P": Type.PICKLIST,
    "V": Type.MULTIPICKLIST,
}
"""How the table of functions writes them."""

DESCRIBED = {
    **dict.fromkeys(("string", "email", "phone", "url", "id", "reference", "combobox"), Type.TEXT),
    **dict.fromkeys(("double", "int", "long", "currency", "percent"), Type.NUMBER),
    **{each.lower(): Type[each] for each in ("BOOLEAN", "DATE", "DATETIME", "TIME", "PICKLIST", "MULTIPICKLIST")},
}
"""By a field's type in describe."""

LONG_FROM = 256
"""A text area of up to 255 characters is a Text; a longer one is a Long Text Area."""


def formula_type(kind: str, length: int = 0) -> Type | None:
    """Return the formula type of a field from its describe type and length."""
    if kind == "textarea":
        return Type.LONG_TEXT if length >= LONG_FROM else Type.TEXT
    return DESCRIBED.get(kind)
