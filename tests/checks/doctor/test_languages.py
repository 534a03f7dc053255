"""Values that an org changes: profile names in another language, e-mail addresses in lower case."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.apply.records import write_record
from sfcode.config import load
from sfcode.diagnostics import Level
from sfcode.local.sobjects.rows import PROFILE_NAMES
from sfcode.org.profiles import find_profile
from sfcode.plan.change import Action
from sfcode.plan.modes import WHOLE_PLAN
from sfcode.plan.plan import Plan
from sfcode.plan.planner import make_plan
from tests.checks.doctor.clinic import USERNAME, Clinic

ENGLISH = "Minimum Access - API Only Integrations"
GERMAN = "Minimaler Zugriff - Nur API-Integrationen"
SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": "s3cr3t-outbound-0123456789abcdef"}


@pytest.fixture
def in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make SOQL return the profile's name as for a user with the language German; the name in the metadata is unchanged."""
    monkeypatch.setitem(PROFILE_NAMES, ENGLISH, GERMAN)


def planned(clinic: Clinic) -> Plan:
    project = load(clinic.folder / "config", "local", name=Path("config"))
    with clinic.org() as (_, org):
        return make_plan(project, org, SECRETS, WHOLE_PLAN).plan


def user_change(plan: Plan) -> Action:
    return next(change.action for change in plan.changes if change.address.type == "User")


def test_a_profile_is_the_same_in_every_language(clinic: Clinic, in_german: None) -> None:
    plan = planned(clinic)
    assert (user_change(plan), plan.refusals) == (Action.NO_OP, ())
    levels_by_rule = {
        finding.rule: finding.level for finding in clinic.run_doctor() if finding.rule in ("D201", "D202", "D207")
    }
    assert levels_by_rule == {"D201": Level.OK, "D202": Level.OK, "D207": Level.OK}


def test_the_local_org_names_standard_profiles_in_the_language_of_the_user(clinic: Clinic) -> None:
    with clinic.org() as (_, org):
        (admin,) = org.query("SELECT Id FROM User WHERE Username = {}", org.identity.username)
        org.update("User", admin["Id"], {"LanguageLocaleKey": "de"})
        (profile,) = org.query("SELECT Name FROM Profile WHERE Name = {}", "Systemadministrator")
        assert org.query("SELECT Name FROM Profile WHERE Name = {}", "System Administrator") == []
        (row,) = org.query("SELECT Profile.Name FROM User WHERE Id = {}", admin["Id"])
        assert row["Profile"]["Name"] == profile["Name"]
        assert find_profile(org, "Admin") is not None, "the name in the metadata is the same for everybody"


def test_a_user_is_made_with_a_profile_of_another_language(clinic: Clinic, in_german: None) -> None:
    """The profile is found by its name in the metadata, so a first apply has the same result as in an English org."""
    clinic.forget()
    plan = planned(clinic)
    assert (user_change(plan), plan.refusals) == (Action.CREATE, ())
    with clinic.org() as (_, org):
        write_record(org, next(change for change in plan.changes if change.address.type == "User"))
        (user,) = org.query("SELECT Profile.Name FROM User WHERE Username = {}", USERNAME)
    assert user["Profile"]["Name"] == GERMAN
    assert user_change(planned(clinic)) is Action.NO_OP


def test_a_profile_that_the_org_does_not_have_is_refused_by_the_plan(clinic: Clinic) -> None:
    """The refusal comes before anything is written, and shows the profile's name that works in every language."""
    clinic.forget()
    clinic.edit("sfcode.yaml", f"profile: {ENGLISH}", f"profile: {GERMAN}")
    (refusal,) = planned(clinic).refusals
    assert str(refusal.address) == f"User:{USERNAME}"
    assert f"needs the profile {GERMAN}, which this org does not have" in str(refusal)
    assert "as in package.xml" in str(refusal)


def test_an_address_in_capitals_is_no_change(clinic: Clinic) -> None:
    """Salesforce stores e-mail addresses in lower case; writing an address again would restart its verification."""
    clinic.edit("sfcode.yaml", "admin_email: admin@example.com", "admin_email: CRM-Admins@Example.com")
    clinic.change_user(Email="crm-admins@example.com")
    assert user_change(planned(clinic)) is Action.NO_OP
    clinic.change_user(Email="somebody@example.com")
    assert user_change(planned(clinic)) is Action.UPDATE
