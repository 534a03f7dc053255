"""Doctor on a real local org: without faults after an apply, and with one fault at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sfcode.checks.rules import DOCTOR_RULES
from sfcode.diagnostics import Level, Position
from tests.checks.doctor.clinic import Clinic, find_only, levels

Fault = Callable[[Clinic], None]
Known = tuple[str, str, Position | None]

INTEGRATION = {"Name": "Salesforce Integration"}
PSL = {"DeveloperName": "SalesforceAPIIntegrationPsl"}


@pytest.fixture(scope="module")
def healthy(applied_once: Path, tmp_path_factory: pytest.TempPathFactory) -> set[Known]:
    """Run doctor once on the org after an apply."""
    folder = tmp_path_factory.mktemp("healthy") / "project"
    shutil.copytree(applied_once, folder)
    return {(finding.rule, finding.message, finding.position) for finding in Clinic(folder).run_doctor()}


def combine(*steps: Fault) -> Fault:
    def apply_all(clinic: Clinic) -> None:
        for step in steps:
            step(clinic)

    return apply_all


def edited(name: str, old: str, new: str) -> Fault:
    return lambda clinic: clinic.edit(name, old, new)


FAULTS: list[tuple[str, Level, str, Fault]] = [
    ("D101", Level.ERROR, "its newest is 68.0", edited("sfcode.yaml", '"63.0"', '"99.0"')),
    ("D102", Level.ERROR, "Professional Edition has no outbound messages", lambda c: c.change_setup_row("Organization", {}, OrganizationType="Professional Edition")),
    ("D102", Level.ERROR, "API_DISABLED_FOR_ORG", lambda c: c.remove_permissions("ApiEnabled")),
    ("D104", Level.ERROR, "may not deploy", lambda c: c.remove_permissions("ModifyMetadata", "ModifyAllData")),
    ("D105", Level.ERROR, "lacks Manage Users, and apply has to", combine(Clinic.forget, lambda c: c.run_doctor() and None, lambda c: c.remove_permissions("ManageUsers"))),
    ("D105", Level.NOTE, "an apply does not need it now", lambda c: c.remove_permissions("ManageUsers")),
    ("D106", Level.ERROR, "assign permission sets", combine(lambda c: c.unassign("PermissionSetAssignment"), lambda c: c.remove_permissions("ManageUsers", "AssignPermissionSets"))),
    ("D106", Level.NOTE, "assign permission sets", lambda c: c.remove_permissions("ManageUsers", "AssignPermissionSets")),
    ("D107", Level.ERROR, "Nope__c", edited("mappings/contact.yaml", "plan: Plan__c", "plan: Nope__c")),
    ("D107", Level.WARNING, "could not check", combine(lambda c: c.remove_permissions("ModifyMetadata", "ModifyAllData"), edited("mappings/contact.yaml", "plan: Plan__c", "plan: Nope__c"))),
    ("D201", Level.ERROR, "no profile Minimum Access - API Only", edited("sfcode.yaml", "profile: Minimum Access - API Only Integrations", "profile: Minimum Access - API Only")),
    ("D202", Level.ERROR, "belongs to the user license Salesforce, not to Salesforce Integration", edited("sfcode.yaml", "profile: Minimum Access - API Only Integrations", "profile: Standard User")),
    ("D203", Level.ERROR, "no user license Sales Force", edited("sfcode.yaml", "license: Salesforce Integration", "license: Sales Force")),
    ("D203", Level.ERROR, "still needs one", combine(Clinic.forget, lambda c: c.run_doctor() and None, lambda c: c.change_setup_row("UserLicense", INTEGRATION, TotalLicenses=0))),
    ("D204", Level.ERROR, "no permission set license OtherPsl", edited("sfcode.yaml", "SalesforceAPIIntegrationPsl", "OtherPsl")),
    ("D204", Level.ERROR, "still needs one", combine(lambda c: c.unassign("PermissionSetAssignment"), lambda c: c.unassign("PermissionSetLicenseAssign"), lambda c: c.change_setup_row("PermissionSetLicense", PSL, TotalLicenses=0))),
    ("D204", Level.WARNING, "could not check", lambda c: c.remove_permissions("ViewSetup")),
    ("D205", Level.NOTE, "does not exist yet", Clinic.forget),
    ("D206", Level.ERROR, "is deactivated", lambda c: c.change_user(IsActive=False)),
    ("D207", Level.WARNING, "has the profile Standard User", lambda c: c.set_profile("Standard User")),
    ("D208", Level.WARNING, "appcues.integration@example.com.local.uat", lambda c: c.change_user(Username="appcues.integration@example.com.local.uat")),
    ("D209", Level.WARNING, ".invalid", lambda c: c.change_user(Email="admin@example.com.invalid")),
    ("D210", Level.ERROR, "does not have the permission set license", combine(lambda c: c.unassign("PermissionSetAssignment"), lambda c: c.unassign("PermissionSetLicenseAssign"))),
    ("D211", Level.ERROR, "does not have the permission set Appcues_Integration", lambda c: c.unassign("PermissionSetAssignment")),
    ("D212", Level.WARNING, "Profile:Standard User grants: ", lambda c: c.set_profile("Standard User")),
    ("D301", Level.WARNING, "2025-12-31", edited("mappings/contact.yaml", "trigger: flow", "trigger: workflow_rule")),
    ("D302", Level.WARNING, "replaced", edited("sfcode.yaml", "profile: Minimum Access - API Only Integrations", "profile: Salesforce API Only System Integrations")),
    ("D402", Level.ERROR, "private network", lambda c: c.set_relay_url("https://relay.internal")),
    ("D406", Level.WARNING, "is connected to this org too: Contact.AppcuesOnContactCreateUpdate_Z1AzRYj", Clinic.connect_appcues),
    ("D510", Level.WARNING, "have no account: the integration user does not see them", lambda c: c.set_records("Contact", AccountId=None)),
    ("D513", Level.ERROR, "Event has required fields that the relay does not fill: Outcome__c", lambda c: c.require_field("Activity.Outcome__c")),
    ("D406", Level.NOTE, "could not check", lambda c: c.remove_permissions("ModifyMetadata", "ModifyAllData")),
    ("D501", Level.ERROR, "no object Pet__c", edited("mappings/lead.yaml", "object: Lead", "object: Pet__c")),
    ("D501", Level.WARNING, "15 Lead records, 0 would sync", lambda c: c.set_records("Lead", Product_User_Id__c=None)),
    ("D502", Level.NOTE, "does not exist yet", Clinic.forget),
    ("D504", Level.WARNING, "user IDs on several records: 1", lambda c: c.set_records("Lead", Product_User_Id__c=7)),
    ("D507", Level.WARNING, "the org-wide default of Lead is Private", lambda c: c.share("Lead", "Private")),
    ("D507", Level.WARNING, "of Account, which determines the access to Contact, is Private", combine(lambda c: c.share("Contact", "ControlledByParent"), lambda c: c.share("Account", "Private"))),
]  # fmt: skip


def test_a_healthy_org_has_no_errors(clinic: Clinic) -> None:
    """After an apply the only finding is about data of the shipped company: two contacts with one user ID."""
    findings = clinic.run_doctor()
    assert [finding for finding in findings if finding.level is Level.ERROR] == []
    (warning,) = (finding for finding in findings if finding.level is Level.WARNING)
    assert (warning.rule, len(warning.records)) == ("D504", 1)
    assert {finding.rule for finding in findings if finding.level is Level.OK} >= {
        *("D101", "D102", "D103", "D104", "D105", "D106", "D107"),
        *("D201", "D202", "D203", "D204", "D205", "D206", "D207", "D209", "D210", "D211", "D212"),
        *("D501", "D505", "D507"),
    }


@pytest.mark.parametrize(
    ("id", "level", "message", "cause_fault"),
    FAULTS,
    ids=[f"{finding[0]}-{finding[1].word}-{finding[2]}" for finding in FAULTS],
)
def test_each_fault_of_an_org_is_found(
    clinic: Clinic, healthy: set[Known], *, id: str, level: Level, message: str, cause_fault: Fault
) -> None:
    """Each fault is reported under its ID, with level, position and hint; without the fault there is no such finding."""
    cause_fault(clinic)
    findings = [
        finding
        for finding in clinic.run_doctor()
        if finding.rule == id and finding.level is level and message in finding.message
    ]
    new = [finding for finding in findings if (finding.rule, finding.message, finding.position) not in healthy]
    assert new
    assert all(finding.path and (finding.hint or finding.level is Level.NOTE) for finding in new)


def test_an_org_without_the_api_version_gets_no_further_requests(clinic: Clinic) -> None:
    clinic.edit("sfcode.yaml", '"63.0"', '"99.0"')
    assert {DOCTOR_RULES[finding.rule].area for finding in clinic.run_doctor()} <= {"org", "relay", "retired"}


def test_a_hidden_user_id_is_never_counted_as_zero(clinic: Clinic) -> None:
    """A field without field access is reported as hidden, and IDs are counted by its source field."""
    findings = clinic.run_doctor()
    finding_of_lead = find_only(tuple(finding for finding in findings if "Lead" in finding.message), "D502", Level.NOTE)
    assert "has no field access to it; IDs are counted by Product_User_Id__c" in finding_of_lead.message
    assert any("15 Lead records, 11 would sync, 4 have no user ID" in finding.message for finding in findings)


def test_every_finding_of_an_org_is_documented(clinic: Clinic) -> None:
    assert {finding.rule for finding in clinic.run_doctor()} <= set(DOCTOR_RULES)


def test_the_doctor_changes_nothing(clinic: Clinic) -> None:
    """The file of the org contains the same rows before and after doctor runs."""

    def rows() -> list[object]:
        from sfcode.local.store import Store

        with Store(clinic.state / "org.db") as store, store.read() as tx:
            return [tx.records.list_all(name) for name in ("User", "Contact", "Lead", "PermissionSetAssignment")] + [
                stored.component for stored in tx.components.list_all()
            ]

    before = rows()
    assert levels(clinic.run_doctor(), "D205") == {Level.OK}
    assert rows() == before
