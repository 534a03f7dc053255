"""Licenses: the rights that a permission set may grant to users with a license."""

from __future__ import annotations

import pytest

DATA = "/services/data/v62.0"


def _query_one(org, soql: str) -> str:
    status, answer = org.rest("GET", f"{DATA}/query?q={soql.replace(' ', '+')}")
    assert status == 200, answer
    return answer["records"][0]["Id"]


@pytest.fixture
def integration_user(org) -> str:
    """Create a user with the license that allows no objects by itself."""
    profile = _query_one(org, "SELECT Id FROM Profile WHERE Name = 'Minimum Access - API Only Integrations'")
    status, answer = org.rest(
        "POST",
        f"{DATA}/sobjects/User",
        {
            "Username": "robot@northwind.example",
            "LastName": "Robot",
            "Email": "robot@northwind.example",
            "Alias": "robot",
            "ProfileId": profile,
            "TimeZoneSidKey": "GMT",
            "LocaleSidKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "LanguageLocaleKey": "en_US",
        },
    )
    assert status == 201, answer
    return answer["id"]


def _set(kit, *parts: str) -> dict[str, str]:
    return {
        "package.xml": kit.manifest({"PermissionSet": ["Robots"]}),
        "permissionsets/Robots.permissionset": kit.permission_set(*parts, label="Robots"),
    }


def _assign(org, user: str) -> tuple[int, object]:
    row = _query_one(org, "SELECT Id FROM PermissionSet WHERE Name = 'Robots'")
    return org.rest("POST", f"{DATA}/sobjects/PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": row})


def test_an_assigned_set_cannot_exceed_the_licenses_of_its_users(org, kit, integration_user) -> None:
    """Until the user has the license, the deploy is refused for the same reason as the assignment."""
    assert org.deploy(_set(kit)).status == "Succeeded"
    assert _assign(org, integration_user)[0] == 201
    before = org.snapshot()
    bigger = _set(kit, kit.rights("Contact", "allowRead"))
    assert org.deploy(bigger).problems == ["The user license doesn't allow the permission: Read Contacts"]
    assert org.snapshot() == before
    license = _query_one(org, "SELECT Id FROM PermissionSetLicense WHERE DeveloperName = 'SalesforceAPIIntegrationPsl'")
    assignment = {"AssigneeId": integration_user, "PermissionSetLicenseId": license}
    assert org.rest("POST", f"{DATA}/sobjects/PermissionSetLicenseAssign", assignment)[0] == 201
    assert org.deploy(bigger).status == "Succeeded"


def test_a_set_for_a_license_grants_what_the_license_allows(org, kit) -> None:
    """A permission set for integration users cannot grant object permissions, whether or not it is assigned."""
    parts = kit.rights("Contact", "allowRead"), "<license>Salesforce Integration</license>"
    assert org.deploy(_set(kit, parts[1], parts[0])).problems == [
        "The user license doesn't allow the permission: Read Contacts"
    ]


def test_a_set_for_another_license_is_not_assigned(org, kit, integration_user) -> None:
    """A permission set for Salesforce users cannot be assigned to an integration user."""
    assert org.deploy(_set(kit, "<license>Salesforce</license>")).status == "Succeeded"
    status, errors = _assign(org, integration_user)
    assert (status, errors[0]["errorCode"]) == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_a_set_for_a_permission_set_license_needs_no_license_of_the_user(org, kit, integration_user) -> None:
    """A set that is bound to a permission set license can be assigned without that license."""
    parts = "<license>SalesforceAPIIntegrationPsl</license>", kit.rights("Contact", "allowRead")
    assert org.deploy(_set(kit, *parts)).status == "Succeeded"
    assert _assign(org, integration_user)[0] == 201
