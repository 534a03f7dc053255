"""Run a record-triggered flow: its entry conditions, then its elements along the connectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sfcode.local.automation.compare import NotModeled, holds, same
from sfcode.local.automation.record import RecordSave
from sfcode.local.automation.rules import combine
from sfcode.local.errors import ApiError
from sfcode.local.formula.values import Value, is_blank
from sfcode.local.metadata import flows
from sfcode.local.store import Record, Scalar
from sfcode.metadata.component import Body

AFTER_SAVE = "RecordAfterSave"
ON_CREATE = frozenset({"Create", "CreateAndUpdate"})
ON_UPDATE = frozenset({"Update", "CreateAndUpdate"})
CONSTANTS: Mapping[str, Value] = {"True": True, "False": False, "EmptyString": ""}


def starts(saved: RecordSave, body: Body) -> bool:
    """Return whether a save starts a flow. Raises NotModeled."""
    trigger = flows.start(body)
    if trigger.get("recordTriggerType") not in (ON_CREATE if saved.is_new else ON_UPDATE):
        return False
    if not _meets_criteria(saved, trigger):
        return False
    earlier = saved.earlier() if trigger.get("doesRequireRecordChangedToMeetCriteria") else None
    return earlier is None or not _meets_criteria(earlier, trigger)


def run_flow(saved: RecordSave, body: Body, create: Callable[[str, Record], object]) -> Iterator[str]:
    """
    Run a started flow: create its records and return the outbound messages that it sends.

    Raises NotModeled for an unsupported element, and the exceptions of `create` that no fault path handles.
    """
    elements = {name: (kind, element) for kind, name, element in flows.elements(body)}
    trigger = flows.start(body)
    name = _next(trigger) or str(body.get("startElementReference") or "")
    visited: set[str] = set()
    while name and name not in visited:
        visited.add(name)
        kind, element = elements.get(name, ("", {}))
        if kind == "recordCreates" and isinstance(element.get("inputAssignments"), Mapping):
            name = _create(saved, element, create)
            continue
        if kind != "actionCalls" or element.get("actionType") != flows.OUTBOUND:
            description = f"{kind}, {element.get('actionType')}" if kind == "actionCalls" else kind or "missing"
            raise NotModeled(f"stopped before the element {name} ({description}), which the local org does not run")
        yield str(element.get("actionName"))
        name = _next(element)
    if trigger.get("scheduledPaths"):
        raise NotModeled("its scheduled paths are not run by the local org")


def _create(saved: RecordSave, element: Mapping[str, Any], create: Callable[[str, Record], object]) -> str:
    """Create the record of an element; return the name of the next one."""
    values = {field: _value(saved, entry.get("value")) for field, entry in element["inputAssignments"].items()}
    try:
        create(str(element.get("object")), {name: _to_json(value) for name, value in values.items()})
    except ApiError:
        fault = _next(element, "faultConnector")
        if not fault:
            raise
        return fault
    return _next(element)


def _to_json(value: Value) -> Scalar:
    if value is None or isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, Decimal) else value.isoformat()


def _next(element: Mapping[str, Any], kind: str = "connector") -> str:
    connector = element.get(kind)
    return str(connector.get("targetReference") or "") if isinstance(connector, Mapping) else ""


def _meets_criteria(saved: RecordSave, trigger: Mapping[str, Any]) -> bool:
    if trigger.get("filterFormula"):
        return saved.meets(str(trigger["filterFormula"]))
    filters = trigger.get("filters")
    entries = [entry for entry in filters if isinstance(entry, Mapping)] if isinstance(filters, list) else []
    logic = trigger.get("filterLogic")
    return combine(None if logic is None else str(logic), [_holds(saved, entry) for entry in entries])


def _holds(saved: RecordSave, entry: Mapping[str, Any]) -> bool:
    path, operator = (str(entry.get("field")),), str(entry.get("operator"))
    operand = _value(saved, entry.get("value"))
    if operator == "IsNull":
        return is_blank(saved.value(path)) is (operand is True)
    if operator == "IsChanged":
        changed = not saved.is_new and not same(saved.value(path), saved.prior(path))
        return changed is (operand is True)
    return holds(operator, saved.value(path), operand)


def _value(saved: RecordSave, value: object) -> Value:
    """Read the right-hand value of a condition. Raises NotModeled."""
    (kind, operand), *surplus = value.items() if isinstance(value, Mapping) and value else [("nothing", None)]
    try:
        if kind == "elementReference" and not surplus:
            return _reference(saved, str(operand))
        if kind in READERS and not surplus:
            return READERS[kind](operand)
    except (ValueError, InvalidOperation) as error:
        raise NotModeled(f"{operand!r} is no {kind}") from error
    raise NotModeled(f"a condition compares with {kind}, which the local org does not read")


READERS: Mapping[str, Callable[[Any], Value]] = {
    "booleanValue": lambda operand: operand is True or str(operand).lower() == "true",
    "dateTimeValue": lambda operand: datetime.fromisoformat(str(operand)),
    "dateValue": lambda operand: date.fromisoformat(str(operand)[:10]),
    "nothing": lambda _operand: None,
    "numberValue": lambda operand: Decimal(str(operand)),
    "stringValue": lambda operand: "" if operand is None else str(operand),
}


def _reference(saved: RecordSave, text: str) -> Value:
    first, *rest = text.split(".")
    if first == "$Record" and rest:
        return saved.value(tuple(rest))
    if first == "$Record__Prior" and rest:
        return saved.prior(tuple(rest))
    if first == "$GlobalConstant" and rest and rest[0] in CONSTANTS:
        return CONSTANTS[rest[0]]
    if first == "$User" and rest:
        return saved.value((first, *rest))
    raise NotModeled(f"a condition compares with {text}, which the local org does not read")
