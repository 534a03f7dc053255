"""Packages that an org refuses: message, position, and no change of the org."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

OBJECT, FLOW, SET, WORKFLOW = (
    "objects/Contact.object",
    "flows/New_Flow.flow",
    "permissionsets/New_Set.permissionset",
    "workflows/Contact.workflow",
)


class Case(NamedTuple):
    """An invalid package, and its expected problem: message, file, component, and position if known."""

    files: Callable[[Any], dict[str, str]]
    problem: str
    file: str
    full_name: str
    line: str = ""
    column: str = ""


def field(
    inner: str, *, name: str = "New__c", owner: str = "Contact", label: str | None = None
) -> Callable[[Any], dict[str, str]]:
    def files(kit: Any) -> dict[str, str]:
        return {
            "package.xml": kit.manifest({"CustomField": [f"{owner}.{name}"]}),
            f"objects/{owner}.object": kit.wrap("CustomObject", kit.field(name, inner, label)),
        }

    return files


def formula(text: str, kind: str = "Text") -> Callable[[Any], dict[str, str]]:
    return lambda kit: {
        "package.xml": kit.manifest({"CustomField": ["Contact.New__c"]}),
        OBJECT: kit.wrap("CustomObject", kit.formula("New__c", text, kind)),
    }


def workflow(make: Callable[[Any], str], **members: list[str]) -> Callable[[Any], dict[str, str]]:
    listed = members or {"WorkflowOutboundMessage": ["Contact.New_Message"]}
    return lambda kit: {"package.xml": kit.manifest(listed), WORKFLOW: kit.wrap("Workflow", make(kit))}


def message(*fields: str, **more: str) -> Callable[[Any], dict[str, str]]:
    return workflow(lambda kit: kit.message("New_Message", *(fields or ("Id",)), **more))


def rule(make: Callable[[Any], str]) -> Callable[[Any], dict[str, str]]:
    return workflow(make, WorkflowRule=["Contact.New Rule"])


def flow(**parts: str) -> Callable[[Any], dict[str, str]]:
    return lambda kit: {"package.xml": kit.manifest({"Flow": ["New_Flow"]}), FLOW: kit.flow(**parts)}


def grants(make: Callable[[Any], list[str]], label: str = "New") -> Callable[[Any], dict[str, str]]:
    return lambda kit: {
        "package.xml": kit.manifest({"PermissionSet": ["New_Set"]}),
        SET: kit.permission_set(*make(kit), label=label),
    }


def files(members: dict[str, list[str]], **contents: str) -> Callable[[Any], dict[str, str]]:
    return lambda kit: {"package.xml": kit.manifest(members)} | contents


def parse_error(problem: str) -> str:
    return f"Error parsing file: {problem}"


NS = "{http://soap.sforce.com/2006/04/metadata}"
TEXT = "<length>40</length><type>Text</type>"

PACKAGES = {
    "no package.xml": Case(lambda kit: {"readme.txt": ""}, "No package.xml found", "package.xml", "package.xml"),
    "package.xml of an unknown type": Case(
        files({"Wormhole": ["*"]}),
        "Unknown type name 'Wormhole' specified in package.xml",
        "package.xml",
        "package.xml",
    ),
    "package.xml without a version": Case(
        lambda kit: {"package.xml": kit.manifest({}, version="")},
        "Required field is missing: version",
        "package.xml",
        "package.xml",
    ),
    "package.xml of no version that is a number": Case(
        lambda kit: {"package.xml": kit.manifest({}, version="²")},
        "Invalid version specified:²",
        "package.xml",
        "package.xml",
    ),
    "package.xml of a version that the org has not yet": Case(
        lambda kit: {"package.xml": kit.manifest({}, version="69.0")},
        "Invalid version specified:69.0",
        "package.xml",
        "package.xml",
    ),
    "a right that the package's version does not know": Case(
        grants(
            lambda kit: [
                kit.rights("Contact", "allowRead").replace(
                    "<viewAllRecords>", "<viewAllFields>true</viewAllFields><viewAllRecords>"
                )
            ]
        ),
        "Property 'viewAllFields' not valid in version 62.0",
        SET,
        "New_Set",
    ),
    "an entry formula in a package older than them": Case(
        lambda kit: flow(entry="ISNEW()")(kit) | {"package.xml": kit.manifest({"Flow": ["New_Flow"]}, version="54.0")},
        "Property 'filterFormula' not valid in version 54.0",
        FLOW,
        "New_Flow",
    ),
    "listed but absent": Case(
        files({"WorkflowRule": ["Contact.Ghost"]}),
        "An object 'Contact.Ghost' of type WorkflowRule was named in package.xml, but was not found in zipped directory",
        "package.xml",
        "Contact.Ghost",
    ),
    "present but not listed": Case(
        lambda kit: {"package.xml": kit.manifest({}), SET: kit.permission_set()}, "Not in package.xml", SET, "New_Set"
    ),
    "a field present but not listed": Case(
        lambda kit: {
            "package.xml": kit.manifest({"CustomField": ["Contact.New__c"]}),
            OBJECT: kit.wrap("CustomObject", kit.field("New__c"), kit.field("Other__c")),
        },
        "Not in package.xml",
        OBJECT,
        "Contact.Other__c",
        "4",
        "13",
    ),
    "a file that is nothing": Case(
        lambda kit: {"package.xml": kit.manifest({}), "notes/todo.txt": ""},
        "Not in package.xml",
        "notes/todo.txt",
        "todo.txt",
    ),
    "the same field twice": Case(
        lambda kit: {
            "package.xml": kit.manifest({"CustomField": ["Contact.New__c"]}),
            OBJECT: kit.wrap("CustomObject", kit.field("New__c"), kit.field("New__c")),
        },
        "Field:fullName, value:New__c appears more than once",
        OBJECT,
        "Contact.New__c",
        "4",
        "13",
    ),
    "a resource without its description": Case(
        files({"StaticResource": ["Lost"]}, **{"staticresources/Lost.resource": "x"}),
        "The file staticresources/Lost.resource-meta.xml is missing: a StaticResource is made of its content and its -meta.xml",
        "staticresources/Lost.resource",
        "Lost",
    ),
}

PARSING = {
    "unknown element": Case(
        workflow(lambda kit: "<widgets>1</widgets>"),
        parse_error(f"Element {NS}widgets invalid at this location in type Workflow"),
        WORKFLOW,
        "Contact",
        "3",
        "14",
    ),
    "elements of one kind apart": Case(
        lambda kit: {
            "package.xml": kit.manifest({"PermissionSet": ["New_Set"]}),
            SET: kit.wrap("PermissionSet", kit.can("Contact.Title"), "<label>New</label>", kit.can("Contact.Email")),
        },
        parse_error("Element fieldPermissions is duplicated at this location in type PermissionSet"),
        SET,
        "New_Set",
        "5",
        "23",
    ),
    "bad enumeration": Case(
        rule(lambda kit: kit.rule("New Rule", "<formula>TRUE</formula>", when="sometimes")),
        parse_error("'sometimes' is not a valid value for the enum 'WorkflowTriggerTypes'"),
        WORKFLOW,
        "Contact",
        "3",
        "121",
    ),
    "bad boolean": Case(
        rule(lambda kit: kit.rule("New Rule", "<formula>TRUE</formula>", active="maybe")),
        parse_error("'maybe' is not a valid value for the type xsd:boolean"),
        WORKFLOW,
        "Contact",
        "3",
        "86",
    ),
    "bad number": Case(
        field("<length>forty</length><type>Text</type>"),
        parse_error("'forty' is not a valid value for the type xsd:int"),
        OBJECT,
        "Contact",
        "3",
        "80",
    ),
    "unknown field type": Case(
        field("<type>Formula</type>"),
        parse_error("'Formula' is not a valid value for the enum 'FieldType'"),
        OBJECT,
        "Contact",
        "3",
        "78",
    ),
    "another root": Case(
        lambda kit: {"package.xml": kit.manifest({"Flow": ["New_Flow"]}), FLOW: kit.permission_set()},
        parse_error(f"Element {NS}PermissionSet invalid at this location in type Flow"),
        FLOW,
        "New_Flow",
        "1",
        "1",
    ),
    "required child missing": Case(
        lambda kit: {
            "package.xml": kit.manifest({"WorkflowOutboundMessage": ["Contact.New_Message"]}),
            WORKFLOW: kit.wrap(
                "Workflow",
                kit.message("New_Message", "Id").replace("<includeSessionId>false</includeSessionId>", ""),
            ),
        },
        "Required field is missing: includeSessionId",
        WORKFLOW,
        "Contact.New_Message",
        "3",
        "23",
    ),
    "a child without a name": Case(
        lambda kit: {
            "package.xml": kit.manifest({"CustomField": ["Contact.New__c"]}),
            OBJECT: kit.wrap("CustomObject", f"<fields><label>New</label>{TEXT}</fields>"),
        },
        parse_error("Required field is missing: fullName"),
        OBJECT,
        "Contact",
        "3",
        "76",
    ),
}

FIELDS = {
    "name without __c": Case(
        field(TEXT, name="Wizardry"), "Could not resolve standard field's name.", OBJECT, "Contact.Wizardry", "3", "13"
    ),
    "on Event": Case(
        field(TEXT, owner="Event"),
        "Entity Enumeration Or ID: bad value for restricted picklist field: Event",
        "objects/Event.object",
        "Event.New__c",
        "3",
        "13",
    ),
    "on a custom object that is not there": Case(
        field(TEXT, owner="Ghost__c"),
        "Must specify a non-empty label for the CustomObject",
        "objects/Ghost__c.object",
        "Ghost__c.New__c",
        "3",
        "13",
    ),
    "no label": Case(
        field(TEXT, label=""), "Must specify a non-empty label for the CustomField", OBJECT, "Contact.New__c", "3", "13"
    ),
    "long label": Case(
        field(TEXT, label="L" * 41),
        "Value too long for field: MasterLabel maximum length is:40",
        OBJECT,
        "Contact.New__c",
    ),
    "long name": Case(
        field(TEXT, name="N" * 41 + "__c"),
        "Value too long for field: fullName maximum length is:40",
        OBJECT,
        f"Contact.{'N' * 41}__c",
    ),
    "name of strange signs": Case(
        field(TEXT, name="Ne-w__c"),
        "Field Name: The Custom Field Name can only contain underscores and alphanumeric characters. It must be unique, "
        "begin with a letter, not include spaces, not end with an underscore, and not contain two consecutive underscores.",
        OBJECT,
        "Contact.Ne-w__c",
    ),
    "no type": Case(field("<length>5</length>"), "Required field is missing: type", OBJECT, "Contact.New__c"),
    "text without length": Case(
        field("<type>Text</type>"), "Must specify 'length' for a CustomField of type Text", OBJECT, "Contact.New__c"
    ),
    "number without scale": Case(
        field("<precision>3</precision><type>Number</type>"),
        "Must specify 'scale' for a CustomField of type Number",
        OBJECT,
        "Contact.New__c",
    ),
    "length of a text area": Case(
        field("<length>255</length><type>TextArea</type>"),
        "Can not specify 'length' for a CustomField of type TextArea",
        OBJECT,
        "Contact.New__c",
    ),
    "precision too large": Case(
        field("<precision>19</precision><scale>0</scale><type>Number</type>"),
        "Invalid precision 19 for a CustomField of type Number: it must be between 1 and 18",
        OBJECT,
        "Contact.New__c",
    ),
    "external ID on a checkbox": Case(
        field("<defaultValue>false</defaultValue><externalId>true</externalId><type>Checkbox</type>"),
        "Can not specify 'externalId' for a CustomField of type Checkbox",
        OBJECT,
        "Contact.New__c",
    ),
    "external ID on a formula": Case(
        field("<externalId>true</externalId><formula>Email</formula><type>Text</type>"),
        "Can not specify 'externalId' for a CustomField of type Formula",
        OBJECT,
        "Contact.New__c",
    ),
    "lookup to nothing": Case(
        field("<referenceTo>Ghost__c</referenceTo><relationshipName>Ghosts</relationshipName><type>Lookup</type>"),
        "referenceTo value of 'Ghost__c' does not resolve to a valid sObject type",
        OBJECT,
        "Contact.New__c",
    ),
    "formula becomes a text": Case(
        field(TEXT, name="External_Id__c"),
        "Cannot update a field from a Formula to something else",
        OBJECT,
        "Contact.External_Id__c",
    ),
    "text becomes a formula": Case(
        lambda kit: {
            "package.xml": kit.manifest({"CustomField": ["Contact.Plan__c"]}),
            OBJECT: kit.wrap("CustomObject", kit.formula("Plan__c", "Email")),
        },
        "Cannot update a field to a Formula from something else",
        OBJECT,
        "Contact.Plan__c",
    ),
    "type change over data": Case(
        field("<precision>18</precision><scale>0</scale><type>Number</type>", name="Plan__c"),
        "Cannot change type due to existing data",
        OBJECT,
        "Contact.Plan__c",
    ),
    "formula over an unknown field": Case(
        formula("TEXT(Ghost__c)"), "Field Ghost__c does not exist. Check spelling.", OBJECT, "Contact.New__c", "3", "13"
    ),
    "formula over a relationship's unknown field": Case(
        formula("Account.Ghost__c"), "Field Account.Ghost__c does not exist. Check spelling.", OBJECT, "Contact.New__c"
    ),
    "formula with an unknown function": Case(
        formula("FROBNICATE(Email)"), "Unknown function FROBNICATE. Check spelling.", OBJECT, "Contact.New__c"
    ),
    "formula that watches changes": Case(
        formula("ISCHANGED(Email)", "Checkbox"),
        "Function ISCHANGED may not be used in this type of formula",
        OBJECT,
        "Contact.New__c",
    ),
    "formula of another type": Case(
        formula("Product_User_Id__c"),
        "Formula result is data type (Number), incompatible with expected data type (Text).",
        OBJECT,
        "Contact.New__c",
    ),
    "formula that is not closed": Case(
        formula('IF(ISBLANK(Email), "", Email'), "Syntax error. Missing ')'", OBJECT, "Contact.New__c"
    ),
    "formula over a long text": Case(
        formula("Description"),
        'You referenced an unsupported field type called "Long Text Area" using the following field: Description',
        OBJECT,
        "Contact.New__c",
    ),
    "formulas that need each other": Case(
        lambda kit: {
            "package.xml": kit.manifest({"CustomField": ["Contact.One__c", "Contact.Two__c"]}),
            OBJECT: kit.wrap("CustomObject", kit.formula("One__c", "Two__c"), kit.formula("Two__c", "One__c")),
        },
        "Field One__c has a circular reference: its formula leads back to itself.",
        OBJECT,
        "Contact.One__c",
    ),
    "object of no known kind": Case(
        lambda kit: {
            "package.xml": kit.manifest({"CustomObject": ["Ghost"]}),
            "objects/Ghost.object": kit.wrap("CustomObject", "<label>Ghost</label>"),
        },
        "fullName must end with: __c or __kav or __x or __b or __e or __p or __mdt or __dll or __dlm",
        "objects/Ghost.object",
        "Ghost",
    ),
}

MESSAGES = {
    "unknown field": Case(
        message("Id", "Ghost__c"),
        "In field: fields - no CustomField named Contact.Ghost__c found",
        WORKFLOW,
        "Contact.New_Message",
        "3",
        "23",
    ),
    "unknown user": Case(
        message(user="nobody@example.com"),
        "In field: integrationUser - no User named nobody@example.com found",
        WORKFLOW,
        "Contact.New_Message",
    ),
    "endpoint of another kind": Case(
        message(url="ftp://relay.example.com/x"),
        "Invalid endpoint URL: ftp... is not an http or https address",
        WORKFLOW,
        "Contact.New_Message",
    ),
    "endpoint port": Case(
        message(url="https://relay.example.com:25/x"),
        "Invalid endpoint URL: port 25 is not allowed, use 80 (http), 443 (https) or 1024 to 65535",
        WORKFLOW,
        "Contact.New_Message",
    ),
    "version of long ago": Case(
        workflow(lambda kit: kit.message("New_Message", "Id").replace(">62.0<", ">9.0<")),
        'The WorkflowOutboundMessage apiVersion can\'t be "9.0"',
        WORKFLOW,
        "Contact.New_Message",
    ),
    "name with two underscores": Case(
        workflow(lambda kit: kit.message("New__Message", "Id"), WorkflowOutboundMessage=["Contact.New__Message"]),
        "The Unique Name can only contain underscores and alphanumeric characters. It must be unique, begin with a letter, "
        "not include spaces, not end with an underscore, and not contain two consecutive underscores.",
        WORKFLOW,
        "Contact.New__Message",
    ),
    "rule without its message": Case(
        rule(lambda kit: kit.rule("New Rule", kit.sends("Ghost"), "<formula>TRUE</formula>")),
        "In field: name - no WorkflowOutboundMessage named Contact.Ghost found",
        WORKFLOW,
        "Contact.New Rule",
        "3",
        "12",
    ),
    "rule without a condition": Case(
        rule(lambda kit: kit.rule("New Rule")),
        "Either criteriaItems or formula must be set",
        WORKFLOW,
        "Contact.New Rule",
    ),
    "rule over an unknown field": Case(
        rule(lambda kit: kit.rule("New Rule", "<formula>ISCHANGED(Ghost__c)</formula>")),
        "Field Ghost__c does not exist. Check spelling.",
        WORKFLOW,
        "Contact.New Rule",
    ),
    "rule with unknown criteria": Case(
        rule(
            lambda kit: kit.rule(
                "New Rule",
                "<criteriaItems><field>Contact.Ghost__c</field><operation>equals</operation></criteriaItems>",
            )
        ),
        "In field: field - no CustomField named Contact.Ghost__c found",
        WORKFLOW,
        "Contact.New Rule",
    ),
    "rule that watches changes at creation": Case(
        rule(lambda kit: kit.rule("New Rule", "<formula>ISCHANGED(Email)</formula>", when="onCreateOnly")),
        "Function ISCHANGED may not be used in this type of formula",
        WORKFLOW,
        "Contact.New Rule",
    ),
    "rule whose formula is a text": Case(
        rule(lambda kit: kit.rule("New Rule", "<formula>Email</formula>")),
        "Formula result is data type (Text), incompatible with expected data type (true or false).",
        WORKFLOW,
        "Contact.New Rule",
    ),
}


def integrity(text: str) -> str:
    return f"field integrity exception: unknown ({text})"


FLOWS = {
    "unknown message": Case(
        flow(message="Contact.Ghost"),
        "Send (Action) - We can't find an action with the name and action type that you specified.",
        FLOW,
        "New_Flow",
    ),
    "too old for messages": Case(
        flow(version="52.0"),
        'Send (Action) - The action type "Outbound Messages" can\'t be used in flows with the process type "Autolaunched Flow".',
        FLOW,
        "New_Flow",
    ),
    "message before the save": Case(
        flow(trigger="RecordBeforeSave"),
        "Send (Action) - You can't use the Outbound Message action type in flows with the RecordBeforeSave trigger type.",
        FLOW,
        "New_Flow",
    ),
    "entry over an unknown field": Case(
        flow(entry="ISCHANGED({!$Record.Ghost__c})"),
        integrity("The formula expression is invalid: Field $Record.Ghost__c does not exist. Check spelling."),
        FLOW,
        "New_Flow",
    ),
    "entry without $Record": Case(
        flow(entry="ISCHANGED(Email)"),
        integrity("The formula expression is invalid: Field Email does not exist. Check spelling."),
        FLOW,
        "New_Flow",
    ),
    "change watched at creation": Case(
        flow(entry="ISCHANGED({!$Record.Email})", when="Create"),
        integrity("The formula expression is invalid: Function ISCHANGED may not be used in this type of formula"),
        FLOW,
        "New_Flow",
    ),
    "entry that is not closed": Case(
        flow(entry="OR(ISNEW(), ISCHANGED({!$Record.Email})"),
        integrity("The formula expression is invalid: Syntax error. Missing ')'"),
        FLOW,
        "New_Flow",
    ),
    "filter on an unknown field": Case(
        flow(
            entry="",
            start="<filters><field>Ghost__c</field><operator>IsNull</operator><value><booleanValue>false</booleanValue></value></filters>",
        ),
        integrity('The field "Ghost__c" for the object "Contact" doesn\'t exist.'),
        FLOW,
        "New_Flow",
    ),
    "connector to nothing": Case(
        flow(target="Ghost"),
        'The connector of "Start" leads to the element "Ghost", which doesn\'t exist',
        FLOW,
        "New_Flow",
    ),
    "no label": Case(
        lambda kit: {
            "package.xml": kit.manifest({"Flow": ["New_Flow"]}),
            FLOW: kit.flow().replace("<label>To relay</label>", ""),
        },
        "Required field is missing: label",
        FLOW,
        "New_Flow",
    ),
    "unknown object": Case(
        lambda kit: {
            "package.xml": kit.manifest({"Flow": ["New_Flow"]}),
            FLOW: kit.flow().replace("<object>Contact</object>", "<object>Ghost</object>"),
        },
        integrity('The object "Ghost" doesn\'t exist.'),
        FLOW,
        "New_Flow",
    ),
}

RIGHTS = {
    "unknown field": Case(
        grants(lambda kit: [kit.can("Contact.Ghost__c")]),
        "In field: field - no CustomField named Contact.Ghost__c found",
        SET,
        "New_Set",
    ),
    "unknown object of a field": Case(
        grants(lambda kit: [kit.can("Ghost__c.Name")]),
        "In field: field - no CustomObject named Ghost__c found",
        SET,
        "New_Set",
    ),
    "unknown object": Case(
        grants(lambda kit: [kit.rights("Ghost__c", "allowRead")]),
        "In field: object - no CustomObject named Ghost__c found",
        SET,
        "New_Set",
    ),
    "field under the name of Activity": Case(
        grants(lambda kit: [kit.can("Activity.Source_Id__c")]),
        "In field: field - no CustomField named Activity.Source_Id__c found",
        SET,
        "New_Set",
    ),
    "required field": Case(
        grants(lambda kit: [kit.can("Contact.LastName")]),
        "You cannot deploy to a required field: Contact.LastName",
        SET,
        "New_Set",
    ),
    "field without permissions": Case(
        grants(lambda kit: [kit.can("Event.Subject")]),
        "You cannot deploy to a required field: Event.Subject",
        SET,
        "New_Set",
    ),
    "edit of what only the org writes": Case(
        grants(lambda kit: [kit.can("Lead.LastTransferDate", edit=True)]),
        "Field Lead.LastTransferDate is read-only: it can't be editable in a permission set",
        SET,
        "New_Set",
    ),
    "edit without read": Case(
        grants(lambda kit: [kit.rights("Contact", "allowEdit")]),
        "Permission Edit Contact depends on permission(s): Read Contact",
        SET,
        "New_Set",
    ),
    "all without the rest": Case(
        grants(lambda kit: [kit.rights("Contact", "allowRead", "modifyAllRecords")]),
        "Permission Modify All Contact depends on permission(s): Edit Contact, Delete Contact, View All Contact",
        SET,
        "New_Set",
    ),
    "activities as an object": Case(
        grants(lambda kit: [kit.rights("Event", "allowRead")]),
        "In field: object - no CustomObject named Event found",
        SET,
        "New_Set",
    ),
    "unknown user permission": Case(
        grants(lambda kit: ["<userPermissions><enabled>true</enabled><name>Fly</name></userPermissions>"]),
        "Unknown user permission: Fly",
        SET,
        "New_Set",
    ),
    "long label": Case(
        grants(lambda kit: [], label="L" * 81), "Value too long for field: Label maximum length is:80", SET, "New_Set"
    ),
    "long description": Case(
        grants(lambda kit: [f"<description>{'d' * 256}</description>"]),
        "Value too long for field: Description maximum length is:255",
        SET,
        "New_Set",
    ),
    "unknown license": Case(
        grants(lambda kit: ["<license>Wizards</license>"]),
        "In field: license - no UserLicense named Wizards found",
        SET,
        "New_Set",
    ),
    "a field twice": Case(
        grants(lambda kit: [kit.can("Contact.Title") + kit.can("Contact.Title")]),
        "Field:field, value:Contact.Title appears more than once",
        SET,
        "New_Set",
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in {
        "package": PACKAGES,
        "parsing": PARSING,
        "field": FIELDS,
        "message": MESSAGES,
        "flow": FLOWS,
        "rights": RIGHTS,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_wrong_package_is_refused_and_leaves_no_trace(shared, kit, case: Case) -> None:
    """Each invalid package fails with its problem at its position, and the org is unchanged."""
    before = shared.snapshot()
    result = shared.deploy(case.files(kit))
    assert result.status == "Failed"
    assert shared.snapshot() == before
    assert case.problem in result.problems
    failure_found = next(failure for failure in result.failures if failure["problem"] == case.problem)
    assert (failure_found["fileName"], failure_found["fullName"]) == (case.file, case.full_name)
    assert (failure_found["problemType"], failure_found["success"]) == ("Error", "false")
    if case.line:
        assert (failure_found["lineNumber"], failure_found["columnNumber"]) == (case.line, case.column)


def test_one_invalid_component_prevents_the_deployment_of_all_others(shared, kit) -> None:
    """One invalid component prevents the deployment of all other components of the package."""
    before = shared.snapshot()
    files = {
        "package.xml": kit.manifest(
            {"CustomField": ["Contact.Fine__c", "Contact.Wrong__c"], "PermissionSet": ["New_Set"]}
        ),
        OBJECT: kit.wrap("CustomObject", kit.field("Fine__c"), kit.formula("Wrong__c", "Ghost__c")),
        SET: kit.permission_set(kit.can("Contact.Fine__c")),
    }
    result = shared.deploy(files)
    assert result.problems == ["Field Ghost__c does not exist. Check spelling."]
    assert (result.failures[0]["lineNumber"], result.failures[0]["componentType"]) == ("4", "CustomField")
    assert shared.snapshot() == before


def test_all_problems_are_reported_together(shared, kit) -> None:
    """A package with errors in several components reports the first error of each component."""
    files = {
        "package.xml": kit.manifest(
            {"CustomField": ["Contact.New__c"], "Flow": ["New_Flow"], "PermissionSet": ["New_Set"]}
        ),
        OBJECT: kit.wrap("CustomObject", kit.formula("New__c", "Ghost__c")),
        FLOW: kit.flow(message="Contact.Ghost"),
        SET: kit.permission_set(kit.can("Contact.LastName"), kit.can("Contact.Nope__c")),
    }
    assert sorted(shared.deploy(files).problems) == [
        "Field Ghost__c does not exist. Check spelling.",
        "Send (Action) - We can't find an action with the name and action type that you specified.",
        "You cannot deploy to a required field: Contact.LastName",
    ]


def test_an_archive_that_unpacks_to_too_much_is_not_opened(shared, kit) -> None:
    """More than ten thousand files end the deploy before any file is read."""
    before = shared.snapshot()
    result = shared.deploy(
        {"package.xml": kit.manifest({})} | {f"classes/C{number}.cls": "" for number in range(10_001)}
    )
    assert (result.status, result.report["errorStatusCode"]) == ("Failed", "INVALID_OPERATION")
    assert result.report["errorMessage"] == "INVALID_OPERATION: Too many files in zip"
    assert shared.snapshot() == before
