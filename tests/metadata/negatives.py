"""Invalid files, each made from a valid one by one change, and the result of each validation."""

from __future__ import annotations

from dataclasses import dataclass

WORKFLOW = """<?xml version="1.0" encoding="UTF-8"?>
<Workflow xmlns="http://soap.sforce.com/2006/04/metadata">
    <outboundMessages>
        <fullName>Contact_Changed</fullName>
        <apiVersion>62.0</apiVersion>
        <endpointUrl>https://relay.example.com/sf?a=1&amp;b=2</endpointUrl>
        <fields>Email</fields>
        <fields>Id</fields>
        <includeSessionId>false</includeSessionId>
        <integrationUser>integration@example.com</integrationUser>
        <name>Contact Changed</name>
        <protected>false</protected>
        <useDeadLetterQueue>false</useDeadLetterQueue>
    </outboundMessages>
    <rules>
        <fullName>Contact Changed</fullName>
        <actions>
            <name>Contact_Changed</name>
            <type>OutboundMessage</type>
        </actions>
        <active>true</active>
        <formula>OR(ISNEW(), ISCHANGED(Email))</formula>
        <triggerType>onAllChanges</triggerType>
    </rules>
</Workflow>
"""
FLOW = """<?xml version="1.0" encoding="UTF-8"?>
<Flow xmlns="http://soap.sforce.com/2006/04/metadata">
    <actionCalls>
        <name>Send_Contact</name>
        <label>Send Contact</label>
        <locationX>176</locationX>
        <locationY>323</locationY>
        <actionName>Contact.Contact_Changed</actionName>
        <actionType>outboundMessage</actionType>
        <flowTransactionModel>CurrentTransaction</flowTransactionModel>
        <nameSegment>Contact.Contact_Changed</nameSegment>
    </actionCalls>
    <apiVersion>62.0</apiVersion>
    <environments>Default</environments>
    <interviewLabel>Send Contact {!$Flow.CurrentDateTime}</interviewLabel>
    <label>Send Contact</label>
    <processMetadataValues>
        <name>BuilderType</name>
        <value>
            <stringValue>LightningFlowBuilder</stringValue>
        </value>
    </processMetadataValues>
    <processType>AutoLaunchedFlow</processType>
    <start>
        <locationX>50</locationX>
        <locationY>0</locationY>
        <connector>
            <targetReference>Send_Contact</targetReference>
        </connector>
        <filterFormula>OR(ISNEW(), ISCHANGED({!$Record.Email}))</filterFormula>
        <object>Contact</object>
        <recordTriggerType>CreateAndUpdate</recordTriggerType>
        <triggerType>RecordAfterSave</triggerType>
    </start>
    <status>Active</status>
</Flow>
"""
OBJECT = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
    <fields>
        <fullName>Appcues_Feedback__c</fullName>
        <label>Feedback</label>
        <length>32768</length>
        <type>LongTextArea</type>
        <visibleLines>3</visibleLines>
    </fields>
</CustomObject>
"""
PERMISSION_SET = """<?xml version="1.0" encoding="UTF-8"?>
<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata">
    <fieldPermissions>
        <editable>false</editable>
        <field>Contact.Title</field>
        <readable>true</readable>
    </fieldPermissions>
    <label>Appcues Integration</label>
    <userPermissions>
        <enabled>true</enabled>
        <name>ApiEnabled</name>
    </userPermissions>
</PermissionSet>
"""
RESOURCE = """<?xml version="1.0" encoding="UTF-8"?>
<StaticResource xmlns="http://soap.sforce.com/2006/04/metadata">
    <cacheControl>Private</cacheControl>
    <contentType>application/json</contentType>
</StaticResource>
"""
GOOD = {
    "Workflow": WORKFLOW,
    "Flow": FLOW,
    "CustomObject": OBJECT,
    "PermissionSet": PERMISSION_SET,
    "StaticResource": RESOURCE,
}


@dataclass(frozen=True)
class Negative:
    """An invalid file, and the results of the strict schema, the loose schema, and an org's validation."""

    name: str
    text: str
    strict: bool
    loose: bool
    org: str
    """The first problem that an org reports, with its position; "" if the org accepts the file."""


def _changed(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


_FULL_NAME = "        <fullName>Contact_Changed</fullName>\n"
_LAST = "        <useDeadLetterQueue>false</useDeadLetterQueue>\n"
_MESSAGES = WORKFLOW[WORKFLOW.index("    <outboundMessages>") : WORKFLOW.index("    <rules>")]
_RULES = WORKFLOW[WORKFLOW.index("    <rules>") : WORKFLOW.index("</Workflow>")]
_NS = "{http://soap.sforce.com/2006/04/metadata}"
_NO_ROOT = "the root must be a metadata type in namespace http://soap.sforce.com/2006/04/metadata, not"

NEGATIVES = [
    Negative(
        "workflow, wrong element name",
        _changed(WORKFLOW, ("endpointUrl>", "endpointURL>")),
        strict=False,
        loose=False,
        org=f"Element {_NS}endpointURL invalid at this location in type WorkflowOutboundMessage (6:22)",
    ),
    Negative(
        "workflow, unknown trigger type",
        _changed(WORKFLOW, ("onAllChanges", "onEveryChange")),
        strict=False,
        loose=False,
        org="'onEveryChange' is not a valid value for the enum 'WorkflowTriggerTypes' (23:49)",
    ),
    Negative(
        "workflow, bad boolean",
        _changed(WORKFLOW, ("<active>true<", "<active>yes<")),
        strict=False,
        loose=False,
        org="'yes' is not a valid value for the type xsd:boolean (21:29)",
    ),
    Negative(
        "workflow, no namespace",
        _changed(WORKFLOW, (' xmlns="http://soap.sforce.com/2006/04/metadata"', "")),
        strict=False,
        loose=False,
        org=f"{_NO_ROOT} <Workflow> (2:1)",
    ),
    Negative(
        "workflow, wrong root",
        _changed(WORKFLOW, ("<Workflow ", "<Workflows "), ("</Workflow>", "</Workflows>")),
        strict=False,
        loose=False,
        org=f"{_NO_ROOT} <{_NS}Workflows> (2:1)",
    ),
    Negative(
        "workflow, full name last",
        _changed(WORKFLOW, (_FULL_NAME, ""), (_LAST, _LAST + _FULL_NAME)),
        strict=False,
        loose=True,
        org="",
    ),
    Negative(
        "workflow, includeSessionId missing",
        _changed(WORKFLOW, ("        <includeSessionId>false</includeSessionId>\n", "")),
        strict=False,
        loose=True,
        org="Required field is missing: includeSessionId (13:24)",
    ),
    Negative(
        "workflow, rules before messages",
        _changed(WORKFLOW, (_MESSAGES, ""), (_RULES, _RULES + _MESSAGES)),
        strict=False,
        loose=True,
        org="",
    ),
    Negative(
        "workflow, fields with another element between them",
        _changed(
            WORKFLOW,
            ("        <fields>Id</fields>\n", ""),
            ("        <name>Contact Changed<", "        <fields>Id</fields>\n        <name>Contact Changed<"),
        ),
        strict=False,
        loose=True,
        org="Element fields is duplicated at this location in type WorkflowOutboundMessage (10:17)",
    ),
    Negative(
        "workflow, useDeadLetterQueue missing: it is optional",
        _changed(WORKFLOW, (_LAST, "")),
        strict=True,
        loose=True,
        org="",
    ),
    Negative(
        "flow, unknown action type",
        _changed(FLOW, (">outboundMessage<", ">sendMessage<")),
        strict=False,
        loose=False,
        org="'sendMessage' is not a valid value for the enum 'InvocableActionType' (9:45)",
    ),
    Negative(
        "flow, unknown record trigger",
        _changed(FLOW, ("CreateAndUpdate", "CreateOrUpdate")),
        strict=False,
        loose=False,
        org="'CreateOrUpdate' is not a valid value for the enum 'RecordTriggerType' (32:62)",
    ),
    Negative(
        "flow, unknown element",
        _changed(FLOW, ("filterFormula>", "entryFormula>")),
        strict=False,
        loose=False,
        org=f"Element {_NS}entryFormula invalid at this location in type FlowStart (30:23)",
    ),
    Negative(
        "flow, wrong order",
        _changed(
            FLOW,
            ("    <status>Active</status>\n", ""),
            ("    <apiVersion>", "    <status>Active</status>\n    <apiVersion>"),
        ),
        strict=False,
        loose=True,
        org="",
    ),
    Negative(
        "object, unknown field type",
        _changed(OBJECT, ("LongTextArea", "LongText")),
        strict=False,
        loose=False,
        org="'LongText' is not a valid value for the enum 'FieldType' (7:30)",
    ),
    Negative(
        "object, length is text",
        _changed(OBJECT, ("32768", "long")),
        strict=False,
        loose=False,
        org="'long' is not a valid value for the type xsd:int (6:30)",
    ),
    Negative(
        "object, wrong order in a field",
        _changed(
            OBJECT,
            ("        <type>LongTextArea</type>\n", ""),
            ("        <label>", "        <type>LongTextArea</type>\n        <label>"),
        ),
        strict=False,
        loose=True,
        org="",
    ),
    Negative(
        "object, label twice",
        _changed(OBJECT, ("        <length>", "        <label>Feedback</label>\n        <length>")),
        strict=False,
        loose=True,
        org="Element label is duplicated at this location in type CustomField (6:16)",
    ),
    Negative(
        "permission set, unknown element",
        _changed(PERMISSION_SET, ("userPermissions>", "userPermission>")),
        strict=False,
        loose=False,
        org=f"Element {_NS}userPermission invalid at this location in type PermissionSet (9:21)",
    ),
    Negative(
        "permission set, wrong order",
        _changed(
            PERMISSION_SET,
            ("    <label>Appcues Integration</label>\n", ""),
            ("    <fieldPermissions>", "    <label>Appcues Integration</label>\n    <fieldPermissions>"),
        ),
        strict=False,
        loose=True,
        org="",
    ),
    Negative(
        "static resource, unknown cache control",
        _changed(RESOURCE, ("Private", "Secret")),
        strict=False,
        loose=False,
        org="'Secret' is not a valid value for the enum 'StaticResourceCacheControl' (3:40)",
    ),
]
