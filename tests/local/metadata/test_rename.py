"""renameMetadata changes the component and everything that refers to its name."""

from __future__ import annotations

import pytest

NS = "{http://soap.sforce.com/2006/04/metadata}"


def rename(org, type_: str, old: str, new: str) -> tuple[str, str]:
    root = org.soap(
        f"<renameMetadata><type>{type_}</type><oldFullName>{old}</oldFullName>"
        f"<newFullName>{new}</newFullName></renameMetadata>"
    )
    return root.findtext(f".//{NS}success") or "", root.findtext(f".//{NS}message") or ""


def _prepare(org, kit) -> None:
    result = org.deploy(
        {
            "package.xml": kit.manifest({"CustomObject": ["Deal__c"], "PermissionSet": ["Deals"]}),
            "objects/Deal__c.object": kit.wrap(
                "CustomObject",
                "<deploymentStatus>Deployed</deploymentStatus>",
                kit.field("Stage__c"),
                "<label>Deal</label>",
                "<nameField><label>Name</label><type>Text</type></nameField>",
                "<pluralLabel>Deals</pluralLabel>",
                "<sharingModel>ReadWrite</sharingModel>",
            ),
            "permissionsets/Deals.permissionset": kit.permission_set(
                kit.can("Deal__c.Stage__c", edit=True),
                kit.rights("Deal__c", "allowRead", "allowEdit", "allowCreate"),
                label="Deals",
            ),
        }
    )
    assert result.status == "Succeeded", result.problems
    (row,) = org.rest("GET", "/services/data/v62.0/query?q=SELECT+Id+FROM+PermissionSet+WHERE+Name='Deals'")[1][
        "records"
    ]
    user = org.rest("GET", "/services/data/v62.0/query?q=SELECT+Id+FROM+User+WHERE+Username='admin@northwind.example'")
    assigned = {"AssigneeId": user[1]["records"][0]["Id"], "PermissionSetId": row["Id"]}
    status, answer = org.rest("POST", "/services/data/v62.0/sobjects/PermissionSetAssignment", assigned)
    assert status == 201, answer


def test_a_renamed_field_keeps_its_values_and_rights(org, kit) -> None:
    """The records have the values under the new name, and the permission set grants access to it."""
    _prepare(org, kit)
    status, answer = org.rest("POST", "/services/data/v62.0/sobjects/Deal__c", {"Name": "One", "Stage__c": "Won"})
    assert status == 201, answer
    assert rename(org, "CustomField", "Deal__c.Stage__c", "Deal__c.Phase__c") == ("true", "")
    _, query_result = org.rest("GET", "/services/data/v62.0/query?q=SELECT+Phase__c+FROM+Deal__c")
    assert [row["Phase__c"] for row in query_result["records"]] == ["Won"]
    files = org.retrieve({"PermissionSet": ["Deals"]})["files"]
    assert b"Deal__c.Phase__c" in files["unpackaged/permissionsets/Deals.permissionset"]


def test_a_renamed_object_keeps_its_fields_records_and_rights(org, kit) -> None:
    """Fields, records, permissions and the key prefix belong to the new name."""
    _prepare(org, kit)
    first = org.rest("POST", "/services/data/v62.0/sobjects/Deal__c", {"Name": "One", "Stage__c": "Won"})[1]
    assert rename(org, "CustomObject", "Deal__c", "Contract_Line__c") == ("true", "")
    _, query_result = org.rest("GET", "/services/data/v62.0/query?q=SELECT+Id,Stage__c+FROM+Contract_Line__c")
    assert [(row["Id"], row["Stage__c"]) for row in query_result["records"]] == [(first["id"], "Won")]
    assert org.rest("GET", "/services/data/v62.0/sobjects/Deal__c/describe")[0] == 404
    second = org.rest("POST", "/services/data/v62.0/sobjects/Contract_Line__c", {"Name": "Two"})[1]
    assert second["id"][:3] == first["id"][:3]


@pytest.mark.parametrize(
    ("type_", "old", "new", "problem"),
    [
        ("CustomField", "Contact.Nope__c", "Contact.Other__c", "no CustomField named Contact.Nope__c found"),
        ("CustomField", "Contact.Email", "Contact.Mail__c", "CustomField Contact.Email can't be renamed to Contact.Mail__c"),
        ("CustomField", "Deal__c.Stage__c", "Contact.Stage__c", "CustomField Deal__c.Stage__c can't be moved to Contact.Stage__c"),
        ("PermissionSet", "Deals", "Not a name", "Permission Set API Name: The Permission Set Name can only contain"),
        ("Profile", "Admin", "Boss", "Profile Admin can't be renamed to Boss"),
    ],
)  # fmt: skip
def test_a_refused_rename_changes_nothing(org, kit, *, type_, old, new, problem) -> None:
    """The response has the reason, and the org is unchanged."""
    _prepare(org, kit)
    before = org.snapshot()
    success, message = rename(org, type_, old, new)
    assert (success, message[: len(problem)]) == ("false", problem)
    assert org.snapshot() == before


def test_a_referenced_field_cannot_be_renamed(org, kit) -> None:
    """The rename is refused, since the formula would refer to a missing field afterwards."""
    assert org.deploy(kit.good()).status == "Succeeded"
    success, message = rename(org, "CustomField", "Contact.External_Id__c", "Contact.Foreign_Id__c")
    assert success == "false"
    assert message.startswith("This custom field is referenced elsewhere in salesforce.com.")
