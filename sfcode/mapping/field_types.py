"""
The properties of field types, in one table.

To accept a further type as user ID source, NPS field or attribute, change its row in `FIELD_TYPES`; the questions
below it are answered from the rows.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sfcode.mapping.events import NpsKind
from sfcode.mapping.value_map import AttributeValue

AttributeType = Literal["string", "number", "boolean", "date"]
"""The types of an attribute in Appcues."""


ComparedAs = Literal["texts", "numbers", "true or false"]
"""The values that a line of `where` may list for a field."""


class FieldType(NamedTuple):
    """The properties of one describe type."""

    metadata: tuple[str, ...] = ()
    """The types in the metadata of a CustomField that have this describe type."""
    label: str = ""
    """The name in Setup, if messages do not use the describe type."""
    attribute: AttributeType | None = None
    """The type of a value in Appcues; None if an outbound message cannot contain such a field."""
    textual: bool = False
    """Whether the value is a text, which may also be sent as any other type."""
    user_id_formula: str = ""
    """The formula that converts a value to a text user ID; "" if the type cannot be the source of one."""
    nps: NpsKind | None = None
    """The NPS answer that a field of this type can store."""
    compared: ComparedAs | None = None
    """The kind of values that a condition can compare the field with; None if it cannot be compared."""
    blank: bool = True
    """Whether a condition can test if the field is blank."""


_NUMBER_TO_TEXT = 'IF(ISBLANK({field}), "", TEXT({field}))'
"""The formula that converts a number to text, with a blank text instead of "0" for a blank number."""

FIELD_TYPES = {
    "double": FieldType(
        ("Number",), "Number", "number", user_id_formula=_NUMBER_TO_TEXT, nps="score", compared="numbers"
    ),
    "int": FieldType((), "Number", "number", user_id_formula=_NUMBER_TO_TEXT, nps="score", compared="numbers"),
    "long": FieldType((), "", "number", user_id_formula=_NUMBER_TO_TEXT, nps="score", compared="numbers"),
    "currency": FieldType(("Currency",), "", "number", compared="numbers"),
    "percent": FieldType(("Percent",), "", "number", compared="numbers"),
    "string": FieldType(("Text", "AutoNumber"), "Text", "string", textual=True, nps="feedback", compared="texts"),
    "textarea": FieldType(
        ("TextArea", "LongTextArea", "Html"), "Text Area", "string", textual=True, nps="feedback", blank=False
    ),
    "picklist": FieldType(("Picklist",), "", "string", textual=True, compared="texts"),
    "multipicklist": FieldType(("MultiselectPicklist",), "", "string", textual=True, blank=False),
    "combobox": FieldType((), "", "string", textual=True, compared="texts"),
    "email": FieldType(("Email",), "", "string", textual=True, compared="texts"),
    "phone": FieldType(("Phone",), "", "string", textual=True, compared="texts"),
    "url": FieldType(("Url",), "", "string", textual=True, compared="texts"),
    "id": FieldType((), "", "string", textual=True),
    "reference": FieldType(("Lookup", "MasterDetail", "Hierarchy"), "", "string", textual=True),
    "boolean": FieldType(("Checkbox",), "", "boolean", compared="true or false", blank=False),
    "date": FieldType(("Date",), "", "date"),
    "datetime": FieldType(("DateTime",), "", "date"),
    "time": FieldType(("Time",), "", "string"),
    "address": FieldType(("Address",), blank=False),
    "location": FieldType(("Location",), blank=False),
    "base64": FieldType(("File",), blank=False),
    "encryptedstring": FieldType(("EncryptedText",), "Encrypted", blank=False),
}
"""The properties of field types, by describe type."""

COMPARED_WITH = {name: row.compared for name, row in FIELD_TYPES.items() if row.compared}
"""The kind of values that a condition compares a field with, by describe type."""

UNCOMPARABLE = frozenset(name for name, row in FIELD_TYPES.items() if not row.blank)
"""The describe types of fields that no condition can test for blank."""

NUMBER_TYPES = frozenset(name for name, row in FIELD_TYPES.items() if row.label == "Number" or name == "long")
"""Types of Number fields, whose values are formatted as text without `.0`."""

USER_ID_FORMULAS = {name: row.user_id_formula for name, row in FIELD_TYPES.items() if row.user_id_formula}
"""The formula of the generated user ID, by the type of `user_id.from`."""

NPS_TYPES: dict[NpsKind, frozenset[str]] = {
    kind: frozenset(name for name, row in FIELD_TYPES.items() if row.nps == kind) for kind in ("score", "feedback")
}
"""The types of fields that can store an NPS answer, by answer."""

ATTRIBUTE_TYPES: dict[str, AttributeType] = {
    name: row.attribute for name, row in FIELD_TYPES.items() if row.attribute is not None
}
"""The type of a field's value in Appcues, by describe type. Other describe types cannot be sent."""

SENDABLE_AS: dict[AttributeType, frozenset[str]] = {
    "string": frozenset(ATTRIBUTE_TYPES),
    **{
        type_: frozenset(name for name, row in FIELD_TYPES.items() if row.textual or row.attribute == type_)
        for type_ in ("number", "boolean", "date")
    },
}
"""The describe types whose values can be sent as an attribute type, by attribute type."""

_DESCRIBED = {metadata: name for name, row in FIELD_TYPES.items() for metadata in row.metadata}


def describe_type(metadata_type: str) -> str:
    """Return the describe type of a CustomField."""
    return _DESCRIBED.get(metadata_type, metadata_type.lower())


def type_label(describe: str) -> str:
    """Return the name of a describe type in messages."""
    return (FIELD_TYPES[describe].label if describe in FIELD_TYPES else "") or describe


def compared_as(value: AttributeValue) -> ComparedAs:
    """Return the kind of fields that a value can be compared with."""
    if isinstance(value, bool):
        return "true or false"
    return "texts" if isinstance(value, str) else "numbers"
