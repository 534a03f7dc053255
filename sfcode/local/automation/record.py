"""A saved record with its old and new values, as flows and workflow rules read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.local.automation.compare import NotModeled
from sfcode.local.formula.evaluate import evaluate
from sfcode.local.formula.parser import FormulaError
from sfcode.local.formula.values import Value
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.formulas import RecordContext
from sfcode.local.sobjects.model import ObjectDef
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import OrgTransaction, Record


@dataclass(frozen=True)
class RecordSave:
    """One save: the record before and after, the user and the time."""

    tx: OrgTransaction
    catalog: Catalog
    target: ObjectDef
    before: Record | None
    after: Record
    access: UserAccess
    now: datetime
    is_new: bool

    @property
    def id(self) -> str:
        """The record's ID."""
        return str(self.after["Id"])

    def earlier(self) -> RecordSave | None:
        """Return a save whose new values are those before this one; None if this save created the record."""
        if self.before is None:
            return None
        return replace(self, after=dict(self.before), is_new=False)

    def value(self, path: tuple[str, ...]) -> Value:
        """Return the value of a field, including formula fields and fields of parents. Raises NotModeled."""
        return self._read(path, self._context.value)

    def prior(self, path: tuple[str, ...]) -> Value:
        """Return a field's value before the save. Raises NotModeled."""
        return self._read(path, self._context.prior)

    def _read(self, path: tuple[str, ...], read: Callable[[tuple[str, ...]], Value]) -> Value:
        """Read a value as users see it: a percent field that shows 50 has the value 0.5 in formulas."""
        try:
            value = read(path)
        except FormulaError as error:
            raise NotModeled(str(error)) from error
        field = self.target.field(path[0]) if len(path) == 1 else None
        return value * 100 if field and field.type == "percent" and isinstance(value, Decimal) else value

    def meets(self, formula: str) -> bool:
        """Return whether a formula is true for this save; blank counts as false. Raises NotModeled."""
        try:
            return evaluate(formula, self._context) is True
        except FormulaError as error:
            raise NotModeled(f"its formula is not evaluated: {error}") from error

    @property
    def _context(self) -> RecordContext:
        return RecordContext(
            self.catalog,
            Rows(self.tx),
            self.target.name,
            self.after,
            self.now,
            prior_record=self.before,
            is_new=self.is_new,
            user_id=self.access.user_id,
            permissions=self.access.custom_permissions,
        )
