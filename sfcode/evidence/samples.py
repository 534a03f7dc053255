"""Sample components for the probes, like those that sfcode generates but with separate names."""

from __future__ import annotations

from typing import Any

from sfcode.metadata.component import Component

VERSION = "63.0"
PREFIX = "Sfcode_Probe"
NUMBER = f"Contact.{PREFIX}_Number__c"
TEXT = f"Contact.{PREFIX}_Text__c"
EVENT_ID = f"Activity.{PREFIX}_Event_Id__c"
MESSAGE = f"Contact.{PREFIX}"
NUMBER_NAME, TEXT_NAME = NUMBER.partition(".")[2], TEXT.partition(".")[2]
FORMULA = f'IF(ISBLANK({NUMBER_NAME}), "", TEXT({NUMBER_NAME}))'


def number() -> Component:
    """Return a number field."""
    body: dict[str, Any] = {
        "label": "Probe Number",
        "type": "Number",
        "precision": 18,
        "scale": 0,
        "required": False,
        "unique": False,
    }
    return Component("CustomField", NUMBER, body)


def text() -> Component:
    """Return the text formula over the number field."""
    body: dict[str, Any] = {
        "label": "Probe Text",
        "type": "Text",
        "formula": FORMULA,
        "required": False,
        "unique": False,
    }
    return Component("CustomField", TEXT, {**body, "formulaTreatBlanksAs": "BlankAsBlank"})


def event_id() -> Component:
    """Return the external ID of activities."""
    body: dict[str, Any] = {
        "label": "Probe Event Id",
        "type": "Text",
        "length": 255,
        "externalId": True,
        "unique": True,
    }
    return Component("CustomField", EVENT_ID, {**body, "caseSensitive": True, "required": False})


def message(user: str, *fields: str) -> Component:
    """Return an outbound message of some fields."""
    body: dict[str, Any] = {
        "apiVersion": VERSION,
        "endpointUrl": "https://relay.example.com/outbound-messages/probe/0123456789abcdef0123456789abcdef?v=1a2b3c4d",
        "fields": sorted({"Id", "SystemModstamp", *fields}),
        "includeSessionId": False,
        "integrationUser": user,
        "name": "sfcode probe",
        "protected": False,
    }
    return Component("WorkflowOutboundMessage", MESSAGE, body)


def flow(condition: str, *, status: str = "Active") -> Component:
    """Return a flow that sends the message under a condition."""
    call = {
        "label": "Send",
        "locationX": 0,
        "locationY": 0,
        "actionName": MESSAGE,
        "actionType": "outboundMessage",
        "flowTransactionModel": "CurrentTransaction",
        "nameSegment": MESSAGE,
    }
    start = {
        "locationX": 0,
        "locationY": 0,
        "connector": {"targetReference": "Send"},
        "filterFormula": condition,
        "object": "Contact",
        "recordTriggerType": "CreateAndUpdate",
        "triggerType": "RecordAfterSave",
    }
    body: dict[str, Any] = {
        "actionCalls": {"Send": call},
        "apiVersion": VERSION,
        "environments": ["Default"],
        "interviewLabel": "sfcode probe {!$Flow.CurrentDateTime}",
        "label": "sfcode probe",
        "processMetadataValues": {"BuilderType": {"value": {"stringValue": "LightningFlowBuilder"}}},
        "processType": "AutoLaunchedFlow",
        "start": start,
        "status": status,
    }
    return Component("Flow", PREFIX, body)


def rule() -> Component:
    """Return a workflow rule that sends the message."""
    body: dict[str, Any] = {
        "actions": {MESSAGE.partition(".")[2]: {"type": "OutboundMessage"}},
        "active": False,
        "formula": "OR(ISNEW(), ISCHANGED(Email))",
        "triggerType": "onAllChanges",
    }
    return Component("WorkflowRule", MESSAGE, body)


def permission_set(
    *, objects: tuple[str, ...] = (), read: tuple[str, ...] = (), edit: tuple[str, ...] = ()
) -> Component:
    """Return a permission set with access to objects and fields."""
    rights = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")
    granted = {"allowRead", "allowEdit"}
    body: dict[str, Any] = {
        "label": "sfcode probe",
        "fieldPermissions": {field: {"readable": True, "editable": field in edit} for field in sorted({*read, *edit})},
        "objectPermissions": {name: {right: right in granted for right in rights} for name in objects},
    }
    return Component("PermissionSet", PREFIX, {name: value for name, value in body.items() if value})
