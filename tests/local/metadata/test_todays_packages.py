"""Packages of current tools and real projects: new and old API versions, child types, and encoded names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from sfcode.errors import SfcodeError
from sfcode.local.metadata.deploy.engine import deploy
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.deploy.package import open_package
from sfcode.local.metadata.deploy.store import Author
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.metadata.conftest import NS

LABELS = "labels/CustomLabels.labels"


def label(name: str) -> str:
    return (
        f"<labels><fullName>{name}</fullName><language>en_US</language><protected>false</protected>"
        f"<shortDescription>{name}</shortDescription><value>{name}</value></labels>"
    )


def labels(kit: Any, members: Mapping[str, list[str]], *names: str) -> dict[str, str]:
    return {"package.xml": kit.manifest(members), LABELS: kit.wrap("CustomLabels", *map(label, names))}


@pytest.mark.parametrize("version", ["64.0", "68.0"])
def test_elements_of_a_newer_api_version_are_accepted_and_retrieved(org: Any, kit: Any, version: str) -> None:
    """
    API versions 41.0 to 68.0 are supported in November 2026; the WSDL with which files are checked is older.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/api_rest_eol.htm
    """
    later = "<laterElement><inner>1</inner></laterElement>"
    files = {
        "package.xml": kit.manifest({"CustomField": ["Contact.Late__c"], "PermissionSet": ["Late"]}, version),
        "objects/Contact.object": kit.wrap(
            "CustomObject", kit.field("Late__c", f"{later}<length>9</length><type>Text</type>")
        ),
        "permissionsets/Late.permissionset": kit.permission_set(kit.can("Contact.Late__c"), later, label="Late"),
    }
    assert org.deploy(files).status == "Succeeded"
    back = org.retrieve({"CustomField": ["Contact.Late__c"], "PermissionSet": ["Late"]}, version=version)["files"]
    for path in ("objects/Contact.object", "permissionsets/Late.permissionset"):
        assert b"<inner>1</inner>" in back[f"unpackaged/{path}"]
    second_result = org.deploy(files)
    assert [success["fullName"] for success in second_result.successes if success["changed"] == "true"] in (
        [],
        ["package.xml"],
    )


def test_an_unknown_element_of_the_schemas_own_version_is_refused(org: Any, kit: Any) -> None:
    files = {
        "package.xml": kit.manifest({"PermissionSet": ["Late"]}, "63.0"),
        "permissionsets/Late.permissionset": kit.permission_set("<laterElement>1</laterElement>"),
    }
    assert "laterElement invalid at this location" in org.deploy(files).failures[0]["problem"]


def test_a_package_of_an_old_version_has_its_elements_and_numbered_flows(org: Any, kit: Any) -> None:
    """
    Up to API version 43, names of flows ended in the number of the version, in file names and in package.xml.

    https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_visual_workflow.htm
    """
    files = {
        "package.xml": kit.manifest({"CustomField": ["Contact.Old__c"], "Flow": ["Old_Flow-1"]}, "41.0"),
        "objects/Contact.object": kit.wrap(
            "CustomObject",
            kit.field("Old__c", "<picklist><sorted>false</sorted></picklist><type>Picklist</type>"),
        ),
        "flows/Old_Flow-1.flow": kit.wrap(
            "Flow",
            "<interviewLabel>Old</interviewLabel>",
            "<label>Old</label>",
            "<processType>AutoLaunchedFlow</processType>",
        ),
    }
    assert org.deploy(files).status == "Succeeded"
    assert org.query("SELECT DeveloperName FROM FlowDefinition WHERE DeveloperName = 'Old_Flow'")


def test_labels_are_separate_components_and_deploys_add_to_them(org: Any, kit: Any) -> None:
    """
    A container's file is added to what the org has: children that the file does not contain are kept.

    https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_customlabels.htm
    """
    assert org.deploy(labels(kit, {"CustomLabel": ["One"]}, "One")).status == "Succeeded"
    second = org.deploy(labels(kit, {"CustomLabels": ["CustomLabels"]}, "Two"))
    assert second.status == "Succeeded"
    assert {"One", "Two"} <= set(names_of(org, {"CustomLabels": ["*"]}))
    assert names_of(org, {"CustomLabel": ["Two"]}) == ["Two"]
    deletion = {"package.xml": kit.manifest({}), "destructiveChanges.xml": kit.manifest({"CustomLabel": ["One"]}, "")}
    assert org.deploy(deletion).status == "Succeeded"
    assert "One" not in names_of(org, {"CustomLabels": ["CustomLabels"]})


def test_a_label_that_the_manifest_does_not_name_is_refused(org: Any, kit: Any) -> None:
    failed = org.deploy(labels(kit, {"CustomLabel": ["One"]}, "One", "Other"))
    assert [(failure["fullName"], failure["problem"]) for failure in failed.failures] == [
        ("Other", "Not in package.xml")
    ]


@pytest.mark.parametrize(
    ("container", "element", "child"),
    [
        ("AssignmentRules", "assignmentRule", "AssignmentRule"),
        ("SharingRules", "sharingCriteriaRules", "SharingCriteriaRule"),
        ("EscalationRules", "escalationRule", "EscalationRule"),
    ],
)
def test_package_xml_names_the_children_of_every_container(
    org: Any, kit: Any, container: str, element: str, child: str
) -> None:
    """
    The child types are those of describeMetadata.

    https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_describe.htm
    """
    folder = container[0].lower() + container[1:]
    files = {
        "package.xml": kit.manifest({child: ["Lead.Mine"]}),
        f"{folder}/Lead.{folder}": kit.wrap(container, f"<{element}><fullName>Mine</fullName></{element}>"),
    }
    assert org.deploy(files).status == "Succeeded"
    root = org.soap(f"<listMetadata><queries><type>{child}</type></queries></listMetadata>")
    assert [full_name.text for full_name in root.iter("{*}fullName")] == ["Lead.Mine"]


def test_names_may_be_encoded_in_package_xml_as_in_file_names(org: Any, kit: Any) -> None:
    """A retrieve from a real org writes percent-encoded names both to package.xml and to file names."""
    name = "Contact-A %26 B Layout"
    files = {
        "package.xml": kit.manifest({"Layout": [name]}),
        f"layouts/{name}.layout": kit.wrap("Layout", "<showEmailCheckbox>false</showEmailCheckbox>"),
    }
    assert org.deploy(files).status == "Succeeded"
    assert f"unpackaged/layouts/{name}.layout" in org.retrieve({"Layout": [name]})["files"]


def test_no_component_of_a_package_is_searched_by_comparing_bodies(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for a package is proportional to its size, not to the square of its size."""
    members = {"Group": [f"G{n}" for n in range(50)], "PermissionSet": [f"S{n}" for n in range(5)]}
    too_new = kit.rights("Contact").replace("<viewAllRecords>", "<viewAllFields>false</viewAllFields><viewAllRecords>")
    files = {f"groups/{name}.group": kit.wrap("Group", f"<name>{name}</name>") for name in members["Group"]}
    files |= {f"permissionsets/{name}.permissionset": kit.permission_set(too_new) for name in members["PermissionSet"]}
    monkeypatch.setattr(Component, "__eq__", lambda *_: pytest.fail("bodies are compared"))
    package = open_package(kit.zipped(files | {"package.xml": kit.manifest(members)}), DeployRequestOptions())
    assert {problem.full_name for problem in package.problems} == set(members["PermissionSet"])


def rule(formula: str) -> str:
    return (
        f"<validationRules><fullName>Check</fullName><active>true</active><errorConditionFormula>{escape(formula)}"
        "</errorConditionFormula><errorMessage>no</errorMessage></validationRules>"
    )


@pytest.mark.parametrize(
    ("owner", "part"),
    [
        # Functions and globals of validation rules only: platform.customize_functions_vlookup in the help.
        (
            "Contact",
            rule("LastName = VLOOKUP($ObjectType.Contact.Fields.Name, $ObjectType.Contact.Fields.Name, LastName)"),
        ),
        # Validation rules and formula fields of real orgs.
        ("Contact", rule('AND(NOT(ISNEW()), PRIORVALUE(LeadSource) = "Web")')),
        (
            "CampaignMember",
            (
                "<fields><fullName>Day__c</fullName><formula>IF(NOT(ISBLANK(Lead.Id)), CreatedDate, NULL)</formula>"
                "<label>Day</label><type>Date</type></fields>"
            ),
        ),
        (
            "Activity",
            (
                "<fields><fullName>Age__c</fullName><formula>IF(ISBLANK(CompletedDateTime), 0, CompletedDateTime - CreatedDate)"
                "</formula><label>Age</label><precision>18</precision><scale>0</scale><type>Number</type></fields>"
            ),
        ),
    ],
)
def test_formulas_that_real_orgs_have(org: Any, kit: Any, owner: str, part: str) -> None:
    type_, name = (
        ("ValidationRule", "Check")
        if "<validationRules>" in part
        else ("CustomField", part[18:].split("<", maxsplit=1)[0])
    )
    files = {
        "package.xml": kit.manifest({type_: [f"{owner}.{name}"]}),
        f"objects/{owner}.object": kit.wrap("CustomObject", part),
    }
    assert org.deploy(files).failures == []


@pytest.mark.parametrize(
    "field",
    ["Task.ActivityDate", "Task.IsVisibleInSelfService", "Lead.LastTransferDate", "Campaign.HierarchyActualCost"],
)
def test_field_permissions_that_profiles_of_real_orgs_hold(org: Any, kit: Any, field: str) -> None:
    """801 profiles and permission sets of nine public repositories name Task.ActivityDate."""
    files = {
        "package.xml": kit.manifest({"PermissionSet": ["Fields"]}),
        "permissionsets/Fields.permissionset": kit.permission_set(kit.can(field)),
    }
    assert org.deploy(files).failures == []


def test_only_the_first_problem_of_a_component_is_reported(org: Any, kit: Any) -> None:
    files = {
        "package.xml": kit.manifest({"PermissionSet": ["Fields"]}),
        "permissionsets/Fields.permissionset": kit.permission_set(kit.can("Contact.A__c"), kit.can("Contact.B__c")),
    }
    assert [failure["problem"] for failure in org.deploy(files).failures] == [
        "In field: field - no CustomField named Contact.A__c found"
    ]


def test_a_hierarchy_setting_belongs_to_an_org_a_profile_or_a_user(org: Any, kit: Any) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_methods_system_custom_settings.htm"""
    files = {
        "package.xml": kit.manifest({"CustomObject": ["Switch__c"]}),
        "objects/Switch__c.object": kit.wrap(
            "CustomObject",
            "<customSettingsType>Hierarchy</customSettingsType>",
            kit.field("On__c", "<defaultValue>false</defaultValue><type>Checkbox</type>"),
            "<label>Switch</label>",
            "<visibility>Public</visibility>",
        ),
    }
    assert org.deploy(files).status == "Succeeded"
    _, description = org.rest("GET", "/services/data/v62.0/sobjects/Switch__c/describe")
    assert description["customSetting"] is True
    owner = next(field for field in description["fields"] if field["name"] == "SetupOwnerId")
    assert owner["referenceTo"] == ["Organization", "Profile", "User"]


def test_a_unique_text_field_is_retrieved_with_its_case_sensitivity(org: Any, kit: Any) -> None:
    """All 640 unique text fields of five public repositories have the element."""
    inner = "<externalId>true</externalId><length>30</length><type>Text</type><unique>true</unique>"
    files = {
        "package.xml": kit.manifest({"CustomField": ["Contact.Key__c"]}),
        "objects/Contact.object": kit.wrap("CustomObject", kit.field("Key__c", inner)),
    }
    assert org.deploy(files).status == "Succeeded"
    back = org.retrieve({"CustomField": ["Contact.Key__c"]})["files"]["unpackaged/objects/Contact.object"]
    assert b"<caseSensitive>false</caseSensitive>" in back


@pytest.mark.parametrize(("port", "refused"), [(1024, False), (8443, False), (65535, False), (80, True), (1023, True)])
def test_ports_of_endpoints(org: Any, kit: Any, port: int, refused: bool) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_setting_up.htm"""
    message = kit.message("Port", "Id", url=f"https://relay.example.com:{port}/m")
    files = {
        "package.xml": kit.manifest({"WorkflowOutboundMessage": ["Contact.Port"]}),
        "workflows/Contact.workflow": kit.wrap("Workflow", message),
    }
    assert bool(org.deploy(files).failures) is refused


def test_a_call_that_saves_all_or_none(org: Any) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_allornoneheader.htm"""
    fields = "".join(
        f'<metadata xsi:type="CustomField"><fullName>Contact.{name}__c</fullName><label>{name}</label>'
        f"<length>{length}</length><type>{type_}</type>{more}</metadata>"
        for name, length, type_, more in (
            ("Bad", 30, "LongTextArea", "<visibleLines>3</visibleLines>"),
            ("Good", 30, "Text", ""),
        )
    )
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    envelope = (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header xmlns="{NS}"><SessionHeader>'
        f'<sessionId>{org.token}</sessionId></SessionHeader>{header}</e:Header><e:Body xmlns="{NS}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><upsertMetadata>{fields}</upsertMetadata></e:Body></e:Envelope>'
    )
    root = org.raw("/services/Soap/m/62.0", envelope.encode())
    assert [element.text for element in root.iter("{*}statusCode")] == [
        "FIELD_INTEGRITY_EXCEPTION",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    read = org.soap("<readMetadata><type>CustomField</type><fullNames>Contact.Good__c</fullNames></readMetadata>")
    assert read.find(".//{*}fullName") is None


@pytest.mark.parametrize(
    ("type_", "name", "file"),
    [
        ("ContentAsset", "Logo", ("contentassets/Logo.asset", "png")),
        ("ExperienceBundle", "Store", ("experiences/Store/views/home.json", "{}")),
        (
            "FeatureParameterInteger",
            "Seats",
            ("featureParameters/Seats.featureParameterInteger", "<FeatureParameterInteger/>"),
        ),
        (
            "FeatureParameterBoolean",
            "Beta",
            ("featureParameters/Beta.featureParameterBoolean", "<FeatureParameterBoolean/>"),
        ),
        ("Document", "Files/Style", ("documents/Files/Style.css", "p {}")),
        ("Dashboard", "Boards/", ("dashboards/Boards-meta.xml", "<DashboardFolder/>")),
    ],
)
def test_types_and_names_of_real_projects(org: Any, kit: Any, type_: str, name: str, file: tuple[str, str]) -> None:
    """The types and names are those that the sf CLI writes for projects of trailheadapps and SalesforceFoundation."""
    files = {"package.xml": kit.manifest({type_: [name]}, "67.0"), file[0]: file[1]}
    if type_ in {"ContentAsset", "Document"}:
        files[f"{file[0]}-meta.xml"] = f"<{type_}/>"
    assert org.deploy(files).failures == []


def test_a_geolocation_is_two_numbers(org: Any, kit: Any) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/compound_fields_geolocation.htm"""
    inner = "<displayLocationInDecimal>true</displayLocationInDecimal><scale>6</scale><type>Location</type>"
    parts = kit.formula("Both__c", "Site__Latitude__s + Site__Longitude__s", "Number").replace(
        "<type>", "<precision>18</precision><scale>2</scale><type>"
    )
    files = {
        "package.xml": kit.manifest({"CustomField": ["Contact.Both__c", "Contact.Site__c"]}),
        "objects/Contact.object": kit.wrap("CustomObject", parts, kit.field("Site__c", inner)),
    }
    assert org.deploy(files).failures == []


def test_the_name_of_a_custom_object_accepts_a_field_permission(org: Any, kit: Any) -> None:
    """A permission set in one of Salesforce's sample applications grants this field permission, and can be deployed."""
    object_text = (
        "<deploymentStatus>Deployed</deploymentStatus><label>Thing</label><nameField><label>Name</label><type>Text</type>"
        "</nameField><pluralLabel>Things</pluralLabel><sharingModel>ReadWrite</sharingModel>"
    )
    files = {
        "package.xml": kit.manifest({"CustomObject": ["Thing__c"], "PermissionSet": ["Things"]}),
        "objects/Thing__c.object": kit.wrap("CustomObject", object_text),
        "permissionsets/Things.permissionset": kit.permission_set(kit.can("Thing__c.Name", edit=True)),
    }
    assert org.deploy(files).failures == []


def names_of(org: Any, members: Mapping[str, list[str]]) -> list[str]:
    """Retrieve components, and return the full names in the file of labels."""
    from lxml import etree

    root = etree.fromstring(org.retrieve(members)["files"][f"unpackaged/{LABELS}"])
    return [element.text for element in root.iter("{*}fullName")]


def test_record_types_in_formulas_rules_and_flows(org: Any, kit: Any) -> None:
    """In public projects, record types are compared by name in every kind of condition."""
    record_type = "<recordTypes><fullName>Buyer</fullName><active>true</active><label>Buyer</label></recordTypes>"
    kind = "<formula>RecordType.DeveloperName</formula><type>Text</type>"
    criteria = "<criteriaItems><field>Contact.RecordTypeId</field><operation>equals</operation><value>Buyer</value></criteriaItems>"
    files = {
        "package.xml": kit.manifest(
            {
                "CustomField": ["Contact.Kind__c"],
                "Flow": ["Typed"],
                "RecordType": ["Contact.Buyer"],
                "ValidationRule": ["Contact.Check"],
                "WorkflowRule": ["Contact.Typed"],
            }
        ),
        "objects/Contact.object": kit.wrap(
            "CustomObject", kit.field("Kind__c", kind), record_type, rule('$RecordType.Name = "Seller"')
        ),
        "workflows/Contact.workflow": kit.wrap("Workflow", kit.rule("Typed", criteria)),
        "flows/Typed.flow": kit.wrap(
            "Flow",
            "<apiVersion>60.0</apiVersion>",
            "<label>Typed</label>",
            "<processType>AutoLaunchedFlow</processType>",
            "<start><locationX>0</locationX><locationY>0</locationY>"
            "<filterFormula>{!$Record.RecordType.DeveloperName} = &quot;Buyer&quot;</filterFormula><object>Contact</object>"
            "<recordTriggerType>Create</recordTriggerType><triggerType>RecordAfterSave</triggerType></start>",
            "<status>Draft</status>",
        ),
    }
    assert org.deploy(files).failures == []
    query = "/services/data/v62.0/query?q=" + quote("SELECT Id, Name FROM RecordType WHERE SobjectType = 'Contact'")
    buyer = org.rest("GET", query)[1]["records"][0]["Id"]
    assert buyer.startswith("012")
    values = {"LastName": "Typed", "RecordTypeId": buyer}
    record_id = org.rest("POST", "/services/data/v62.0/sobjects/Contact", values)[1]["id"]
    row = org.rest("GET", f"/services/data/v62.0/sobjects/Contact/{record_id}?fields=RecordTypeId")[1]
    assert row["RecordTypeId"] == buyer
    infos = org.rest("GET", "/services/data/v62.0/sobjects/Contact/describe")[1]["recordTypeInfos"]
    assert [info["developerName"] for info in infos] == ["Buyer"]


@pytest.mark.parametrize(
    ("owner", "field"),
    [
        ("Opportunity", "Amount"),
        ("Case", "Priority"),
        ("Product2", "ProductCode"),
        ("Asset", "SerialNumber"),
        ("Order", "OrderReferenceNumber"),
        ("Contract", "CustomerSignedDate"),
    ],
)
def test_custom_fields_on_the_standard_objects_of_sales_and_service(org: Any, kit: Any, owner: str, field: str) -> None:
    """Real projects deploy such fields: a field, a formula over a standard field, and permissions on both."""
    formula = (
        f'IF(ISBLANK(TEXT({field})), "", "set")' if field in {"Amount", "Priority", "CustomerSignedDate"} else field
    )
    files = {
        "package.xml": kit.manifest({"CustomField": [f"{owner}.Seen__c"], "PermissionSet": ["Seen"]}),
        f"objects/{owner}.object": kit.wrap("CustomObject", kit.formula("Seen__c", formula)),
        "permissionsets/Seen.permissionset": kit.permission_set(
            kit.can(f"{owner}.{field}", edit=True),
            kit.can(f"{owner}.Seen__c"),
            kit.rights(owner, "allowRead"),
            label="Seen",
        ),
    }
    assert org.deploy(files).failures == []
    described = org.rest("GET", f"/services/data/v62.0/sobjects/{owner}/describe")[1]
    assert field in {field_description["name"] for field_description in described["fields"]}
    assert f"unpackaged/objects/{owner}.object" in org.retrieve({"CustomField": [f"{owner}.Seen__c"]})["files"]


def test_a_deploy_ends_when_the_org_is_stopped(kit: Any, tmp_path: Path) -> None:
    """A server that received SIGTERM stops while it reads or stores the files, and none of them is kept."""
    files = {"groups/All.group": kit.wrap("Group", "<name>All</name>"), "package.xml": kit.manifest({"Group": ["All"]})}
    options, author = DeployRequestOptions(rollbackOnError=True), Author("005", datetime.now(UTC), 62.0)
    with Store(tmp_path / "org.db") as store:
        package = open_package(kit.zipped(files), options, store.check_open)
        store.close()
        with pytest.raises(SfcodeError, match="the org was stopped"):
            open_package(kit.zipped(files), options, store.check_open)
        with pytest.raises(SfcodeError, match="the org was stopped"):
            deploy(store, package, options, author, lambda _tx, _outcome: None)
    with Store(tmp_path / "org.db") as store, store.read() as tx:
        assert tx.components.list_all("Group") == []


def test_an_app_has_one_set_of_policies(org: Any, kit: Any) -> None:
    """A second component under another name is refused with the message that threads about External Client Apps quote."""

    def policies(name: str, *apps: str) -> dict[str, str]:
        types = {"ExternalClientApplication": list(apps), "ExtlClntAppOauthConfigurablePolicies": [name]}
        files = {"package.xml": kit.manifest(types, "63.0")}
        for app in apps:
            parts = ("<distributionState>Local</distributionState>", "<label>App</label>")
            files[f"externalClientApps/{app}.eca"] = kit.wrap("ExternalClientApplication", *parts)
        body = ("<externalClientApplication>Relay</externalClientApplication>", "<label>App</label>")
        files[f"extlClntAppOauthPolicies/{name}.ecaOauthPlcy"] = kit.wrap("ExtlClntAppOauthConfigurablePolicies", *body)
        return files

    assert org.deploy(policies("Relay_oauth_defaultPolicy", "Relay")).failures == []
    listed = org.soap("<listMetadata><queries><type>ExtlClntAppConfigurablePolicies</type></queries></listMetadata>")
    assert [element.text for element in listed.iter("{*}fullName")] == ["Relay_defaultPolicy"], "the org makes its own"
    (failure,) = org.deploy(policies("Relay_plcy")).failures
    assert failure["problem"].startswith("DUPLICATE_VALUE: ExtlClntAppOauthSettingsId duplicates value on record")
    assert org.deploy(policies("Relay_oauth_defaultPolicy")).failures == []
    deletion = {
        "package.xml": kit.manifest({}),
        "destructiveChanges.xml": kit.manifest({"ExternalClientApplication": ["Relay"]}, ""),
    }
    assert org.deploy(deletion).failures == []
    assert (
        list(
            org.soap(
                "<listMetadata><queries><type>ExtlClntAppConfigurablePolicies</type></queries></listMetadata>"
            ).iter("{*}fullName")
        )
        == []
    )


def test_a_flow_in_another_case_is_the_same_flow(org: Any, kit: Any) -> None:
    """Developer names are compared without case, and keep the case with which they were created."""
    assert org.deploy(kit.good()).status == "Succeeded"
    second_package = {
        "package.xml": kit.manifest({"Flow": ["TO_RELAY"]}),
        "flows/TO_RELAY.flow": kit.flow(label="Again"),
    }
    assert org.deploy(second_package).status == "Succeeded"
    assert [row["DeveloperName"] for row in org.query("SELECT DeveloperName FROM FlowDefinition")] == ["To_Relay"]
    assert len(org.query("SELECT Id FROM Flow")) == 2


def test_components_that_public_projects_deploy_are_accepted(org: Any, kit: Any) -> None:
    """A unique field, a field of Data.com, edit access to a formula field, and objects of features are accepted."""
    relationship = (
        "<fields><fullName>Of__c</fullName><label>Of</label><referenceTo>EntityDefinition</referenceTo>"
        "<relationshipName>Of</relationshipName><type>MetadataRelationship</type><unique>true</unique></fields>"
    )
    may = "<userPermissions><enabled>true</enabled><name>OverrideForecasts</name></userPermissions>"
    can = (kit.can("Contact.CleanStatus"), kit.can("Contact.Twice__c", edit=True))
    names = ("<label>Kind</label>", "<pluralLabel>Kinds</pluralLabel>")
    fields = ["Contact.Twice__c", "QuoteLineItem.Kind__c"]
    files = {
        "package.xml": kit.manifest({"CustomObject": ["Kind__mdt"], "CustomField": fields, "PermissionSet": ["Clean"]}),
        "objects/Contact.object": kit.wrap("CustomObject", kit.formula("Twice__c", "LastName & LastName")),
        "objects/Kind__mdt.object": kit.wrap("CustomObject", relationship, *names),
        "objects/QuoteLineItem.object": kit.wrap(
            "CustomObject", kit.field("Kind__c", "<length>9</length><type>Text</type>")
        ),
        "permissionsets/Clean.permissionset": kit.permission_set(kit.rights("Contact"), *can, may, label="Clean"),
    }
    assert org.deploy(files).failures == []
