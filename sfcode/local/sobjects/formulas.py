"""Evaluate formulas over records, and rows whose formula fields are computed on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.local.clock import stamp
from sfcode.local.formula.evaluate import evaluate
from sfcode.local.formula.parser import FormulaError
from sfcode.local.formula.values import PRECISION, Value, round_half_up, text_of_field
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import NUMBER_TYPES, FieldDef, ObjectDef
from sfcode.local.store import Record, Scalar

MAX_NESTING = 10
"""The maximum depth of formula fields that use formula fields, which ends the evaluation of circular formulas."""


class RowSource(Protocol):
    """A source of the rows that references lead to."""

    def get(self, object_name: str, record_id: str) -> Record | None:
        """Find a row by its ID."""

    def all(self, object_name: str) -> list[Record]:
        """List the rows of an object."""


@dataclass(frozen=True)
class RecordContext:
    """
    The record that a formula is evaluated over, and the globals that it may use.

    `record` has the stored (or new) values, `prior` those before the save. Fields have plain names
    (`Email`, `Account.Name`) or those of flows (`$Record.Email`, `$Record__Prior.Email`).
    `$Permission` uses `permissions`, the names of the user's custom permissions.
    Formulas ignore field access.
    """

    catalog: Catalog
    rows: RowSource
    object_name: str
    record: Mapping[str, Scalar]
    now: datetime
    prior_record: Mapping[str, Scalar] | None = None
    is_new: bool = False
    user_id: str = ""
    permissions: frozenset[str] = field(default_factory=frozenset)
    blank_as_zero: bool = False
    depth: int = 0

    def value(self, path: tuple[str, ...]) -> Value:
        """Return the value of a path. Raises FormulaError."""
        first = path[0].lower()
        if not first.startswith("$"):
            return self._follow(self.object_name, self.record, path)
        if first == "$record":
            return self._follow(self.object_name, self.record, path[1:])
        if first == "$record__prior":
            return self.prior(path[1:])
        return self._global(first, path)

    def prior(self, path: tuple[str, ...]) -> Value:
        """Return the value before the save; for a new record the current one."""
        if path and path[0].lower() in ("$record", "$record__prior"):
            path = path[1:]
        before = self.record if self.prior_record is None else self.prior_record
        return self._follow(self.object_name, before, path)

    def _global(self, first: str, path: tuple[str, ...]) -> Value:
        if first == "$permission" and len(path) == 2:
            return path[1].lower() in {name.lower() for name in self.permissions}
        if first == "$organization":
            rows = self.rows.all("Organization")
            return self._follow("Organization", rows[0], path[1:]) if rows else ""
        if first == "$recordtype":
            return self._follow(self.object_name, self.record, ("RecordType", *path[1:]))
        user = self.rows.get("User", self.user_id) or {}
        links = {"$user": "", "$profile": "ProfileId", "$userrole": "UserRoleId"}
        if first not in links:
            raise FormulaError(f"{path[0]} is not evaluated by the local org.")
        if not links[first]:
            return self._follow("User", user, path[1:])
        name = "Profile" if first == "$profile" else "UserRole"
        return self._follow(name, self.rows.get(name, str(user.get(links[first]))) or {}, path[1:])

    def _follow(self, object_name: str, record: Mapping[str, Scalar], path: tuple[str, ...]) -> Value:
        target = self.catalog.object(object_name)
        if target is None or not path:
            raise FormulaError(f"Field {'.'.join(path)} does not exist. Check spelling.")
        if len(path) == 1:
            field = target.field(path[0])
            if field is None:
                raise FormulaError(f"Field {path[0]} does not exist. Check spelling.")
            return self._field(object_name, record, field)
        name, _, type_name = path[0].partition(":")
        reference = target.relationship(name)
        if reference is None:
            raise FormulaError(f"Field {'.'.join(path)} does not exist. Check spelling.")
        record_id = record.get(reference.name)
        targets = (type_name,) if type_name else reference.reference_to
        rows = ((name, self.rows.get(name, str(record_id))) for name in targets if record_id is not None)
        owner, row = next(((name, row) for name, row in rows if row is not None), (targets[0], {}))
        return self._follow(owner, row, path[1:])

    def _field(self, object_name: str, record: Mapping[str, Scalar], field: FieldDef) -> Value:
        scalar = record.get(field.name)
        if (field.formula or field.roll_up) and self.depth < MAX_NESTING:
            scalar = formula_value(field, self._over(object_name, record, field.blank_as_zero))
        value = to_formula_value(field, scalar)
        return Decimal(0) if value is None and self.blank_as_zero and field.type in NUMBER_TYPES else value

    def _over(self, object_name: str, record: Mapping[str, Scalar], blank_as_zero: bool) -> RecordContext:
        return replace(
            self,
            object_name=object_name,
            record=record,
            prior_record=None,
            is_new=False,
            blank_as_zero=blank_as_zero,
            depth=self.depth + 1,
        )


def formula_value(field: FieldDef, context: RecordContext, formula: str = "") -> Scalar:
    """
    Return the value of a formula field, or of another formula, as in the API: null if a page would show #Error!.

    A roll-up is computed from the present details, while an org updates it whenever they are saved.
    """
    if field.roll_up and not formula:
        return field.roll_up.value(context.rows.all(field.roll_up.detail), str(context.record.get("Id")))
    try:
        return to_stored_value(field, evaluate(formula or field.formula, context))
    except FormulaError:
        return False if field.type == "boolean" else None


def to_formula_value(field: FieldDef, scalar: Scalar) -> Value:
    """Convert a stored value to a formula value: a percentage is divided by 100."""
    if field.type == "boolean":
        return bool(scalar)
    if field.type in NUMBER_TYPES:
        if scalar is None:
            return None
        number = PRECISION.create_decimal(repr(scalar))
        return PRECISION.divide(number, Decimal(100)) if field.type == "percent" else number
    if field.type not in MOMENTS:
        return text_of_field(scalar)
    if scalar is None:
        return None
    try:
        return MOMENTS[field.type](str(scalar))
    except ValueError as error:
        raise FormulaError(f"{field.name} holds {scalar}") from error


MOMENTS: dict[str, Callable[[str], Value]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": lambda text: time.fromisoformat(text.rstrip("Z")),
}


def to_stored_value(field: FieldDef, value: Value) -> Scalar:
    """Convert the result of a formula field to its stored form."""
    if field.type == "boolean":
        return value is True
    if value is None or value == "":
        return None
    if field.type in NUMBER_TYPES:
        if not isinstance(value, Decimal):
            raise FormulaError(f"{field.name} gives no number")
        try:
            number = PRECISION.multiply(value, Decimal(100)) if field.type == "percent" else value
            return float(round_half_up(number, field.scale))
        except InvalidOperation as error:
            raise FormulaError(f"{field.name} is out of range") from error
    return _format_result(field, value)


def _format_result(field: FieldDef, value: Any) -> Scalar:
    if isinstance(value, datetime):
        return stamp(value.astimezone(UTC)) if field.type != "date" else value.date().isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise FormulaError(f"{field.name} gives no text")
    return value[: field.length] if field.length else value


class FormulaRows:
    """Wraps rows so that they include their formula fields."""

    def __init__(self, catalog: Catalog, rows: RowSource, now: datetime) -> None:
        self._catalog = catalog.unrestricted
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
    """A row whose formula fields are computed when they are first read."""

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
