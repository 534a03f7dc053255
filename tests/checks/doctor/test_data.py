"""Doctor's findings about records: duplicate IDs in a Text field, and the records that the integration user sees."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.checks.doctor import collect_facts
from sfcode.checks.doctor.collect_records import AT_ONCE, EXAMPLES, _split_by_length, find_duplicate_ids
from sfcode.diagnostics import Level
from sfcode.errors import UsageError
from sfcode.local import load
from tests.checks.doctor.clinic import USERNAME, Clinic, find_only, levels

NORTHWIND = Path(__file__).resolve().parents[3] / "sfcode" / "local" / "seed" / "northwind.yaml"
IDS = ["ab1", "AB1", "x", "x", "", "solo", "zz", "ZZ", "zz"]


def text_ids(clinic: Clinic, field: str = "{label: Ext, type: Text, length: 40}") -> None:
    """Give contacts a Text field with user IDs, which the mapping uses directly."""
    text = NORTHWIND.read_text(encoding="utf-8")
    head, _, _ = text.partition("\nrecords:")
    rows = [f"    - {{LastName: P{n}, Ext__c: '{value}'}}" for n, value in enumerate(IDS)]
    company = clinic.folder / "company.yaml"
    head += f"\n  CustomField:Contact.Ext__c: {field}\n"
    company.write_text(head + "\nrecords:\n  Contact:\n" + "\n".join(rows) + "\n", encoding="utf-8")
    load(clinic.state, company, rng=random.Random(3))
    clinic.edit("mappings/contact.yaml", "field: Appcues_User_Id__c", "field: Ext__c")
    clinic.edit("mappings/contact.yaml", "  from: Product_User_Id__c\n", "")


def test_ids_in_a_text_field_are_compared_exactly(clinic: Clinic) -> None:
    """An org ignores case when it groups IDs; two exact duplicates and two spellings of one ID are still distinguished."""
    text_ids(clinic)
    findings = clinic.run_doctor()
    exact, case = find_only(findings, "D504", Level.WARNING), find_only(findings, "D505", Level.WARNING)
    assert (exact.message, len(exact.records)) == ("user IDs on several records: 2", 2)
    assert (case.message, len(case.records)) == ("user IDs that differ in case only: 2", 2)
    assert any("9 Contact records, 8 would sync, 1 have no user ID" in finding.message for finding in findings)
    assert len(find_only(findings, "D503", Level.NOTE).records) == 1
    assert any("Contact.Ext__c is a text field" in finding.message for finding in findings)


def test_findings_contain_no_personal_data(clinic: Clinic) -> None:
    """Examples are IDs of records: findings contain neither names nor user IDs."""
    text_ids(clinic)
    text = " ".join(f"{finding.message} {finding.hint} {' '.join(finding.records)}" for finding in clinic.run_doctor())
    assert "solo" not in text
    assert "AB1" not in text


def test_a_hidden_user_id_field_gives_no_findings_about_ids(clinic: Clinic) -> None:
    """Without field access and without a source the number of IDs is unknown, and not reported as zero."""
    text_ids(clinic)
    from sfcode.local.store import Store
    from sfcode.metadata.component import Component
    from tests.checks.doctor.clinic import NOON

    with Store(clinic.state / "org.db") as store, store.transaction() as tx:
        stored = tx.components.get("Profile", "Admin")
        assert stored is not None
        body = dict(stored.component.body)
        fields = {name: rights for name, rights in body["fieldPermissions"].items() if name != "Contact.Ext__c"}
        tx.components.put(Component("Profile", "Admin", {**body, "fieldPermissions": fields}), user_id="u", now=NOON)
    findings = clinic.run_doctor()
    assert "the IDs cannot be checked" in find_only(findings, "D502", Level.WARNING).message
    assert "how many would sync is not known" in find_only(findings, "D501", Level.NOTE).message
    assert not any("Contact records, 0" in finding.message for finding in findings)


def test_the_integration_user_sees_what_is_shared(clinic: Clinic) -> None:
    """If all records are readable, the integration user counts the same numbers as the administrator."""
    findings = [finding for finding in clinic.run_doctor(as_user=USERNAME) if finding.rule == "D508"]
    assert [(finding.level, finding.message) for finding in findings] == [
        (Level.OK, "the integration user (contact) sees 26 of 26 records with a user ID"),
        (Level.OK, "the integration user (lead) sees 11 of 11 records with a user ID"),
    ]


def test_the_integration_user_sees_nothing_of_private_records(clinic: Clinic) -> None:
    clinic.share("Lead", "Private")
    findings = clinic.run_doctor(as_user=USERNAME)
    assert "sees 0 of 11" in find_only(findings, "D508", Level.ERROR).message


def test_the_integration_user_sees_the_private_records_that_it_owns(clinic: Clinic) -> None:
    with clinic.org() as (_, org):
        (user,) = org.query("SELECT Id FROM User WHERE Username = {}", USERNAME)
        (lead,) = org.query("SELECT Id FROM Lead WHERE Product_User_Id__c = 20001")
        org.update("Lead", lead["Id"], {"OwnerId": user["Id"]})
    clinic.share("Lead", "Private")
    assert "sees 1 of 11" in find_only(clinic.run_doctor(as_user=USERNAME), "D508", Level.WARNING).message


def test_the_integration_user_without_its_permission_set_reads_nothing(clinic: Clinic) -> None:
    clinic.unassign("PermissionSetAssignment")
    findings = [finding for finding in clinic.run_doctor(as_user=USERNAME) if finding.rule == "D508"]
    assert {finding.level for finding in findings} == {Level.ERROR}
    assert all("cannot read" in finding.message for finding in findings)


def test_a_second_sign_in_of_another_user_is_not_counted(clinic: Clinic) -> None:
    """The records that are visible to a seller are not those of the integration user."""
    findings = clinic.run_doctor(as_user="sam.seller@northwind.example")
    assert levels(findings, "D508") == {Level.WARNING}


def test_the_second_sign_in_must_be_to_the_same_org(clinic: Clinic, tmp_path: Path) -> None:
    from sfcode.config import load as load_project
    from sfcode.local import serve
    from sfcode.org import connect

    project = load_project(clinic.folder / "config", "local")
    with clinic.org() as (_, org), serve(tmp_path / "other") as other_org:
        environ = {"SF_ACCESS_TOKEN": other_org.access_token}
        with (
            connect(other_org.url, environ=environ, api_version="63.0") as another,
            pytest.raises(UsageError, match="--as"),
        ):
            collect_facts(project, org, another, {})


@given(st.lists(st.sampled_from(["a", "A", "aB", "Ab", "é", "É", "1", "1.0"])))
def test_duplicate_ids_equal_those_counted_in_python(values: list[str]) -> None:
    duplicate_ids = find_duplicate_ids((str(n), value) for n, value in enumerate(values))
    assert duplicate_ids.exact.ids == sum(values.count(value) > 1 for value in set(values))
    folded = [value.lower() for value in set(values)]
    assert duplicate_ids.case.ids == sum(folded.count(value) > 1 for value in set(folded))
    assert len(duplicate_ids.exact.records) == min(EXAMPLES, duplicate_ids.exact.ids)


@given(st.lists(st.text(min_size=1, max_size=300), max_size=200))
def test_values_go_into_queries_that_fit_into_an_address(values: list[str]) -> None:
    from urllib.parse import quote

    chunks = list(_split_by_length(values))
    assert [value for chunk in chunks for value in chunk] == values
    assert all(len(chunk) == 1 or sum(len(quote(value)) for value in chunk) <= AT_ONCE for chunk in chunks)
