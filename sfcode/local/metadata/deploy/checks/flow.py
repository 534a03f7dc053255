"""Check flows: connectors, actions, fields and the entry condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sfcode.local import formula
from sfcode.local.formula import FormulaError, Type
from sfcode.local.formula.functions import CHANGE
from sfcode.local.metadata import flows
from sfcode.local.metadata.deploy.checks.common import check_lengths
from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.metadata.names import walk_path
from sfcode.local.metadata.scopes import ObjectScope
from sfcode.local.sobjects.values import check_developer_name

FIRST_WITH_MESSAGES = 53.0
"""The first API version whose flows can send outbound messages: https://github.com/forcedotcom/cli/issues/1253"""

MAX_VERSIONS = 50
"""The maximum number of versions of a flow: https://github.com/forcedotcom/cli/issues/800"""
NO_ACTION = "We can't find an action with the name and action type that you specified."
TOO_OLD = 'The action type "Outbound Messages" can\'t be used in flows with the process type "Autolaunched Flow".'
AFTER_SAVE = "RecordAfterSave"
RECORD_TRIGGERS = {"RecordAfterSave", "RecordBeforeSave", "RecordBeforeDelete"}
UPDATES = {"Update", "CreateAndUpdate"}
CREATES = {"Create", "CreateAndUpdate", "Update"}
KNOWN_ACTIONS = {flows.OUTBOUND: "WorkflowOutboundMessage", "emailAlert": "WorkflowAlert", "flow": "Flow"}


def check(subject: Subject) -> Iterator[str]:
    """Check a flow."""
    yield from check_developer_name("Flow API Name: The Flow API Name", subject.component.full_name, 80)
    yield from check_lengths(subject.body, {"label": ("MasterLabel", 80)})
    if len(subject.view.tx.flows.versions(subject.component.full_name)) > MAX_VERSIONS:
        yield f"Maximum flow versions reached: a flow has at most {MAX_VERSIONS}. Delete those that nobody needs."
    yield from _structure(subject)
    yield from _actions(subject)
    yield from _trigger(subject)


def _structure(subject: Subject) -> Iterator[str]:
    elements = list(flows.elements(subject.body))
    names = Counter(name for _, name, _ in elements)
    for name in sorted(name for name, count in names.items() if count > 1):
        yield f'The API name "{name}" is used by more than one element'
    for source, element in [("Start", flows.start(subject.body)), *((name, element) for _, name, element in elements)]:
        for target in flows.targets(element):
            if target not in names:
                yield f'The connector of "{source}" leads to the element "{target}", which doesn\'t exist'
    first = subject.body.get("startElementReference")
    if first is not None and first not in names:
        yield f'The startElementReference names the element "{first}", which doesn\'t exist'


def _actions(subject: Subject) -> Iterator[str]:
    for element, kind, name in flows.actions(subject.body):
        type_ = KNOWN_ACTIONS.get(kind)
        if type_ is not None and not subject.view.has(type_, name):
            yield f"{element} (Action) - {NO_ACTION}"
        elif kind == flows.OUTBOUND:
            if float(str(subject.body.get("apiVersion") or subject.api_version)) < FIRST_WITH_MESSAGES:
                yield f"{element} (Action) - {TOO_OLD}"
            trigger = str(flows.start(subject.body).get("triggerType") or "None")
            if trigger in RECORD_TRIGGERS - {AFTER_SAVE}:
                yield f"{element} (Action) - You can't use the Outbound Message action type in flows with the {trigger} trigger type."


def _trigger(subject: Subject) -> Iterator[str]:
    trigger = flows.start(subject.body)
    kind = trigger.get("triggerType")
    if kind in RECORD_TRIGGERS:
        for element in ("object", "recordTriggerType"):
            if not trigger.get(element):
                yield f"Required field is missing: {element}"
    if kind == AFTER_SAVE and trigger.get("recordTriggerType") == "Delete":
        yield "You can't use the RecordAfterSave trigger type with the Delete record trigger type."
    if trigger.get("filterFormula") and trigger.get("filters"):
        yield _integrity("The flow's start has both a formula and filters.")
    owner = str(trigger.get("object") or "")
    if owner and subject.view.object(owner) is None:
        if not subject.view.has("CustomObject", owner):
            yield _integrity(f'The object "{owner}" doesn\'t exist.')
        return
    if trigger.get("filterFormula") and owner:
        yield from _entry(subject, owner, str(trigger["filterFormula"]), str(trigger.get("recordTriggerType")))
    yield from _fields(subject)


def _fields(subject: Subject) -> Iterator[str]:
    for name, field in flows.named_fields(subject.body):
        if subject.view.object(name) is not None and subject.view.field(name, field) is None:
            yield _no_field(name, field)
    for start, path in flows.record_paths(subject.body):
        for (name, field), field_definition in walk_path(subject.view.catalog, start, path):
            if field_definition is None:
                yield _no_field(name, field)


def _entry(subject: Subject, owner: str, text: str, trigger: str) -> Iterator[str]:
    # A flow on creation has no prior record to compare with, and one on update is never new.
    forbidden = (frozenset() if trigger in UPDATES else CHANGE) | (frozenset() if trigger in CREATES else {"ISNEW"})
    scope = ObjectScope.of_rule(subject.view.catalog, owner, forbidden=forbidden, flow=True)
    try:
        formula.check(text, scope, Type.BOOLEAN)
    except FormulaError as error:
        yield _integrity(f"The formula expression is invalid: {error}")


def _no_field(owner: str, field: str) -> str:
    return _integrity(f'The field "{field}" for the object "{owner}" doesn\'t exist.')


def _integrity(text: str) -> str:
    return f"field integrity exception: unknown ({text})"


def definition(subject: Subject) -> Iterator[str]:
    """Check a FlowDefinition: the version that it activates must exist."""
    number = subject.body.get("activeVersionNumber")
    versions = subject.view.tx.flows.versions(subject.component.full_name)
    if not versions:
        yield f"In field: fullName - no Flow named {subject.component.full_name} found"
    elif number and number not in {version.number for version in versions}:
        yield f"In field: activeVersionNumber - no Flow named {subject.component.full_name}-{number} found"
