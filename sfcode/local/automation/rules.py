"""Workflow rules: whether a rule runs, by its criteria or its formula."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sfcode.local.automation.compare import NotModeled, holds, same
from sfcode.local.automation.record import RecordSave
from sfcode.local.formula.evaluate import NoRecord, evaluate
from sfcode.local.formula.parser import FormulaError
from sfcode.local.formula.values import Value, is_blank, to_text
from sfcode.local.sobjects.model import NUMBER_TYPES, FieldDef
from sfcode.metadata.component import Body

EVERY_SAVE = "onAllChanges"
ON_CREATE = "onCreateOnly"
ORDERED = {
    "greaterThan": "GreaterThan",
    "greaterOrEqual": "GreaterThanOrEqualTo",
    "lessThan": "LessThan",
    "lessOrEqual": "LessThanOrEqualTo",
}
TEXTUAL = {"contains": "Contains", "startsWith": "StartsWith"}
AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2}) ([AP]M))?", re.IGNORECASE)


def runs(saved: RecordSave, body: Body) -> bool:
    """
    Return whether a save triggers a rule. Raises NotModeled.

    `onCreateOrTriggeringUpdate` acts on an update only when the record did not meet the criteria before:
    https://help.salesforce.com/s/articleView?id=platform.workflow_rules_define.htm&type=5
    """
    trigger_type = body.get("triggerType")
    if trigger_type == ON_CREATE and not saved.is_new:
        return False
    if not meets(saved, body):
        return False
    earlier = None if saved.is_new or trigger_type == EVERY_SAVE else saved.earlier()
    return earlier is None or not meets(earlier, body)


def meets(saved: RecordSave, body: Body) -> bool:
    """Return whether a saved record meets the formula or the criteria of a rule. Raises NotModeled."""
    if body.get("formula"):
        return saved.meets(str(body["formula"]))
    items = body.get("criteriaItems")
    entries = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    logic = body.get("booleanFilter")
    return combine(None if logic is None else str(logic), [_holds(saved, item) for item in entries])


def _holds(saved: RecordSave, item: Mapping[str, Any]) -> bool:
    path, field = _field(saved, str(item.get("field")))
    record_value, operation = saved.value(path), str(item.get("operation"))
    if item.get("valueField"):
        operands = [saved.value(_field(saved, str(item["valueField"]))[0])]
    else:
        operands = [_literal(field, word) for word in _words(item.get("value"))]
    if isinstance(record_value, datetime) and any(type(operand) is date for operand in operands):
        # A day without a time means the whole day.
        record_value = record_value.astimezone(UTC).date()
    return _compare(operation, record_value, operands)


def _compare(operation: str, left: Value, operands: list[Value]) -> bool:
    if operation in ("equals", "notEqual"):
        return any(same(left, operand) for operand in operands) is (operation == "equals")
    if operation in ("contains", "startsWith"):
        return any(holds(TEXTUAL[operation], left, operand) for operand in operands)
    if operation == "notContain":
        return not any(holds("Contains", left, operand) for operand in operands)
    if operation in ("includes", "excludes"):
        choices = {operand.lower() for operand in to_text(left).split(";") if operand}
        return bool(choices & {to_text(operand).lower() for operand in operands}) is (operation == "includes")
    if operation in ORDERED and len(operands) == 1:
        return not is_blank(left) and holds(ORDERED[operation], left, operands[0])
    raise NotModeled(f"the operation {operation} is not run by the local org")


def _words(value: object) -> list[str]:
    """Split the comma-separated values of a criterion; no value means blank."""
    words = [word.strip().strip('"') for word in str(value).split(",")] if value not in (None, "") else []
    return [word for word in words if word] or [""]


def _literal(field: FieldDef | None, word: str) -> Value:
    if not word or field is None:
        return word
    if field.type == "boolean":
        return word.lower() in ("true", "1")
    if field.type in NUMBER_TYPES:
        try:
            return Decimal(word)
        except InvalidOperation as error:
            raise NotModeled(f"{word!r} is no number") from error
    return _moment(word) if field.type in ("date", "datetime") else word


def _moment(word: str) -> Value:
    american = AMERICAN.fullmatch(word)
    try:
        if american is None:
            return datetime.fromisoformat(word) if "T" in word else date.fromisoformat(word)
        month, day, year = (int(part) for part in american.groups()[:3])
        if american[4] is None:
            return date(year, month, day)
        hour = int(american[4]) % 12 + (12 if american[6].upper() == "PM" else 0)
        return datetime(year, month, day, hour, int(american[5]), tzinfo=UTC)
    except ValueError as error:
        raise NotModeled(f"the date {word!r} is not read by the local org") from error


def _field(saved: RecordSave, text: str) -> tuple[tuple[str, ...], FieldDef | None]:
    """Return the path and the definition of a criterion's field: of the record, of the saving user or of a parent."""
    # A record type is compared by its name.
    if text == f"{saved.target.name}.RecordTypeId":
        record_type = saved.catalog.object("RecordType")
        return ("RecordType", "Name"), record_type.field("Name") if record_type else None
    owner, _, name = text.rpartition(".")
    if not owner or owner.lower() == saved.target.name.lower():
        return (name,), saved.target.field(name)
    owner_object = saved.catalog.object(owner)
    field = owner_object.field(name) if owner_object else None
    if owner.lower() == "user":
        return ("$User", name), field
    leading = [lookup for lookup in saved.target.relationships.values() if owner in lookup.reference_to]
    if len(leading) != 1:
        raise NotModeled(f"the field {text} is not read by the local org")
    return (leading[0].relationship, name), field


WORDS = {"and": " && ", "or": " || ", "not": " ! "}
WORD = re.compile(r"\d+|and|or|not", re.IGNORECASE)


def combine(logic: str | None, results: Sequence[bool]) -> bool:
    """Return whether conditions are met under their logic; without logic all must be. Raises NotModeled for invalid logic."""
    if not logic or logic.strip().lower() == "and":
        return all(results)
    if logic.strip().lower() == "or":
        return any(results)
    results_by_number = {str(number): f" {value} " for number, value in enumerate(results, 1)}
    formula = WORD.sub(lambda word: (results_by_number | WORDS).get(word[0].lower(), "?"), logic)
    try:
        return evaluate(formula, NoRecord()) is True
    except FormulaError as error:
        raise NotModeled(f"the condition logic {logic!r} cannot be read") from error
