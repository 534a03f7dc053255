"""A valid package: deployed, retrieved, and deployed again."""

from __future__ import annotations

from sfcode.local.metadata.deploy.checks import flow
from sfcode.metadata.package import read


def test_everything_is_created_once_and_then_unchanged(org, kit) -> None:
    """The first deploy creates all components; the second one changes nothing and creates no version of the flow."""
    first = org.deploy(kit.good())
    assert first.status == "Succeeded", first.failures
    assert {
        (success["componentType"], success["fullName"], success["created"], success["changed"])
        for success in first.successes
    } == {
        ("", "package.xml", "false", "false"),
        ("CustomField", "Activity.Source_Id__c", "true", "true"),
        ("CustomField", "Contact.External_Id__c", "true", "true"),
        ("CustomField", "Contact.Score__c", "true", "true"),
        ("Flow", "To_Relay", "true", "true"),
        ("PermissionSet", "Integration", "true", "true"),
        ("StaticResource", "State", "true", "true"),
        ("WorkflowOutboundMessage", "Contact.To_Relay", "true", "true"),
    }
    assert first.of("Contact.To_Relay")["fileName"] == "workflows/Contact.workflow"
    assert (first.report["numberComponentsTotal"], first.report["numberComponentErrors"]) == ("7", "0")
    before = org.snapshot()
    second = org.deploy(kit.good())
    assert second.status == "Succeeded"
    assert {success["changed"] for success in second.successes} == {"false"}
    assert org.snapshot() == before


def test_retrieved_files_can_be_deployed_unchanged(org, kit) -> None:
    """A retrieve adds defaults; deploying the result changes nothing."""
    org.deploy(kit.good())
    before = org.snapshot()
    retrieved_files = org.retrieve(
        {
            "CustomField": ["Contact.External_Id__c", "Activity.Source_Id__c"],
            "Flow": ["To_Relay"],
            "PermissionSet": ["Integration"],
            "StaticResource": ["*"],
            "WorkflowOutboundMessage": ["Contact.To_Relay"],
        }
    )
    assert retrieved_files["messages"] == []
    assert set(retrieved_files["files"]) == {
        "unpackaged/package.xml",
        "unpackaged/flows/To_Relay.flow",
        "unpackaged/objects/Activity.object",
        "unpackaged/objects/Contact.object",
        "unpackaged/permissionsets/Integration.permissionset",
        "unpackaged/staticresources/State.resource",
        "unpackaged/staticresources/State.resource-meta.xml",
        "unpackaged/workflows/Contact.workflow",
    }
    bodies = {str(component.address): component.body for component in read(retrieved_files["files"])}
    assert "CustomField:Contact.Score__c" not in bodies
    field = bodies["CustomField:Contact.External_Id__c"]
    assert (field["externalId"], field["required"], field["unique"]) == (False, False, False)
    assert "formulaTreatBlanksAs" not in field
    flow = bodies["Flow:To_Relay"]
    assert flow["environments"] == ["Default"]
    assert set(flow["processMetadataValues"]) == {"BuilderType", "CanvasMode", "OriginBuilderType"}
    assert flow["actionCalls"]["Send"]["nameSegment"] == "Contact.To_Relay"
    assert bodies["WorkflowOutboundMessage:Contact.To_Relay"]["useDeadLetterQueue"] is False
    assert bodies["PermissionSet:Integration"]["hasActivationRequired"] is False
    second_result = org.deploy(retrieved_files["files"])
    assert second_result.status == "Succeeded", second_result.failures
    assert {success["changed"] for success in second_result.successes} == {"false"}
    assert org.snapshot() == before


def test_retrieved_containers_and_profiles_can_be_deployed_again(org, kit) -> None:
    """A complete object, workflow and profile are retrieved in a form whose deployment changes nothing."""
    org.deploy(kit.good())
    before = org.snapshot()
    members = {
        "CustomObject": ["Contact", "Activity"],
        "Workflow": ["*"],
        "Profile": ["Admin"],
        "FlowDefinition": ["*"],
    }
    retrieved_files = org.retrieve(members)
    assert retrieved_files["messages"] == []
    assert b"External_Id__c" in retrieved_files["files"]["unpackaged/objects/Contact.object"]
    second_result = org.deploy(retrieved_files["files"])
    assert second_result.status == "Succeeded", second_result.failures
    assert {success["changed"] for success in second_result.successes} == {"false"}
    assert org.snapshot() == before


def test_containers_merge_by_child(org, kit) -> None:
    """A workflow file with one message replaces this message and does not change the other messages of its object."""
    org.deploy(kit.good())
    files = {
        "package.xml": kit.manifest({"WorkflowOutboundMessage": ["Contact.Other"]}),
        "workflows/Contact.workflow": kit.wrap("Workflow", kit.message("Other", "Id")),
    }
    assert org.deploy(files).status == "Succeeded"
    retrieved_files = org.retrieve({"Workflow": ["Contact"]})
    names = {component.full_name for component in read(retrieved_files["files"])}
    assert names == {"Contact.Other", "Contact.To_Relay"}


def test_a_permission_set_is_replaced_as_a_whole_since_version_40(org, kit) -> None:
    """Omitted rights are revoked; with an older version the file is merged with the existing set."""
    org.deploy(kit.good())

    def deploy(version: str) -> dict[str, object]:
        files = {
            "package.xml": kit.manifest({"PermissionSet": ["Integration"]}, version),
            "permissionsets/Integration.permissionset": kit.permission_set(kit.can("Contact.Email")),
        }
        assert org.deploy(files).status == "Succeeded"
        (component,) = read(org.retrieve({"PermissionSet": ["Integration"]})["files"])
        return dict(component.body)

    older = deploy("39.0")
    assert set(older["fieldPermissions"]) > {"Contact.Email", "Contact.Score__c"}
    assert "objectPermissions" in older
    newer = deploy("62.0")
    assert set(newer["fieldPermissions"]) == {"Contact.Email"}
    assert "objectPermissions" not in newer


def test_a_changed_flow_becomes_a_new_version(org, kit) -> None:
    """Each deploy that changes a flow adds a version, which replaces the running version if it is active."""
    org.deploy(kit.good())
    alone = {"package.xml": kit.manifest({"Flow": ["To_Relay"]})}
    changed = org.deploy(alone | {"flows/To_Relay.flow": kit.flow(label="Renamed")})
    assert (changed.of("To_Relay")["changed"], changed.of("To_Relay")["created"]) == ("true", "false")
    draft = org.deploy(alone | {"flows/To_Relay.flow": kit.flow(label="Draft of it", status="Draft")})
    assert draft.status == "Succeeded"
    rows = org.query(
        "SELECT VersionNumber, Status FROM Flow WHERE Definition.DeveloperName = 'To_Relay' ORDER BY VersionNumber"
    )
    assert [(row["VersionNumber"], row["Status"]) for row in rows] == [(1, "Obsolete"), (2, "Active"), (3, "Draft")]


def test_a_changed_status_alone_creates_no_version(org, kit) -> None:
    """A flow that differs only in its status changes nothing, unless the deploy activates an inactive flow."""
    alone = {"package.xml": kit.manifest({"Flow": ["To_Relay"]})}
    org.deploy(kit.good())
    org.deploy(alone | {"flows/To_Relay.flow": kit.flow()})
    same = org.deploy(alone | {"flows/To_Relay.flow": kit.flow(status="Draft")})
    assert same.of("To_Relay")["changed"] == "false"
    (definition,) = org.query("SELECT Id FROM FlowDefinition")
    org.rest(
        "PATCH",
        f"/services/data/v62.0/tooling/sobjects/FlowDefinition/{definition['Id']}",
        {"Metadata": {"activeVersionNumber": 0}},
    )
    result = org.deploy(alone | {"flows/To_Relay.flow": kit.flow()})
    assert result.of("To_Relay")["changed"] == "true"
    assert [row["Status"] for row in org.query("SELECT Status FROM Flow ORDER BY VersionNumber")] == [
        "Obsolete",
        "Active",
    ]


def test_unmodeled_types_are_retrieved_unchanged(org, kit) -> None:
    """An Apex class and a component of several files are stored and compared byte for byte."""
    files = {
        "package.xml": kit.manifest({"ApexClass": ["Greeter"], "LightningComponentBundle": ["hello"]}),
        "classes/Greeter.cls": "public class Greeter {\n}\n",
        "classes/Greeter.cls-meta.xml": kit.wrap("ApexClass", "<apiVersion>62.0</apiVersion>"),
        "lwc/hello/hello.js": "export default 1;",
        "lwc/hello/hello.html": "<template></template>",
    }
    assert org.deploy(files).status == "Succeeded"
    retrieved_files = org.retrieve({"ApexClass": ["*"], "LightningComponentBundle": ["hello"]}, single=True)
    assert {name: data.decode() for name, data in retrieved_files["files"].items() if name != "package.xml"} == {
        name: data for name, data in files.items() if name != "package.xml"
    }
    assert {success["changed"] for success in org.deploy(files).successes} == {"false"}
    files["classes/Greeter.cls"] = "public class Greeter { }\n"
    assert org.deploy(files).of("Greeter")["changed"] == "true"


def test_a_validation_changes_nothing(org, kit) -> None:
    """With checkOnly, a deploy reports the changes without making them."""
    before = org.snapshot()
    result = org.deploy(kit.good(), checkOnly=True)
    assert (result.status, result.report["checkOnly"]) == ("Succeeded", "true")
    assert result.of("To_Relay")["created"] == "true"
    assert org.snapshot() == before


def test_without_rollback_the_valid_components_are_deployed(org, kit) -> None:
    """With rollbackOnError false, invalid components and their dependents are left out."""
    files = kit.good()
    files["workflows/Contact.workflow"] = kit.wrap("Workflow", kit.message("To_Relay", "Nope__c"))
    result = org.deploy(files, rollbackOnError=False)
    assert result.status == "SucceededPartial"
    assert {message["fullName"] for message in result.failures} == {"Contact.To_Relay", "To_Relay"}
    assert {message["fullName"] for message in result.successes} >= {"Contact.Score__c", "Integration"}
    retrieved_files = org.retrieve({"CustomField": ["Contact.Score__c"], "Flow": ["*"]})
    assert "unpackaged/objects/Contact.object" in retrieved_files["files"]
    assert "unpackaged/flows/To_Relay.flow" not in retrieved_files["files"]


def test_the_root_may_be_any_folder(org, kit) -> None:
    """File names in messages begin with the root folder of the package."""
    files = {f"metadata/{name}": content for name, content in kit.good().items()}
    result = org.deploy(files, singlePackage=False)
    assert result.status == "Succeeded", result.failures
    assert result.of("To_Relay")["fileName"] == "metadata/flows/To_Relay.flow"


def test_a_star_in_package_xml_selects_the_files_of_the_zip(org, kit) -> None:
    """`*` selects every file of a type in the zip."""
    files = {
        "package.xml": kit.manifest({"PermissionSet": ["*"]}),
        "permissionsets/One.permissionset": kit.permission_set(label="One"),
    }
    assert org.deploy(files).of("One")["created"] == "true"


def test_a_large_object_is_deployed_in_seconds(org, kit) -> None:
    """A deploy of 300 fields, half of which are formulas over the others, takes at most a few seconds."""
    fields = [kit.field(f"F{number}__c") for number in range(150)]
    fields += [kit.formula(f"G{number}__c", f"F{number}__c & Email") for number in range(150)]
    names = [f"Contact.{letter}{number}__c" for letter in "FG" for number in range(150)]
    files = {
        "package.xml": kit.manifest({"CustomField": names}),
        "objects/Contact.object": kit.wrap("CustomObject", *fields),
    }
    assert org.deploy(files).status == "Succeeded"


def test_a_flow_has_at_most_fifty_versions(org, kit, monkeypatch) -> None:
    """The fifty-first version is refused until a version is deleted (the test uses a limit of two)."""
    files = [kit.good() | {"flows/To_Relay.flow": kit.flow(label=f"To relay {number}")} for number in range(4)]
    monkeypatch.setattr(flow, "MAX_VERSIONS", 2)
    assert [org.deploy(file).status for file in files[:3]] == ["Succeeded", "Succeeded", "Failed"]
    assert org.deploy(files[2]).problems[0].startswith("Maximum flow versions reached")
    (oldest, _) = org.query("SELECT Id FROM Flow ORDER BY VersionNumber")
    assert org.rest("DELETE", f"/services/data/v62.0/tooling/sobjects/Flow/{oldest['Id']}")[0] == 204
    assert org.deploy(files[2]).status == "Succeeded"


def test_a_star_lists_everything_in_the_files_of_a_type(org, kit) -> None:
    """`*` for Workflow selects the messages and rules in its files, and for CustomObject the fields."""
    files = kit.good() | {
        "package.xml": kit.manifest(
            {kind: ["*"] for kind in ("CustomObject", "Flow", "PermissionSet", "StaticResource", "Workflow")}
        )
    }
    result = org.deploy(files)
    assert result.status == "Succeeded", result.problems
    assert result.of("Contact.To_Relay")["created"] == result.of("Contact.Score__c")["created"] == "true"
