"""
Look up fields in the org or the shipped table, and among the generated ones.

To accept a further type as user id source, NPS field or attribute, change its row in `FIELD_TYPES`; the questions
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
    """The types of a CustomField's metadata that a describe calls by this type."""
    label: str = ""
    """The name in Setup, if messages do not use the describe type."""
    attribute: AttributeType | None = None
    """The type of a value in Appcues; None if an outbound message cannot contain such a field."""
    textual: bool = False
    """Whether the value is a text, which may be sent as any other type too."""
    user_id_formula: str = ""
    """The formula that turns a value into the text of a user id; "" where the type cannot be its source."""
    nps: NpsKind | None = None
    """The NPS answer that such a field can hold."""
    compared: ComparedAs | None = None
    """The values that a condition can compare it with; None where there are none."""
    blank: bool = True
    """Whether a condition can tell if it is blank."""


_NUMBER_TO_TEXT = 'IF(ISBLANK({field}), "", TEXT({field}))'
"""A blank number becomes a blank text rather than "0"."""

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
"""By describe type."""

COMPARED_WITH = {name: row.compared for name, row in FIELD_TYPES.items() if row.compared}
"""By describe type, the values that a condition compares a field with."""

UNCOMPARABLE = frozenset(name for name, row in FIELD_TYPES.items() if not row.blank)
"""Describe types of which no condition can tell whether a field is blank."""

NUMBER_TYPES = frozenset(name for name, row in FIELD_TYPES.items() if row.label == "Number" or name == "long")
"""Types of Number fields: as a text their values are written without `.0`."""

USER_ID_FORMULAS = {name: row.user_id_formula for name, row in FIELD_TYPES.items() if row.user_id_formula}
"""By the type of `user_id.from`, the formula of the generated user id."""

NPS_TYPES: dict[NpsKind, frozenset[str]] = {
    kind: frozenset(name for name, row in FIELD_TYPES.items() if row.nps == kind) for kind in ("score", "feedback")
}
"""By NPS answer, the types of the fields that can hold it."""

CREATED_TYPES: dict[NpsKind, str] = {"score": "double", "feedback": "textarea"}
"""By NPS answer, the type of the field that sfcode creates for it."""

ATTRIBUTE_TYPES: dict[str, AttributeType] = {
    name: row.attribute for name, row in FIELD_TYPES.items() if row.attribute is not None
}
"""By describe type, what a field's value is in Appcues. The keys are the types that can be sent at all."""

SENDABLE_AS: dict[AttributeType, frozenset[str]] = {
    "string": frozenset(ATTRIBUTE_TYPES),
    **{
        type_: frozenset(name for name, row in FIELD_TYPES.items() if row.textual or row.attribute == type_)
        for type_ in ("number", "boolean", "date")
    },
}
"""By attribute type, the describe types whose values can be sent as it."""

_DESCRIBED = {metadata: name for name, row in FIELD_TYPES.items() for metadata in row.metadata}


def describe_type(metadata_type: str) -> str:
    """Return what a describe calls the type of a CustomField."""
    return _DESCRIBED.get(metadata_type, metadata_type.lower())


def type_label(describe: str) -> str:
    """Return what messages call a describe type."""
    return (FIELD_TYPES[describe].label if describe in FIELD_TYPES else "") or describe


def compared_as(value: AttributeValue) -> ComparedAs:
    """Return what kind of fields a value can be compared with."""
    if isinstance(value, bool):
        return "true or false"
    return "texts" if isinstance(value, str) else "numbers"
