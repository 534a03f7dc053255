"""What a new record gets without being given it: default values, and automatic numbers."""

from __future__ import annotations

import re
from datetime import datetime

from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.formulas import RecordContext, formula_value
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import Record, Transaction

NUMBER = re.compile(r"\{(0+)\}")
"""Where the number stands in a display format, and how many digits it has at least."""


def fill(tx: Transaction, catalog: Catalog, target: ObjectDef, record: Record, *, user_id: str, now: datetime) -> None:
    """Give a new record its default values and automatic numbers."""
    for field in target.fields.values():
        if field.display_format:
            record[field.name] = _next_number(tx, target, field)
        elif field.default_formula and record.get(field.name) is None:
            context = RecordContext(catalog, Rows(tx), target.name, record, now, is_new=True, user_id=user_id)
            record[field.name] = formula_value(field, context, field.default_formula)


def _next_number(tx: Transaction, target: ObjectDef, field: FieldDef) -> str:
    key = f"number.{target.name}.{field.name}".lower()
    number = int(tx.settings.get(key) or field.starting_number)
    tx.settings.set(key, str(number + 1))
    return NUMBER.sub(lambda found: str(number).rjust(len(found.group(1)), "0"), field.display_format)
