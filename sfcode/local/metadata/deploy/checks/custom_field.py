"""
Check custom fields: name, type, required and forbidden properties of the type, formula, change of type.

The properties of each type:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
"""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.local import formula
from sfcode.local.formula import FormulaError, Type
from sfcode.local.metadata.deploy.checks.common import check_lengths
from sfcode.local.metadata.deploy.org_view import DeployView, Subject
from sfcode.local.metadata.names import ACTIVITY, field_key
from sfcode.local.metadata.scopes import ObjectScope
from sfcode.local.sobjects.custom import FIELD_TYPES
from sfcode.local.sobjects.object_reader import standard_object
from sfcode.local.sobjects.standard import ACTIVITIES
from sfcode.local.sobjects.values import check_developer_name

LIMITS = {"label": ("MasterLabel", 40), "description": ("Description", 1000), "inlineHelpText": ("InlineHelpText", 510)}
FORMULA_LENGTH = 3900

FORMULA_TYPES = {
    "Checkbox": Type.BOOLEAN,
    "Currency": Type.NUMBER,
    "Date": Type.DATE,
    "DateTime": Type.DATETIME,
    "Number": Type.NUMBER,
    "Percent": Type.NUMBER,
    "Text": Type.TEXT,
    "Time": Type.TIME,
}


NEVER_REQUIRED = {"AutoNumber", "Checkbox", "Html", "LongTextArea", "Summary"}
MAX_PRECISION = 18


def check(subject: Subject) -> Iterator[str]:
    """Check a field."""
    problem = _place(subject)
    if problem is not None:
        yield problem
        return
    if not subject.name.lower().endswith("__c"):
        # The view would find the field itself, since the package is already stored.
        standard = standard_object("Event" if subject.owner == ACTIVITY else subject.owner)
        if standard is None or standard.field(subject.name) is None:
            yield "Could not resolve standard field's name."
        return
    yield from check_developer_name("Field Name: The Custom Field Name", subject.name[:-3], 40)
    if not subject.body.get("label"):
        yield "Must specify a non-empty label for the CustomField"
    yield from check_lengths(subject.body, LIMITS)
    kind = subject.body.get("type")
    if kind is None:
        yield "Required field is missing: type"
        return
    changed = _changed_type(subject, str(kind))
    if changed is not None:
        yield changed
    yield from _formula(subject, str(kind)) if subject.body.get("formula") else _plain(subject, str(kind))


def _place(subject: Subject) -> str | None:
    if subject.owner in ACTIVITIES and subject.name.lower().endswith("__c"):
        # Event and Task have the custom fields of Activity, and none of their own.
        return f"Entity Enumeration Or ID: bad value for restricted picklist field: {subject.owner}"
    if subject.owner == ACTIVITY or subject.view.object(subject.owner) is not None:
        return None
    if subject.view.has("CustomObject", subject.owner):
        return None  # an object without records in the local org, such as a custom metadata type
    if subject.owner.endswith("__c"):
        return "Must specify a non-empty label for the CustomObject"
    return f"Entity Enumeration Or ID: bad value for restricted picklist field: {subject.owner}"


def _plain(subject: Subject, kind: str) -> Iterator[str]:
    body = subject.body
    for element in FIELD_TYPES["needs"].get(kind, ()):
        if body.get(element) in {None, ""}:
            yield f"Must specify '{element}' for a CustomField of type {kind}"
    for element, kinds in FIELD_TYPES["taken_by"].items():
        if body.get(element) and kind not in kinds:
            yield f"Can not specify '{element}' for a CustomField of type {kind}"
    if body.get("required") and kind in NEVER_REQUIRED:
        yield f"Can not specify 'required' for a CustomField of type {kind}"
    yield from _sizes(subject, kind)
    target = body.get("referenceTo")
    if kind in {"Lookup", "MasterDetail"} and target and not _is_object(subject.view, str(target)):
        yield f"referenceTo value of '{target}' does not resolve to a valid sObject type"


def _is_object(view: DeployView, name: str) -> bool:
    return view.object(name) is not None or view.has("CustomObject", name)


def _sizes(subject: Subject, kind: str) -> Iterator[str]:
    length, precision, scale = (subject.body.get(name) for name in ("length", "precision", "scale"))
    if kind in FIELD_TYPES["lengths"] and isinstance(length, int):
        least, most = FIELD_TYPES["lengths"][kind]
        if not least <= length <= most:
            yield f"Invalid length {length} for a CustomField of type {kind}: it must be between {least} and {most}"
    if kind in {"Currency", "Number", "Percent"} and isinstance(precision, int) and isinstance(scale, int):
        if not 1 <= precision <= MAX_PRECISION:
            yield f"Invalid precision {precision} for a CustomField of type {kind}: it must be between 1 and {MAX_PRECISION}"
        elif not 0 <= scale <= precision:
            yield f"Invalid scale {scale} for a CustomField of type {kind}: it must be between 0 and the precision"


def _formula(subject: Subject, kind: str) -> Iterator[str]:
    if kind not in FORMULA_TYPES:
        yield f"Can not specify 'formula' for a CustomField of type {kind}"
        return
    for element in ("externalId", "required", "unique"):
        if subject.body.get(element):
            yield f"Can not specify '{element}' for a CustomField of type Formula"
    text = str(subject.body["formula"])
    if len(text) > FORMULA_LENGTH:
        yield f"Value too long for field: Formula maximum length is:{FORMULA_LENGTH}"
        return
    scope = ObjectScope.of_field(subject.view.catalog, subject.owner)
    try:
        formula.check(text, scope, FORMULA_TYPES[kind])
    except FormulaError as error:
        yield str(error)
        return
    if _circular(subject):
        yield f"Field {subject.name} has a circular reference: its formula leads back to itself."


def _circular(subject: Subject) -> bool:
    """Return whether a formula refers to itself through other formula fields."""
    target = (subject.owner, subject.name)
    visited_fields: set[tuple[str, str]] = set()
    waiting = [(subject.owner, str(subject.body["formula"]))]
    while waiting:
        owner, text = waiting.pop()
        scope = ObjectScope.of_field(subject.view.catalog, owner)
        try:
            used = [step for reference in formula.references(formula.parse(text)) for step in scope.steps(reference)]
        except FormulaError:
            continue
        for step in used:
            if field_key(step) == field_key(target):
                return True
            field = subject.view.field(*step)
            if field is not None and field.formula and step not in visited_fields:
                visited_fields.add(step)
                waiting.append((step[0], field.formula))
    return False


def _changed_type(subject: Subject, kind: str) -> str | None:
    before = subject.before
    if before is None or "type" not in before:
        return None
    was_formula, is_formula = bool(before.get("formula")), bool(subject.body.get("formula"))
    if was_formula and not is_formula:
        return "Cannot update a field from a Formula to something else"
    if is_formula and not was_formula:
        return "Cannot update a field to a Formula from something else"
    if before["type"] == kind:
        return None
    for special in ("Summary", "MasterDetail"):
        if special in {kind, before["type"]}:
            return f"Cannot update a field {'to' if kind == special else 'from'} a {special} " + (
                "from something else" if kind == special else "to something else"
            )
    if not is_formula and _has_data(subject):
        return "Cannot change type due to existing data"
    return None


def _has_data(subject: Subject) -> bool:
    owners = ACTIVITIES if subject.owner == ACTIVITY else (subject.owner,)
    field = subject.view.field(subject.owner, subject.name)
    name = field.name if field else subject.name
    return any(row.get(name) not in {None, ""} for owner in owners for row in subject.view.tx.records.list_all(owner))
