"""Rows whose formula fields are computed on demand and cached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.formulas import ReadsRows, RecordContext, formula_value
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.store import Record


class FormulaRows:
    """Wraps rows so that they include their formula fields."""

    def __init__(self, catalog: Catalog, rows: ReadsRows, now: datetime) -> None:
        self._catalog = catalog.whole
        self._access = catalog.access
        self._rows = rows
        self._now = now

    def rows(self, target: ObjectDef, rows: list[Record]) -> list[Record]:
        """Return rows of an object including their formula fields."""
        formulas = {field.name: field for field in target.fields.values() if field.formula or field.roll_up}
        return [ComputedRow(row, formulas, self, target.name) for row in rows] if formulas else rows

    def value(self, object_name: str, field: FieldDef, row: Mapping[str, Any]) -> Any:
        """Compute one field of one row."""
        access = self._access
        return formula_value(
            field,
            RecordContext(
                self._catalog,
                self._rows,
                object_name,
                row,
                self._now,
                user_id=access.user_id if access else "",
                permissions=access.custom_permissions if access else frozenset(),
                blank_as_zero=field.blank_as_zero,
            ),
        )


class ComputedRow(dict[str, Any]):
    """A row of an object with formula fields."""

    def __init__(self, row: Record, formulas: Mapping[str, FieldDef], computing: FormulaRows, object_name: str) -> None:
        super().__init__(row)
        self._row = row
        self._formulas = formulas
        self._computing = computing
        self._object_name = object_name

    def __getitem__(self, key: str) -> Any:
        return self.get(key) if key in self._formulas else super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a field."""
        field = self._formulas.get(key)
        if field is None or super().__contains__(key):
            return super().get(key, default)
        value = self._computing.value(self._object_name, field, self._row)
        self[key] = value
        return value
