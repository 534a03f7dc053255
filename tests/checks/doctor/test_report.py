"""The complete output of doctor: for a healthy org, one with many faults, one that refuses most queries, and a new one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sfcode.checks.doctor import examine
from sfcode.checks.doctor.facts import (
    DuplicateIds,
    Endpoint,
    Facts,
    ProbeFailure,
    Seats,
    SharedIds,
    Unknown,
    VisibleRecords,
)
from sfcode.config import load
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic, Level
from sfcode.mapping.permissions import OtherRights
from tests.checks.doctor.clinic import USERNAME
from tests.checks.doctor.test_checks import CONTACT, HEALTHY, ID, LICENSE, ORG, PROFILE, RELAY, SOURCE, USER

NO = Unknown("INVALID_TYPE: no")
POOR = Facts(
    replace(
        ORG,
        edition="Professional Edition",
        requests=(12, 1500),
        rights=frozenset(),
        silent_users=tuple(f"user{number}@example.com" for number in range(7)),
    ),
    replace(
        USER,
        profiles={PROFILE: "Other"},
        licenses={LICENSE: Seats(0, 0)},
        set_licenses={"SalesforceAPIIntegrationPsl": Seats(2, 2)},
        user=replace(USER.user, active=False, profile="Other", email="a@example.com.invalid"),
        has_license=False,
        has_set=False,
        other_rights=OtherRights(groups=("Sales",)),
    ),
    Endpoint(RELAY, "", ProbeFailure("certificate", "expired"), "0123456789ab"),
    (
        replace(
            CONTACT,
            total=1_200_000,
            with_id=3,
            blank=("003a", "003b"),
            duplicates=DuplicateIds(SharedIds(2, ("003 = 004",)), SharedIds(1, ("005 = 006",)), complete=False),
            sharing="Private",
            shared_as="Account",
            seen=VisibleRecords(USERNAME, reads_object=True, records=1),
            without_account=1200,
            person_accounts=True,
            required_activity_fields=("A__c", "B__c"),
        ),
    ),
    (Diagnostic.error(None, "to_appcues", "no field Plan__c", "correct it"),),
    ("Contact.AppcuesOnContact_1", "Contact.Send"),
)
SILENT = Facts(
    replace(ORG, versions=NO, edition="", requests=NO, rights=NO, silent_users=NO),
    replace(USER, profiles=NO, licenses=NO, set_licenses=NO, user=NO, has_license=NO, has_set=NO, other_rights=NO),
    Endpoint(RELAY, "", ProbeFailure("health", "503")),
    (
        replace(
            CONTACT,
            user_id=replace(ID, exists=NO),
            total=NO,
            with_id=NO,
            duplicates=NO,
            sharing=NO,
            seen=NO,
            without_account=NO,
        ),
    ),
    NO,
    NO,
)
NEW = Facts(
    replace(
        ORG, language="de", features=frozenset({"PersonAccounts", "MultiCurrency"}), rights=frozenset({"ManageUsers"})
    ),
    replace(USER, user=None, has_license=False, has_set=False, licenses={LICENSE: Seats(1, 1)}),
    Endpoint(RELAY, "", ProbeFailure("connection", "no route")),
    (
        replace(
            CONTACT,
            user_id=replace(ID, exists=False, visible=False),
            counted_by=SOURCE.name,
            with_id=0,
            duplicates=None,
        ),
    ),
)


@pytest.fixture(scope="module")
def project(root: Path) -> Project:
    return load(root / "config", "local")


def lines(project: Project, facts: Facts) -> list[str]:
    return [
        f"{finding.level.word} {finding.rule} {finding.path}: {finding.text}" for finding in examine(project, facts)
    ]


def test_a_healthy_org(project: Project) -> None:
    assert lines(project, HEALTHY) == [
        "note D401 Real: no API shows which messages wait or failed. See Setup > Outbound Messages > View Message Delivery Status.",
        "note D512 object: a contact from a lead conversion is sent only if conversions run flows. Turn on Setup > Lead Settings > Require Validation for Converted Leads, or write `relay.schedule.reconcile_hours`.",
        "ok D101 salesforce.api_version: API version 63.0 is offered by the org",
        "ok D102 Real: Enterprise Edition includes the API",
        "ok D103 Real: 900 of 1,000 API requests are left today",
        "ok D104 me@example.com: the signed-in user may deploy",
        "ok D105 me@example.com: the signed-in user may create and change users",
        "ok D106 me@example.com: the signed-in user may assign permission sets",
        "ok D107 Real: the org has all objects and fields of the config",
        "ok D201 integration_user.profile: the profile Minimum Access - API Only Integrations exists",
        "ok D202 integration_user.profile: the profile belongs to the user license Salesforce Integration",
        "ok D203 integration_user.license: 5 of 5 seats of the user license Salesforce Integration are taken",
        "ok D204 integration_user.permission_set_license: 5 of 5 seats of the permission set license SalesforceAPIIntegrationPsl are taken",
        "ok D205 integration_user.username: the user appcues.integration@example.com.local exists",
        "ok D206 integration_user.username: the integration user is active",
        "ok D207 integration_user.profile: the user has the configured profile",
        "ok D209 integration_user.email: the user's e-mail address does not end with .invalid",
        "ok D210 integration_user.permission_set_license: the user has the permission set license SalesforceAPIIntegrationPsl",
        "ok D211 name: the user has the permission set Appcues_Integration",
        "ok D212 integration_user.accepted_rights: the user has no rights besides the permission set",
        "ok D402 relay.url: https://relay.example.com is a public address",
        "ok D405 relay.url: https://relay.example.com answers from here",
        "ok D501 object: 10 Contact records, 10 would sync, 0 have no user ID",
        "ok D502 user_id.field: Contact.Appcues_User_Id__c is a text formula over Product_User_Id__c (double), and the signed-in user sees it",
        "ok D504 user_id.field: no user ID is used by several records",
        "ok D505 user_id.field: no user IDs differ in case only",
        "ok D507 integration_user.record_access: the org-wide default of Contact is Read: the integration user sees all",
    ]


def test_an_org_with_many_faults(project: Project) -> None:
    assert lines(project, POOR) == [
        "error D102 delivery: Professional Edition has no outbound messages, with which contact would be sent to the relay. Salesforce has them in Enterprise, Performance, Unlimited and Developer Edition.",
        "error D104 me@example.com: the signed-in user may not deploy: it has neither Modify Metadata nor Modify All Data. Assign a permission set that grants it, or sign in as an administrator.",
        "error D105 me@example.com: the signed-in user may not create and change users: it lacks Manage Users, and apply has to. Assign a permission set that grants it, or sign in as an administrator.",
        "error D106 me@example.com: the signed-in user may not assign permission sets: it lacks Assign Permission Sets, and apply has to. Assign a permission set that grants it, or sign in as an administrator.",
        "error D107 to_appcues: no field Plan__c; correct it",
        "error D202 integration_user.profile: the profile Minimum Access - API Only Integrations belongs to the user license Other, not to Salesforce Integration. Set license: Other, or a profile of the license Salesforce Integration.",
        "error D203 integration_user.license: 0 of 0 seats of the user license Salesforce Integration are taken, and the integration user still needs one. Free one (deactivate a user, or remove the license), or buy one; Setup > Company Information has them.",
        "error D204 integration_user.permission_set_license: 2 of 2 seats of the permission set license SalesforceAPIIntegrationPsl are taken, and the integration user still needs one. Free one (deactivate a user, or remove the license), or buy one; Setup > Company Information has them.",
        "error D206 integration_user.username: the user appcues.integration@example.com.local is deactivated: nothing can sign in as it. Run sfcode apply.",
        "error D210 integration_user.permission_set_license: the user does not have the permission set license SalesforceAPIIntegrationPsl, without which it sees no records. Run sfcode apply.",
        "error D211 name: the user does not have the permission set Appcues_Integration, without which it sees no records. Run sfcode apply.",
        "error D513 to_salesforce.activities: Event has required fields that the relay does not fill: A__c, B__c. Give them a default value, or make them required by page layout only; else every activity is refused.",
        "warning D103 Real: 12 of 1,500 API requests are left today. See Setup > System Overview > API Usage for the applications that use them, or buy more; the relay waits until requests are available again.",
        "warning D108 Real: active users without Send Outbound Messages: 7; records that they save are not sent to Appcues (such as user0@example.com, user1@example.com, user2@example.com, user3@example.com, user4@example.com). Grant it to those whose changes matter, other integrations among them, or schedule `sfcode relay reconcile`.",
        "warning D207 integration_user.profile: the user has the profile Other, and the config asks for Minimum Access - API Only Integrations. Run sfcode apply. Or set the one that the user has.",
        "warning D209 integration_user.email: the user's e-mail address ends with .invalid, as after the refresh of a sandbox: mail to it is lost. Run sfcode apply. Or correct it in Setup > Users.",
        "warning D212 integration_user.accepted_rights: the user also has PermissionSetGroup:Sales, which this project does not manage. Remove it in Setup, or accept it with `accepted_rights: [PermissionSetGroup:Sales]`.",
        "warning D404 relay.url: the relay does not answer from here: expired. Check its name, its dates and that every intermediate certificate is sent, in order: openssl s_client -showcerts. Salesforce trusts the roots that /cacerts.jsp of your org lists, and no self-signed certificate.",
        "warning D406 delivery: Appcues' own connector is connected to this org too: Contact.AppcuesOnContact_1; data that both deliver arrives twice. Deactivate its integration in Appcues Studio, and list its message and rule under `replaces`.",
        "warning D504 user_id.field: user IDs on several records: at least 2 (such as 003 = 004). Merge the records or correct the IDs: the relay parks events with such an ID. Then make the field unique.",
        "warning D505 user_id.field: user IDs that differ in case only: at least 1 (such as 005 = 006). Appcues distinguishes them, and a search in Salesforce does not: correct the IDs, or have the product issue them in one case.",
        "warning D506 user_id.from: Contact has 1,200,000 records and its user ID is a formula over Product_User_Id__c, which is not indexed: each lookup reads all of them. Make Product_User_Id__c an external ID or unique, or have Salesforce Support index it.",
        "warning D507 integration_user.record_access: the org-wide default of Account, which determines the access to Contact, is Private: the integration user may see fewer Contact records than there are. Share them with it, or set record_access: view_all. With --as and a sign-in of that user, doctor counts the records.",
        "warning D508 integration_user.username: the integration user (contact) sees 1 of 3 records with a user ID. Share the others with it, or write record_access: view_all, and apply.",
        "warning D510 integration_user.record_access: 1,200 contacts with a user ID have no account: the integration user does not see them. Give them an account, or write record_access: view_all to find them and modify_all to change them too.",
        "note D401 Real: no API shows which messages wait or failed. See Setup > Outbound Messages > View Message Delivery Status.",
        "note D503 user_id.field: 1,199,997 records have no user ID and are not synced (such as 003a, 003b). No action is needed if they do not use the product; otherwise enter the ID.",
        "note D511 object: the org has person accounts: saving one saves an account, and sends no message for its contact. Set `relay.schedule.reconcile_hours` in sfcode.yaml: reconcile finds changes that were not sent.",
        "note D512 object: a contact from a lead conversion is sent only if conversions run flows. Turn on Setup > Lead Settings > Require Validation for Converted Leads, or write `relay.schedule.reconcile_hours`.",
        "ok D101 salesforce.api_version: API version 63.0 is offered by the org",
        "ok D201 integration_user.profile: the profile Minimum Access - API Only Integrations exists",
        "ok D205 integration_user.username: the user appcues.integration@example.com.local exists",
        "ok D402 relay.url: https://relay.example.com is a public address",
        "ok D501 object: 1,200,000 Contact records, 3 would sync, 1,199,997 have no user ID",
        "ok D502 user_id.field: Contact.Appcues_User_Id__c is a text formula over Product_User_Id__c (double), and the signed-in user sees it",
    ]


def test_an_org_that_refuses_most_queries(project: Project) -> None:
    assert lines(project, SILENT) == [
        "warning D101 salesforce.api_version: the org does not return its API versions (INVALID_TYPE: no)",
        "warning D102 Real: this edition does not include the API by default, although the org responds now. Have Salesforce confirm API access and the license Salesforce Integration for this org.",
        "warning D104 me@example.com: could not read the permissions of me@example.com (INVALID_TYPE: no). Make sure that it has Modify Metadata, Manage Users and Assign Permission Sets.",
        "warning D107 Real: could not check the config against this org's fields (INVALID_TYPE: no). Sign in as a user with Modify Metadata.",
        "warning D201 integration_user.profile: could not check for the profile Minimum Access - API Only Integrations (INVALID_TYPE: no). Sign in as a user with View Setup and Configuration.",
        "warning D203 integration_user.license: could not check for the user license Salesforce Integration (INVALID_TYPE: no). Sign in as a user with View Setup and Configuration.",
        "warning D204 integration_user.permission_set_license: could not check for the permission set license SalesforceAPIIntegrationPsl (INVALID_TYPE: no). Sign in as a user with View Setup and Configuration.",
        "warning D205 integration_user.username: appcues.integration@example.com.local cannot be looked up (INVALID_TYPE: no)",
        "warning D405 relay.url: the relay does not answer from here: 503. See the relay's log and /readyz; a proxy in front of it may have responded.",
        "warning D502 user_id.field: could not check for the field Contact.Appcues_User_Id__c (INVALID_TYPE: no). Sign in as a user with Modify Metadata.",
        "warning D508 integration_user.username: contact was not counted by the second sign-in: INVALID_TYPE: no",
        "warning D509 user_id.field: duplicates were not searched: INVALID_TYPE: no. Make the field of the user ID unique in Setup (Contact > Fields), so that Salesforce refuses duplicates.",
        "warning D509 object: records were not counted: INVALID_TYPE: no",
        "note D103 Real: the org does not return the number of remaining API requests (INVALID_TYPE: no)",
        "note D108 Real: could not check who lacks Send Outbound Messages (INVALID_TYPE: no)",
        "note D401 Real: no API shows which messages wait or failed. See Setup > Outbound Messages > View Message Delivery Status.",
        "note D406 Real: could not check for Appcues' own connector (INVALID_TYPE: no)",
        "note D507 integration_user.record_access: the org-wide default of Contact cannot be read (INVALID_TYPE: no). See Setup > Sharing Settings, or compare with --as.",
        "note D510 integration_user.record_access: contacts without an account were not counted: INVALID_TYPE: no",
        "note D512 object: a contact from a lead conversion is sent only if conversions run flows. Turn on Setup > Lead Settings > Require Validation for Converted Leads, or write `relay.schedule.reconcile_hours`.",
        "ok D402 relay.url: https://relay.example.com is a public address",
    ]


def test_a_new_org(project: Project) -> None:
    assert lines(project, NEW) == [
        "error D104 me@example.com: the signed-in user may not deploy: it has neither Modify Metadata nor Modify All Data. Assign a permission set that grants it, or sign in as an administrator.",
        "error D203 integration_user.license: 1 of 1 seats of the user license Salesforce Integration are taken, and the integration user still needs one. Free one (deactivate a user, or remove the license), or buy one; Setup > Company Information has them.",
        "error D204 integration_user.permission_set_license: 5 of 5 seats of the permission set license SalesforceAPIIntegrationPsl are taken, and the integration user still needs one. Free one (deactivate a user, or remove the license), or buy one; Setup > Company Information has them.",
        "warning D403 relay.url: the relay does not answer from here: no route. Start the relay, and check that it can be reached: URL, DNS, firewall.",
        "warning D501 object: 10 Contact records, 0 would sync, 10 have no user ID. Fill in Product_User_Id__c: a record without an ID has no profile in Appcues.",
        "note D205 integration_user.username: the user appcues.integration@example.com.local does not exist yet. Apply creates it.",
        "note D401 Real: no API shows which messages wait or failed. See Setup > Outbound Messages > View Message Delivery Status.",
        "note D502 user_id.field: Contact.Appcues_User_Id__c does not exist yet. Apply creates it.",
        "note D512 object: a contact from a lead conversion is sent only if conversions run flows. Turn on Setup > Lead Settings > Require Validation for Converted Leads, or write `relay.schedule.reconcile_hours`.",
        "ok D101 salesforce.api_version: API version 63.0 is offered by the org",
        "ok D102 Real: Enterprise Edition includes the API (language de, MultiCurrency, PersonAccounts)",
        "ok D103 Real: 900 of 1,000 API requests are left today",
        "ok D105 me@example.com: the signed-in user may create and change users",
        "ok D106 me@example.com: the signed-in user may assign permission sets",
        "ok D107 Real: the org has all objects and fields of the config",
        "ok D201 integration_user.profile: the profile Minimum Access - API Only Integrations exists",
        "ok D202 integration_user.profile: the profile belongs to the user license Salesforce Integration",
        "ok D402 relay.url: https://relay.example.com is a public address",
        "ok D507 integration_user.record_access: the org-wide default of Contact is Read: the integration user sees all",
    ]


@pytest.mark.parametrize("facts", [HEALTHY, POOR, SILENT, NEW], ids=["healthy", "poor", "silent", "new"])
def test_a_diagnostic_about_a_setting_is_at_its_line(project: Project, root: Path, facts: Facts) -> None:
    for finding in examine(project, facts):
        if finding.position:
            line = (root / finding.position.file).read_text(encoding="utf-8").splitlines()[finding.position.line - 1]
            assert finding.path.rpartition(".")[2] in line or finding.path in UNSET, finding


UNSET = {"integration_user.accepted_rights", "relay"}
"""Settings that the repository's config does not have; their diagnostics are placed at the section."""


def test_without_the_api_version_an_org_has_no_other_diagnostics(project: Project) -> None:
    for versions, newest in ((("61.0", "60.0", "9.0"), "61.0"), ((), "none")):
        (finding, *other_findings) = examine(project, replace(HEALTHY, org=replace(ORG, versions=versions), user=None))
        assert (finding.rule, finding.level) == ("D101", Level.ERROR)
        assert f"its newest is {newest}" in finding.message
        assert not {other.rule for other in other_findings} & {"D102", "D103", "D104", "D105", "D106", "D107", "D108"}
