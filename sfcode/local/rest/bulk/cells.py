"""Convert the cells of an uploaded table to the values of a record, by the rules for CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.errors import ApiError, make_error
from sfcode.local.rest.bulk.table import BadTableError
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.describe import soap_type
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.values import parse_value

NULL = "#N/A"
TRUE = frozenset({"yes", "y", "true", "on", "1"})
FALSE = frozenset({"no", "n", "false", "off", "0"})


@dataclass(frozen=True)
class Column:
    """The target of a column: a field of the record, or the external ID of a parent (`Account.Ext__c`)."""

    field: FieldDef
    key: FieldDef | None = None
    parent: str = ""

    def put(self, values: dict[str, Any], text: str, number: int) -> None:
        """Set the value of a cell in a record; an empty cell is ignored. Raises ApiError with the column `number`."""
        if text == "":
            return
        if self.key is None:
            values[self.field.name] = None if text == NULL else _value(self.field, text, number)
        elif text == NULL:
            values[self.field.name] = None
        else:
            values[self.field.relationship] = {"type": self.parent, self.key.name: _value(self.key, text, number)}


def columns(names: Sequence[str], target: ObjectDef, catalog: Catalog) -> list[Column]:
    """Find the column of each name. Raises BadTableError."""
    table_columns = []
    for name in names:
        column = _column(name, target, catalog)
        if column is None:
            raise BadTableError(f"InvalidBatch : Field name not found : {name}")
        table_columns.append(column)
    return table_columns


def record(columns: Sequence[Column], cells: Sequence[str]) -> dict[str, Any]:
    """Return the values of one record. Raises ApiError."""
    if len(cells) > len(columns):
        raise ApiError("INVALID_FIELD", f"the row has {len(cells)} values, the header {len(columns)}", [])
    values: dict[str, Any] = {}
    for number, (column, text) in enumerate(zip(columns, cells, strict=False)):
        column.put(values, text, number)
    return values


def _column(name: str, target: ObjectDef, catalog: Catalog) -> Column | None:
    """Resolve `Name`, `Account.Ext__c`, or `Contact:Who.Ext__c` for polymorphic references."""
    path, dot, key_name = name.partition(".")
    if not dot:
        field = target.field(name)
        return Column(field) if field else None
    kind, colon, relationship = path.rpartition(":")
    reference = target.relationship(relationship)
    if reference is None:
        return None
    parent = catalog.object(kind if colon else reference.reference_to[0])
    key = parent.field(key_name) if parent else None
    if parent is None or parent.name not in reference.reference_to or key is None or not key.upsertable:
        return None
    return Column(reference, key, parent.name)


def _value(field: FieldDef, text: str, number: int) -> Any:
    if field.type == "boolean" and text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    try:
        return parse_value(field, text)
    except ApiError as error:
        if error.code != "JSON_PARSER_ERROR":
            raise
        values = {"number": number, "text": text, "type": soap_type(field)}
        raise make_error("bad_cell", field=field.name, **values) from error
