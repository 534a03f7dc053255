"""Checks of facts that a local org cannot have: many records, other users, public addresses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sfcode.checks.doctor import examine
from sfcode.checks.doctor.facts import (
    DuplicateIds,
    Endpoint,
    Facts,
    FieldFacts,
    MappingFacts,
    OrgFacts,
    ProbeFailure,
    Seats,
    SharedIds,
    Unknown,
    UserFacts,
    UserRow,
    VisibleRecords,
)
from sfcode.checks.rules import DOCTOR_RULES
from sfcode.config import load
from sfcode.config.project import Project
from sfcode.diagnostics import Level
from sfcode.mapping.permissions import OtherRights
from tests.checks.doctor.clinic import USERNAME, levels

RELAY = "https://relay.example.com"
PROFILE, LICENSE = "Minimum Access - API Only Integrations", "Salesforce Integration"
ORG = OrgFacts(
    "Real",
    "me@example.com",
    "63.0",
    ("62.0", "63.0"),
    edition="Enterprise Edition",
    requests=(900, 1000),
    rights=frozenset({"ModifyMetadata", "ManageUsers"}),
)
USER = UserFacts(
    {PROFILE: LICENSE},
    {LICENSE: Seats(5, 5)},
    {"SalesforceAPIIntegrationPsl": Seats(5, 5)},
    UserRow(active=True, profile=PROFILE, email="a@example.com"),
    has_license=True,
    has_set=True,
)
ID = FieldFacts("Appcues_User_Id__c", exists=True, visible=True, type="string", formula=True)
SOURCE = FieldFacts("Product_User_Id__c", exists=True, visible=True, type="double")
CONTACT = MappingFacts(
    "contact",
    "Contact",
    ID,
    SOURCE,
    counted_by=ID.name,
    total=10,
    with_id=10,
    duplicates=DuplicateIds(),
    sharing="Read",
    shared_as="Contact",
)
HEALTHY = Facts(ORG, USER, Endpoint(RELAY), (CONTACT,))


@pytest.fixture(scope="module")
def project(root: Path) -> Project:
    return load(root / "config", "local")


def with_org(**values: Any) -> Facts:
    return replace(HEALTHY, org=replace(ORG, **values))


def with_user(**values: Any) -> Facts:
    return replace(HEALTHY, user=replace(USER, **values))


def with_data(**values: Any) -> Facts:
    return replace(HEALTHY, mappings=(replace(CONTACT, **values),))


def with_relay(*values: Any) -> Facts:
    return replace(HEALTHY, endpoint=Endpoint(RELAY, *values))


SAW = Unknown("INVALID_TYPE: no")
MANY = 100_000
CASES: list[tuple[str, Level, Facts]] = [
    ("D101", Level.WARNING, with_org(versions=SAW)),
    ("D102", Level.ERROR, with_org(edition="Professional Edition")),
    ("D102", Level.WARNING, with_org(edition="")),
    ("D108", Level.OK, with_org(silent_users=())),
    ("D108", Level.WARNING, with_org(silent_users=("etl@example.com",))),
    ("D108", Level.NOTE, with_org(silent_users=SAW)),
    ("D103", Level.ERROR, with_org(requests=(0, 1000))),
    ("D103", Level.WARNING, with_org(requests=(99, 1000))),
    ("D103", Level.OK, with_org(requests=(100, 1000))),
    ("D103", Level.NOTE, with_org(requests=SAW)),
    ("D104", Level.WARNING, with_org(rights=SAW)),
    ("D104", Level.OK, with_org(rights=frozenset({"ModifyAllData"}))),
    ("D106", Level.OK, with_org(rights=frozenset({"AssignPermissionSets"}))),
    ("D201", Level.WARNING, with_user(profiles=SAW)),
    ("D203", Level.WARNING, with_user(licenses=SAW)),
    ("D203", Level.OK, HEALTHY),
    ("D203", Level.ERROR, with_user(user=replace(USER.user, active=False))),
    (
        "D203",
        Level.ERROR,
        with_user(
            profiles={PROFILE: LICENSE, "Standard User": "Salesforce"}, user=replace(USER.user, profile="Standard User")
        ),
    ),
    ("D204", Level.OK, HEALTHY),
    ("D205", Level.WARNING, with_user(user=SAW)),
    ("D210", Level.WARNING, with_user(has_license=SAW)),
    ("D211", Level.WARNING, with_user(has_set=SAW)),
    ("D212", Level.OK, HEALTHY),
    ("D212", Level.WARNING, with_user(other_rights=SAW)),
    ("D212", Level.WARNING, with_user(other_rights=OtherRights(groups=("Sales",)))),
    ("D402", Level.OK, HEALTHY),
    ("D402", Level.ERROR, with_relay("this machine")),
    ("D403", Level.WARNING, with_relay("", ProbeFailure("connection", "no route"))),
    ("D404", Level.WARNING, with_relay("", ProbeFailure("certificate", "expired"))),
    ("D405", Level.WARNING, with_relay("", ProbeFailure("health", "503"))),
    ("D405", Level.OK, HEALTHY),
    ("D407", Level.WARNING, with_relay("", None, "0123456789ab")),
    ("D501", Level.OK, HEALTHY),
    ("D501", Level.WARNING, with_data(with_id=0)),
    ("D501", Level.NOTE, with_data(with_id=SAW, counted_by="")),
    ("D502", Level.OK, HEALTHY),
    ("D502", Level.WARNING, with_data(user_id=replace(ID, exists=SAW, visible=False))),
    ("D502", Level.WARNING, with_data(user_id=replace(ID, visible=False), counted_by="", with_id=SAW)),
    ("D502", Level.NOTE, with_data(user_id=replace(ID, visible=False), counted_by=SOURCE.name)),
    ("D502", Level.ERROR, with_data(user_id=replace(ID, exists=False, visible=False), source=None)),
    ("D503", Level.NOTE, with_data(with_id=9, blank=("003",))),
    ("D504", Level.OK, HEALTHY),
    ("D504", Level.WARNING, with_data(duplicates=DuplicateIds(exact=SharedIds(2, ("003 = 004",))))),
    ("D505", Level.OK, HEALTHY),
    ("D505", Level.WARNING, with_data(duplicates=DuplicateIds(case=SharedIds(1, ("003 = 004",))))),
    ("D506", Level.WARNING, with_data(total=MANY)),
    ("D506", Level.WARNING, with_data(total=MANY, source=None)),
    ("D507", Level.OK, HEALTHY),
    ("D507", Level.WARNING, with_data(sharing="Private")),
    ("D507", Level.NOTE, with_data(sharing=SAW)),
    ("D508", Level.OK, with_data(seen=VisibleRecords(USERNAME, reads_object=True, records=10))),
    ("D508", Level.WARNING, with_data(seen=VisibleRecords(USERNAME, reads_object=True, records=9))),
    ("D508", Level.OK, with_data(seen=VisibleRecords(USERNAME.upper(), reads_object=True, records=10))),
    ("D508", Level.ERROR, with_data(seen=VisibleRecords(USERNAME, reads_object=True, records=0))),
    ("D508", Level.ERROR, with_data(seen=VisibleRecords(USERNAME, reads_object=True, records=None))),
    ("D508", Level.ERROR, with_data(seen=VisibleRecords(USERNAME, reads_object=False, records=None))),
    ("D508", Level.WARNING, with_data(seen=VisibleRecords("somebody@example.com", reads_object=True, records=10))),
    ("D508", Level.WARNING, with_data(seen=SAW)),
    ("D508", Level.NOTE, with_data(seen=VisibleRecords(USERNAME, reads_object=True, records=9), with_id=SAW)),
    ("D510", Level.OK, with_data(without_account=0)),
    ("D510", Level.WARNING, with_data(without_account=3)),
    ("D510", Level.NOTE, with_data(without_account=SAW)),
    ("D511", Level.NOTE, with_data(person_accounts=True)),
    ("D513", Level.ERROR, with_data(required_activity_fields=("Outcome__c",))),
    ("D509", Level.WARNING, with_data(total=SAW)),
    ("D509", Level.WARNING, with_data(duplicates=Unknown("too many"))),
]


@pytest.mark.parametrize(
    ("id", "level", "facts"), CASES, ids=[f"{n}-{finding[0]}-{finding[1].word}" for n, finding in enumerate(CASES)]
)
def test_each_case_has_its_level(project: Project, id: str, level: Level, facts: Facts) -> None:
    assert levels(examine(project, facts), id) == {level}


def test_healthy_facts_give_no_error_and_no_warning(project: Project) -> None:
    """Full licenses are no problem for a user who already has a seat, and no other finding appears."""
    findings = examine(project, HEALTHY)
    assert {finding.level for finding in findings} == {Level.OK, Level.NOTE}
    assert {finding.rule for finding in findings if finding.level is Level.NOTE} == {"D401", "D512"}
    assert {finding.rule for finding in findings}.isdisjoint(
        {"D208", "D301", "D302", "D403", "D404", "D503", "D506", "D508", "D509"}
    )


@pytest.mark.parametrize(
    "facts",
    [
        with_data(total=MANY - 1),
        with_data(total=MANY, source=replace(SOURCE, indexed=True)),
        with_data(total=MANY, source=None, user_id=replace(ID, formula=False, indexed=True)),
    ],
)
def test_an_index_or_few_records_make_lookups_fast(project: Project, facts: Facts) -> None:
    assert levels(examine(project, facts), "D506") == set()


@pytest.mark.parametrize(
    ("record_access", "level", "message"),
    [
        ("sharing", Level.WARNING, "the integration user does not see them"),
        ("view_all", Level.WARNING, "the integration user cannot change them"),
        ("modify_all", Level.OK, "is inaccessible because it has no account"),
    ],
)
def test_contacts_without_an_account_are_reported_by_record_access(
    project: Project, record_access: str, level: Level, message: str
) -> None:
    """Contacts without an account are private in every sharing model, even with an open org-wide default."""
    user = project.settings.integration_user.model_copy(update={"record_access": record_access})
    changed = replace(project, settings=project.settings.model_copy(update={"integration_user": user}))
    findings = examine(changed, with_data(without_account=3))
    (private,) = (finding for finding in findings if finding.rule == "D510")
    assert (private.level, message in private.message) == (level, True)
    (shared,) = (finding for finding in findings if finding.rule == "D507")
    assert ("all that have an account" in shared.message) is (record_access == "sharing")


def test_leads_and_contacts_that_are_both_sent_are_noted(project: Project) -> None:
    """A contact that is created by a conversion sends no message, unless conversions run flows."""
    assert levels(examine(project, HEALTHY), "D512") == {Level.NOTE}
    contacts = replace(project, mappings=project.mappings[:1])
    assert levels(examine(contacts, HEALTHY), "D512") == set()


def test_a_certificate_that_is_not_trusted_names_the_list_of_what_salesforce_trusts(project: Project) -> None:
    """Salesforce has its own list of trusted certificate authorities, unlike this machine's: help article 000385468."""
    findings = examine(project, with_relay("", ProbeFailure("certificate", "expired")))
    (finding,) = (candidate for candidate in findings if candidate.rule == "D404")
    assert "/cacerts.jsp" in finding.hint


def test_findings_are_sorted_by_level(project: Project) -> None:
    findings = examine(project, with_org(rights=frozenset(), requests=(1, 1000)))
    levels_in_order = [finding.level for finding in findings]
    assert levels_in_order == sorted(levels_in_order, reverse=True)
    assert levels_in_order[0] is Level.ERROR


def test_every_check_has_a_test_case(root: Path) -> None:
    """Each rule ID is tested by a case in this module or on a local org."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [id for id in DOCTOR_RULES if f'"{id}"' not in tests] == []
