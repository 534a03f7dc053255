"""
Formulas: the text of a numeric ID, and the entry condition of a flow or workflow rule.

A message is sent if a record with a user ID is created, or if the ID's
source, a mapped field or a field of `where` changes. Other saves send nothing.
"""

from __future__ import annotations

from sfcode.mapping.fields import Fields
from sfcode.mapping.resolved import ResolvedMapping


def entry_condition(mapping: ResolvedMapping, fields: Fields, *, prefixed: bool) -> str:
    """Return the condition; references are `{!$Record.Title}` for a flow (`prefixed`), `Title` for a workflow rule."""

    def reference(name: str) -> str:
        return f"{{!$Record.{name}}}" if prefixed else name

    fits = [f"NOT(ISBLANK({reference(mapping.user_id.field)}))"]
    for condition in mapping.where:
        field = fields.get(condition.compared_field)
        fits.append(condition.formula(field.type if field else "", prefixed=prefixed))
    if mapping.on == {"create"}:
        return fits[0] if len(fits) == 1 else f"AND({', '.join(fits)})"
    reasons = [f"ISCHANGED({reference(name)})" for name in mapping.watched_fields]
    if "create" in mapping.on:
        reasons.insert(0, "ISNEW()")
    changed = reasons[0] if len(reasons) == 1 else f"OR({', '.join(reasons)})"
    return f"AND({', '.join(fits)}, {changed})"


def record_trigger_type(mapping: ResolvedMapping) -> str:
    """Return the record trigger type of a flow."""
    if mapping.on == {"create"}:
        return "Create"
    return "CreateAndUpdate" if "create" in mapping.on else "Update"


def rule_trigger_type(mapping: ResolvedMapping) -> str:
    """Return the saves on which a workflow rule is evaluated; ISCHANGED needs every edit."""
    return "onCreateOnly" if mapping.on == {"create"} else "onAllChanges"
