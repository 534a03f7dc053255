"""The integration user: renamed, adopted, and in a sandbox."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from sfcode.local import serve
from sfcode.local.sobjects.component_rows import derive_permission_set_id
from sfcode.local.store import Store
from sfcode.metadata.component import Address, Component
from tests.e2e.journeys import THEIR_MESSAGE
from tests.e2e.org import component, deploy, opened
from tests.waiting import PATIENCE

USER = "appcues.integration@example.com.local"
PROFILE = "Minimum Access - API Only Integrations"
OTHER = "other.integration@example.com.local"
MESSAGE = Address("WorkflowOutboundMessage", "Contact.Appcues_contact")
LOCALE = {"TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US"}


@contextmanager
def client(journey):
    with serve(journey.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        yield client


def user(client, username):
    rows = client.query("SELECT Id, Username, Email, IsActive, Profile.Name FROM User WHERE Username = {}", username)
    return rows[0] if rows else None


def create(client, username, profile, **more):
    (row,) = client.query("SELECT Id FROM Profile WHERE Name = {}", profile)
    values = {"Username": username, "LastName": "X", "Alias": "x", "Email": "x@example.com", "ProfileId": row["Id"]}
    return client.create("User", values | LOCALE | more)


def sign_in(org, application, username, times):
    """Sign in as a user with the credentials of an app."""
    head = {"Authorization": f"Bearer {org.access_token}"}
    registration = {"name": application, "run_as": username}
    app = requests.post(f"{org.url}/services/sfcode/apps", json=registration, headers=head, timeout=PATIENCE).json()
    form = {"client_id": app["consumer_key"], "client_secret": app["consumer_secret"]}
    form["grant_type"] = "client_credentials"
    for _ in range(times):
        requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=PATIENCE).raise_for_status()


def renamed(journey):
    journey.edit("sfcode.yaml", "username: appcues.integration@", "username: other.integration@")


class TestRename:
    def test_the_previous_user_is_deactivated_with_its_assignments_as_shown_changes(self, applied):
        renamed(applied)
        planned = applied.plan().out
        for line in (
            f"# User:{USER} will be updated in-place",
            f"# PermissionSetLicenseAssign:SalesforceAPIIntegrationPsl/{USER} will be destroyed",
            f"# PermissionSetAssignment:Appcues_Integration/{USER} will be destroyed",
        ):
            assert f"{line}\n  # (because the config has another integration user)" in planned
        assert "is assigned to" not in planned
        result = applied.apply()
        assert result.code == 0, result.err
        order = [
            result.out.index(f"{address}: ")
            for address in (f"User:{OTHER}", f"Appcues_Integration/{USER}", f"User:{USER}")
        ]
        deployed = result.out.index("Deploying")
        assert order[0] < deployed < order[1] < order[2], "the old user works until the new one does"
        with client(applied) as org:
            assert (user(org, USER)["IsActive"], user(org, OTHER)["IsActive"]) == (False, True)
        assert applied.actions() == {}

    def test_sign_ins_of_the_previous_user_are_reported(self, applied):
        renamed(applied)
        assert "signed in" not in applied.plan().out
        with serve(applied.folder / ".sfcode" / "local-org") as org:
            for name, times in (("Data Loader", 2), ("ETL", 1)):
                sign_in(org, name, USER, times)
        planned = applied.plan()
        assert re.search(
            rf"User:{USER} is deactivated, but it signed in 3 times in the last 30 days, the last time on \S+Z, with "
            r"Data Loader \(2\), ETL \(1\): applications that sign in as this user will stop working",
            planned.out,
        )

    def test_a_refused_apply_keeps_the_rights_of_the_previous_user(self, applied):
        renamed(applied)
        applied.edit("mappings/contact.yaml", "role: Title", "role: No_Such__c")
        assert applied.apply().code == 1
        with client(applied) as org:
            assert user(org, USER)["IsActive"] is True
            rows = org.query("SELECT Id FROM PermissionSetAssignment WHERE Assignee.Username = {}", USER)
        assert len(rows) == 1

    def test_a_previous_user_is_deactivated_by_the_apply_after_an_interrupted_one(self, applied):
        renamed(applied)
        assert applied.apply().code == 0
        with client(applied) as org:
            org.update("User", user(org, USER)["Id"], {"IsActive": True})
        assert applied.actions() == {f"User:{USER}": "update"}

    def test_a_previous_user_with_another_profile_is_never_deactivated(self, applied):
        with client(applied) as org:
            (profile,) = org.query("SELECT Id FROM Profile WHERE Name = 'Standard User'")
            (licensed,) = org.query("SELECT Id FROM PermissionSetLicenseAssign WHERE Assignee.Username = {}", USER)
            (assigned,) = org.query("SELECT Id FROM PermissionSetAssignment WHERE Assignee.Username = {}", USER)
            org.delete("PermissionSetAssignment", assigned["Id"])
            org.delete("PermissionSetLicenseAssign", licensed["Id"])
            org.update("User", user(org, USER)["Id"], {"ProfileId": profile["Id"]})
        renamed(applied)
        assert f"User:{USER}" not in applied.actions()
        assert applied.apply().code == 0
        with client(applied) as org:
            assert user(org, USER)["IsActive"] is True


def test_an_unconfirmed_email_address_is_no_change(applied):
    """An org keeps the old address until the link in its mail is clicked; another write would send another mail."""

    def set_in_org(email):
        with client(applied) as org:
            org.update("User", user(org, USER)["Id"], {"Email": email})

    before, new_email = "admin@example.com", "crm@example.com"
    applied.edit("sfcode.yaml", "email: ${admin_email}", f"email: {new_email}")
    assert applied.actions() == {f"User:{USER}": "update"}
    assert applied.apply().code == 0
    set_in_org(before)
    assert applied.actions() == {}
    waits = f"User:{USER} still has the e-mail address {before} in the org: {new_email} waits to be confirmed"
    assert waits in applied.plan().out
    set_in_org("somebody@example.com")
    assert applied.actions() == {f"User:{USER}": "update"}, "that was changed by somebody"


class TestAlreadyThere:
    def test_a_change_of_the_profile_is_shown_with_its_effect(self, journey):
        with client(journey) as org:
            create(org, USER, "Standard User", Email="admin@example.com", LastName="Appcues Integration")
        planned = journey.plan().out
        assert f"# User:{USER} will be updated in-place" in planned
        assert (
            "# (the user exists with the profile Standard User: other applications that sign in as this user lose"
            in planned
        )
        assert 'Profile = "Standard User" -> "Minimum Access - API Only Integrations"' in planned

    def test_the_activation_of_an_inactive_user_is_shown(self, applied):
        with client(applied) as org:
            org.update("User", user(org, USER)["Id"], {"IsActive": False})
        planned = applied.plan().out
        assert "# (the user is inactive and will be activated, which uses a license)" in planned
        assert "IsActive = false -> true" in planned
        assert applied.apply().code == 0
        assert applied.actions() == {}

    def test_a_destroy_says_why_the_user_goes(self, visible):
        planned = visible.plan("--destroy").out
        assert f"# User:{USER} will be updated in-place\n  # (because the integration is removed)" in planned


@pytest.fixture
def sandbox(applied):
    """Change the org as a sandbox refresh does: another ID, suffixes of usernames, invalid addresses."""
    state = applied.folder / ".sfcode" / "local-org"
    with client(applied) as org:
        (user,) = org.query("SELECT Id FROM User WHERE Username = {}", USER)
        org.update("User", user["Id"], {"Username": f"{USER}.uat", "Email": "admin@example.com.invalid"})
    with Store(state / "org.db") as store, store.transaction() as tx:
        (row,) = tx.records.list_all("Organization")
        tx.records.update("Organization", str(row["Id"]), {"IsSandbox": True}, user_id="u", now=datetime.now(UTC))
    return applied


class TestSandbox:
    def test_a_refresh_is_no_drift_and_no_change(self, sandbox):
        planned = sandbox.plan("--detailed-exitcode")
        assert planned.out.startswith("No changes."), planned.out
        assert planned.code == 0
        refreshed = sandbox.plan("--refresh-only", "--detailed-exitcode")
        assert (refreshed.code, refreshed.out.startswith("No drift.")) == (0, True), refreshed.out

    def test_what_is_applied_names_the_user_of_the_sandbox(self, sandbox):
        sandbox.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
        assert sandbox.apply().code == 0
        with serve(sandbox.folder / ".sfcode" / "local-org") as org:
            assert component(org, MESSAGE).body["integrationUser"] == f"{USER}.uat"
            with opened(org) as client:
                assert user(client, USER) is None
        assert sandbox.actions() == {}

    def test_several_possible_users_are_reported(self, sandbox):
        with client(sandbox) as org:
            create(org, f"{USER}.dev", "Standard User")
        refused = sandbox.plan()
        assert refused.code == 1
        assert f"may be any of {USER}.dev, {USER}.uat." in refused.err

    def test_a_user_with_the_exact_name_is_chosen(self, sandbox):
        with client(sandbox) as org:
            create(org, USER, "Minimum Access - API Only Integrations", LastName="Appcues Integration", Email="a@b.com")
        assert sandbox.actions()[f"User:{USER}"] == "update"

    def test_the_integration_can_be_destroyed_in_a_refreshed_sandbox(self, sandbox):
        planned = sandbox.plan("--destroy").out
        assert f"# User:{USER}.uat will be updated in-place" in planned
        assert f"# PermissionSetAssignment:Appcues_Integration/{USER}.uat will be destroyed" in planned

    def test_an_apply_in_a_refreshed_sandbox_can_be_rolled_back(self, sandbox):
        sandbox.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
        assert sandbox.apply().code == 0
        assert sandbox.run("rollback", "--auto-approve").code == 0
        assert sandbox.run("rollback", "--list").out.count("\n") == 3


def test_in_production_a_username_with_a_suffix_is_another_user(applied):
    with client(applied) as org:
        (row,) = org.query("SELECT Id FROM User WHERE Username = {}", USER)
        org.update("User", row["Id"], {"Username": f"{USER}.uat"})
    assert applied.actions()[f"User:{USER}"] == "create"


class TestRecordsAreManaged:
    SELLER = "sam.seller@northwind.example"

    def test_a_person_is_neither_renamed_nor_given_another_profile_without_adoption(self, journey):
        journey.edit("sfcode.yaml", "username: appcues.integration@${user_domain}", f"username: {self.SELLER}")
        with client(journey) as org:
            before = user(org, self.SELLER)
        refused = journey.apply()
        assert refused.code == 1
        assert f"User:{self.SELLER} exists in the org with the profile" in refused.err
        assert f"pass --adopt User:{self.SELLER} to manage it" in refused.err
        with client(journey) as org:
            assert user(org, self.SELLER) == before
        result = journey.plan("--adopt", f"User:{self.SELLER}")
        assert result.code == 0, result.out
        assert "adopted: it existed before sfcode" in result.out

    def test_a_user_of_a_failed_apply_is_not_forgotten(self, applied):
        renamed(applied)
        template = applied.folder / "templates/metadata/PermissionSet.xml.j2"
        template.parent.mkdir(parents=True)
        template.write_text(
            '<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata">'
            "<fieldPermissions><editable>true</editable><field>Contact.Nope__c</field><readable>true</readable>"
            "</fieldPermissions><label>{{ permission_set.label }}</label></PermissionSet>"
        )
        failed = applied.apply()
        assert failed.code == 1
        assert "Nope__c" in failed.err
        template.unlink()
        with client(applied) as org:
            assert user(org, OTHER)["IsActive"] is True, "made before the deployment failed"
        applied.edit("sfcode.yaml", "username: other.integration@", "username: third.integration@")
        assert applied.actions()[f"User:{OTHER}"] == "update"
        assert applied.apply().code == 0
        with client(applied) as org:
            assert user(org, OTHER)["IsActive"] is False
            assert org.query("SELECT Id FROM PermissionSetLicenseAssign WHERE Assignee.Username = {}", OTHER) == []
        assert applied.actions() == {}

    def test_a_rollback_restores_users_and_assignments(self, applied):
        renamed(applied)
        assert applied.apply().code == 0
        result = applied.run("rollback", "--auto-approve")
        assert result.code == 0, result.err
        with client(applied) as org:
            assert (user(org, USER)["IsActive"], user(org, OTHER)["IsActive"]) == (True, False)
            for kind in ("PermissionSetLicenseAssign", "PermissionSetAssignment"):
                rows = org.query(
                    f"SELECT Assignee.Username FROM {kind} WHERE Assignee.Username IN ({{}}, {{}})", USER, OTHER
                )
                assert [row["Assignee"]["Username"] for row in rows] == [USER]
        applied.edit("sfcode.yaml", "username: other.integration@", "username: appcues.integration@")
        assert applied.actions() == {}

    def test_a_user_with_other_permission_sets_is_not_deactivated_without_an_option(self, visible):
        with client(visible) as org:
            (people,) = org.query("SELECT Id FROM PermissionSet WHERE Name = 'People'")
            org.create(
                "PermissionSetAssignment", {"AssigneeId": user(org, USER)["Id"], "PermissionSetId": people["Id"]}
            )
        assert (
            f"Warning: User:{USER} also has PermissionSet:People, which this project does not manage"
            in visible.plan().out
        )
        refused = visible.run("destroy", "--auto-approve")
        assert refused.code == 1
        assert (
            f"User:{USER} would be deactivated, but another application may sign in as this user: it also has PermissionSet:People"
            in refused.err
        )
        assert visible.actions() == {}
        result = visible.run("destroy", "--auto-approve", "--allow-delete", f"User:{USER}")
        assert result.code == 0, result.err


class TestRightsFromElsewhere:
    """Other permissions of the integration user are a warning, drift, and a finding, until they are accepted."""

    def changed(self, journey, cause_drift):
        with Store(journey.folder / ".sfcode" / "local-org" / "org.db") as store, store.transaction() as tx:
            cause_drift(tx)

    def in_a_group(self, tx):
        author = {"user_id": "u", "now": datetime.now(UTC)}
        group = {"DeveloperName": "Sales", "MasterLabel": "Sales", "Description": None, "Status": "Updated"}
        group_id = tx.records.insert("PermissionSetGroup", group, **author)
        (user_row,) = tx.records.find("User", "Username", USER)
        row = {
            "AssigneeId": user_row["Id"],
            "PermissionSetGroupId": group_id,
            "PermissionSetId": derive_permission_set_id(group_id),
            "IsActive": True,
            "ExpirationDate": None,
        }
        tx.records.insert("PermissionSetAssignment", row, **author)

    def by_its_profile(self, tx):
        stored = tx.components.get("Profile", PROFILE)
        grants = {
            "objectPermissions": {"Account": {"allowRead": True, "allowEdit": True}},
            "userPermissions": {**stored.component.body["userPermissions"], "ModifyAllData": {"enabled": True}},
        }
        granting = Component("Profile", PROFILE, {**stored.component.body, **grants})
        tx.components.put(granting, user_id="u", now=datetime.now(UTC))

    @pytest.mark.parametrize(
        ("cause_drift", "address", "warning", "drift"),
        ids=["group", "profile"],
        argvalues=[
            (
                "in_a_group",
                "PermissionSetGroup:Sales",
                "also has PermissionSetGroup:Sales, which this project does not manage",
                f'+ PermissionSetAssignment "Sales/{USER}"',
            ),
            (
                "by_its_profile",
                f"Profile:{PROFILE}",
                f"has Profile:{PROFILE}, which grants: Modify All Data; Read, Edit on Account",
                f'+ Profile "{PROFILE}"',
            ),
        ],
    )
    def test_another_right_is_reported_until_it_is_accepted(self, applied, cause_drift, address, warning, drift):
        assert applied.plan("--refresh-only", "--detailed-exitcode").code == 0
        self.changed(applied, getattr(self, cause_drift))
        planned = applied.plan()
        assert f"Warning: User:{USER} {warning}" in planned.out
        assert "No changes." in planned.out
        refreshed = applied.plan("--refresh-only", "--detailed-exitcode")
        assert (refreshed.code, drift in refreshed.out) == (2, True), refreshed.out
        assert "Drift: 1 added, 0 changed, 0 deleted." in refreshed.out
        (finding,) = [row for row in applied.run("doctor", "--json").json["result"]["findings"] if row["id"] == "D212"]
        assert (finding["level"], address in finding["hint"]) == ("warning", True)
        applied.edit(
            "sfcode.yaml", "  record_access: sharing\n", f'  record_access: sharing\n  accepted_rights: ["{address}"]\n'
        )
        assert applied.apply().code == 0
        assert "Warning" not in applied.plan().out
        assert applied.plan("--refresh-only", "--detailed-exitcode").code == 0

    def test_a_user_in_a_permission_set_group_is_not_deactivated_without_an_option(self, applied):
        self.changed(applied, self.in_a_group)
        refused = applied.run("destroy", "--auto-approve")
        assert refused.code == 1
        assert "it also has PermissionSetGroup:Sales" in refused.err


def test_a_user_of_another_outbound_message_is_not_deactivated_without_an_option(applied):
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        deploy(org, replace(THEIR_MESSAGE, body={**THEIR_MESSAGE.body, "integrationUser": USER}))
    refused = applied.run("destroy", "--auto-approve")
    assert refused.code == 1
    assert f"it is used by {THEIR_MESSAGE.address}" in refused.err
    with client(applied) as org:
        assert user(org, USER)["IsActive"] is True


class TestRollbackChecksFirst:
    """A rollback checks the values to restore before it writes anything."""

    def test_a_rollback_that_needs_a_missing_license_is_refused(self, applied):
        renamed(applied)
        assert applied.apply().code == 0
        with Store(applied.folder / ".sfcode" / "local-org" / "org.db") as store, store.transaction() as tx:
            (license,) = tx.records.find("PermissionSetLicense", "DeveloperName", "SalesforceAPIIntegrationPsl")
            other_license = {**license, "DeveloperName": "Another"}
            tx.records.update("PermissionSetLicense", license["Id"], other_license, user_id="u", now=datetime.now(UTC))
        refused = applied.run("rollback", "--auto-approve")
        assert refused.code == 1
        assert (
            "needs the permission set license SalesforceAPIIntegrationPsl, which this org does not have" in refused.err
        )
        with client(applied) as org:
            assert user(org, USER)["IsActive"] is False, "nothing was begun"

    def test_a_rollback_that_needs_a_missing_permission_set_is_refused(self, applied):
        renamed(applied)
        assert applied.apply().code == 0
        with serve(applied.folder / ".sfcode" / "local-org") as org:
            with opened(org) as org_client:
                (row,) = org_client.query("SELECT Id FROM PermissionSetAssignment WHERE Assignee.Username = {}", OTHER)
                org_client.delete("PermissionSetAssignment", row["Id"])
            deploy(org, deleted=(Address("PermissionSet", "Appcues_Integration"),))
        refused = applied.run("rollback", "--auto-approve")
        assert refused.code == 1
        assert "needs the permission set Appcues_Integration, which this org does not have" in refused.err
        with client(applied) as org:
            assert user(org, USER)["IsActive"] is False, "nothing was begun"
