"""Components of an integration with everything that is difficult to render and parse."""

from __future__ import annotations

from sfcode.metadata.component import Component

FORMULA = """IF(
    ISBLANK(Product_User_Id__c),
    "",
    TEXT(Product_User_Id__c) & '<>'
)"""

USER_ID = Component(
    "CustomField",
    "Contact.Appcues_User_Id__c",
    {
        "externalId": False,
        "formula": FORMULA,
        "formulaTreatBlanksAs": "BlankAsBlank",
        "label": "Appcues User Id",
        "type": "Text",
        "unique": False,
    },
)
SCORE = Component(
    "CustomField",
    "Contact.Appcues_NPS_Score__c",
    {"label": "Appcues NPS Score", "precision": 2, "scale": 0, "type": "Number"},
)
EVENT_ID = Component(
    "CustomField",
    "Activity.Appcues_Event_Id__c",
    {"externalId": True, "label": "Appcues Event Id", "length": 64, "type": "Text", "unique": True},
)
MESSAGE = Component(
    "WorkflowOutboundMessage",
    "Contact.Appcues_contact",
    {
        "apiVersion": "63.0",
        "endpointUrl": "https://relay.example.com/outbound-messages/contact/${secret:SFCODE_RELAY_OUTBOUND_SECRET}?a=1&v=2",
        "fields": ["Email", "Id", "SystemModstamp"],
        "includeSessionId": False,
        "integrationUser": "appcues.integration@example.com",
        "name": "Appcues contact",
        "protected": False,
        "useDeadLetterQueue": False,
    },
)
RULE = Component(
    "WorkflowRule",
    "Contact.Appcues_contact",
    {
        "actions": {"Appcues_contact": {"type": "OutboundMessage"}},
        "active": True,
        "formula": "OR(ISNEW(), ISCHANGED(Email))",
        "triggerType": "onAllChanges",
    },
)
FLOW = Component(
    "Flow",
    "Appcues_contact",
    {
        "actionCalls": {
            "Send_Contact": {
                "label": "Send Contact",
                "locationX": 176,
                "locationY": 323,
                "actionName": "Contact.Appcues_contact",
                "actionType": "outboundMessage",
                "flowTransactionModel": "CurrentTransaction",
                "nameSegment": "Contact.Appcues_contact",
            }
        },
        "apiVersion": "63.0",
        "environments": ["Default"],
        "interviewLabel": "Appcues contact {!$Flow.CurrentDateTime}",
        "label": "Appcues contact",
        "processMetadataValues": {"BuilderType": {"value": {"stringValue": "LightningFlowBuilder"}}},
        "processType": "AutoLaunchedFlow",
        "start": {
            "locationX": 50,
            "locationY": 0,
            "connector": {"targetReference": "Send_Contact"},
            "filterFormula": "OR(ISNEW(), ISCHANGED({!$Record.Email}))",
            "object": "Contact",
            "recordTriggerType": "CreateAndUpdate",
            "triggerType": "RecordAfterSave",
        },
        "status": "Active",
    },
)
PERMISSIONS = Component(
    "PermissionSet",
    "Appcues_Integration",
    {
        "description": "What the integration may do & see",
        "fieldPermissions": {
            "Contact.Appcues_NPS_Score__c": {"editable": True, "readable": True},
            "Contact.Title": {"editable": False, "readable": True},
        },
        "hasActivationRequired": False,
        "label": "Appcues Integration",
        "objectPermissions": {
            "Contact": {
                "allowCreate": False,
                "allowDelete": False,
                "allowEdit": True,
                "allowRead": True,
                "modifyAllRecords": False,
                "viewAllRecords": False,
            }
        },
        "userPermissions": {"ApiEnabled": {"enabled": True}},
    },
)
STATE = Component(
    "StaticResource",
    "Appcues_sfcode_state",
    {"cacheControl": "Private", "content": "eyJ2ZXJzaW9uIjogMX0=", "contentType": "application/json"},
)
VISITS = Component(
    "CustomObject",
    "Visit__c",
    {
        "deploymentStatus": "Deployed",
        "label": "Visit",
        "nameField": {"displayFormat": "V-{0000}", "label": "Number", "type": "AutoNumber"},
        "pluralLabel": "Visits",
        "sharingModel": "ReadWrite",
    },
)

ALL = tuple(sorted([USER_ID, SCORE, EVENT_ID, MESSAGE, RULE, FLOW, PERMISSIONS, STATE, VISITS]))
