"""
The data types and the functions of the formula language, named as in the platform's messages.

https://help.salesforce.com/s/articleView?id=platform.customize_functions.htm&type=5 lists them.
"""

from __future__ import annotations

import enum
from importlib import resources

from sfcode.lazy_dataclasses import dataclass


class Type(enum.StrEnum):
    """The type of an expression; None is an unknown type, which no check refuses."""

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
"""The types by their letters in the table of functions."""

DESCRIBED = {
    **dict.fromkeys(("string", "email", "phone", "url", "id", "reference", "combobox"), Type.TEXT),
    **dict.fromkeys(("double", "int", "long", "currency", "percent"), Type.NUMBER),
    **{name.lower(): Type[name] for name in ("BOOLEAN", "DATE", "DATETIME", "TIME", "PICKLIST", "MULTIPICKLIST")},
}
"""The formula type of a field, by its describe type."""

LONG_FROM = 256
"""The length from which on a text area is a Long Text Area and not a Text."""


def formula_type(kind: str, length: int = 0) -> Type | None:
    """Return the formula type of a field from its describe type and length."""
    if kind == "textarea":
        return Type.LONG_TEXT if length >= LONG_FROM else Type.TEXT
    return DESCRIBED.get(kind)


@dataclass(frozen=True, slots=True)
class Function:
    """A function: the types that each parameter accepts (all types if empty), and its result type."""

    parameters: tuple[frozenset[Type], ...]
    required: int
    repeats: bool
    result: Type | None
    like_first: bool
    """Whether the result has the type of the first argument."""

    def accepts(self, count: int) -> bool:
        """Return whether a call with this number of arguments is valid."""
        return self.required <= count and (self.repeats or count <= len(self.parameters))

    def parameter(self, index: int) -> frozenset[Type]:
        """Return the types that the argument at an index may have."""
        return self.parameters[min(index, len(self.parameters) - 1)]


LINES = [
    (line.partition(" ")[0], line)
    for line in resources.files(__package__).joinpath("functions.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]

CHANGE = frozenset({"ISCHANGED", "PRIORVALUE"})
"""Functions that compare a field with its value before the save; their argument is a field."""

TAKES_PICKLISTS = frozenset({"TEXT", "ISPICKVAL", "CASE", "ISBLANK", "ISNULL", "BLANKVALUE", "NULLVALUE", "INCLUDES"})
TAKES_PICKLISTS |= CHANGE | {"PICKLISTCOUNT"}
"""
Functions that accept a picklist; all others refuse one:
https://help.salesforce.com/s/articleView?id=platform.tips_on_building_formulas.htm&type=5 .
"""

OF_BUTTONS_AND_REPORTS = frozenset(name for name, rest in LINES if rest.endswith(" !"))
"""Functions of buttons and reports, which fields and rules cannot use."""
NOT_IN_FIELDS = OF_BUTTONS_AND_REPORTS | CHANGE | {"ISCLONE", "ISNEW", "REGEX", "VLOOKUP"}
NOT_IN_RULES = OF_BUTTONS_AND_REPORTS | {"VLOOKUP", "HYPERLINK", "IMAGE"}


def _types(letters: str) -> frozenset[Type]:
    return frozenset() if letters == "*" else frozenset(LETTERS[letter] for letter in letters)


def _read(line: str) -> tuple[str, Function]:
    head, _, result = line.partition(" -> ")
    name, *parameters = head.split()
    required = sum(not parameter.endswith("?") for parameter in parameters)
    repeats = bool(parameters) and parameters[-1].endswith("+")
    types = tuple(_types(parameter.rstrip("?+") if len(parameter) > 1 else parameter) for parameter in parameters)
    return name, Function(types, required, repeats, LETTERS.get(result), result == "=")


FUNCTIONS = dict(_read(line.removesuffix(" !")) for _, line in LINES)
