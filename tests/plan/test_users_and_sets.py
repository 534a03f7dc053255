"""Records of a plan: their order, the previous integration user, and assignments of deleted permission sets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.config.project import Project
from sfcode.errors import OrgError
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan
from sfcode.plan.records import read_sign_ins
from sfcode.plan.snapshot import OrgSnapshot, SignIns
from sfcode.plan.state import Applied, Past
from tests.plan.samples import USER, build, desired, number, observed, permissions

PROFILE = "Minimum Access - API Only Integrations"
LICENSE = "SalesforceAPIIntegrationPsl"
SET = "Appcues_Integration"
OLD = "old@example.com"
LAST = "2026-11-28T10:00:00Z"


def user(name: str, **body: object) -> Component:
    return Component("User", name, {"Username": name, "Profile": PROFILE, "IsActive": True, **body})


def license_of(name: str) -> Component:
    return Component("PermissionSetLicenseAssign", f"{LICENSE}/{name}", {})


def assignment(name: str, permission_set: str = SET) -> Component:
    address = f"{permission_set}/{name}"
    return Component("PermissionSetAssignment", address, {"Assignee": name, "PermissionSet": permission_set})


def message(user_name: str) -> Component:
    return Component("WorkflowOutboundMessage", "Contact.Appcues_contact", {"integrationUser": user_name})


def done(plan: Plan) -> dict[str, str]:
    return {str(change.address): change.action.value for change in plan.effective}


def renamed(project: Project, *rows: Component, former: str = OLD, **more: object) -> Plan:
    """Plan for another integration user than that of the last apply."""
    now, before = message("appcues@example.com"), message(former)
    managed = user(former)
    applied = Applied({before.address: before.body}, records={managed.address: managed.body})
    return build(project, desired(now), replace(observed(before, *rows, **more), applied=applied))


def recorded(*rows: Component, other_rows: tuple[Component, ...] = ()) -> OrgSnapshot:
    """Return an org in which the last apply created some records, and other records exist."""
    return replace(observed(*rows, *other_rows), applied=Applied({}, records={row.address: row.body for row in rows}))


@pytest.mark.parametrize(
    ("sign_ins", "expected"),
    [
        (SignIns(LAST, 30, {"Data Loader": 2, "ETL": 1}), "3 times in the last 30 days, the last time on"),
        (
            SignIns(LAST, 30, {"ETL": 1}),
            f"once in the last 30 days, the last time on {LAST}, with ETL (1): applications that sign in",
        ),
        (
            SignIns(LAST, 30),
            f"it signed in last on {LAST}: applications that sign in as this user will stop working",
        ),
    ],
)
def test_sign_ins_of_a_deactivated_user_are_reported(project: Project, sign_ins: SignIns, expected: str) -> None:
    sign_ins_by_user = {Address("User", OLD.upper()): sign_ins}  # usernames ignore case
    plan = renamed(project, user(OLD), user("appcues@example.com"), sign_ins=sign_ins_by_user)
    (warning,) = (text for text in plan.warnings if "signed in" in text)
    assert warning.startswith(f"User:{OLD} is deactivated, but it signed in")
    assert expected in warning
    inactive = renamed(project, user(OLD, IsActive=False), user("appcues@example.com"), sign_ins=sign_ins_by_user)
    assert not any("signed in" in text for text in inactive.warnings)


class Rows:
    """An org that answers queries from a table; an entry that is an error is raised."""

    def __init__(self, **rows: Any) -> None:
        self.rows = rows

    def query(self, soql: str, *_: str) -> Any:
        (answer,) = (rows for name, rows in self.rows.items() if f" FROM {name} " in soql)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_without_the_right_to_read_sign_ins_the_last_one_is_known() -> None:
    history = [{"Application": "ETL", "Status": "Success"}, {"Application": "ETL", "Status": "Invalid Password"}]
    row = {"Id": "005", "LastLoginDate": "2026-11-28T10:00:00.000+0000"}

    def read(history: Any, row: dict[str, Any] = row) -> SignIns | None:
        return read_sign_ins(Rows(User=[row], LoginHistory=history), OLD)  # type: ignore[arg-type]

    assert read(history) == SignIns(LAST, 30, {"ETL": 1})
    assert read(OrgError("no such object", code="INVALID_TYPE")) == read([]) == SignIns(LAST, 30)
    assert read(history, row | {"LastLoginDate": None}) is None
    with pytest.raises(OrgError, match="down"):
        read(OrgError("down", code="SERVER_UNAVAILABLE"))


def test_users_and_licenses_come_before_the_metadata_and_assignments_after_it(project: Project) -> None:
    name = "appcues@example.com"
    records = (assignment(name), license_of(name), USER)
    plan = build(project, desired(number("A__c"), permissions(), message(name), records=records), observed())
    assert [change.address.type for change in plan.changes] == [
        "User",
        "PermissionSetLicenseAssign",
        "CustomField",
        "PermissionSet",
        "WorkflowOutboundMessage",
        "PermissionSetAssignment",
    ]


class TestThePreviousUser:
    def test_is_deactivated_and_loses_what_sfcode_gave_it(self, project: Project) -> None:
        plan = renamed(project, user(OLD), license_of(OLD), assignment(OLD), assignment(OLD, "Theirs"))
        assert done(plan) == {
            f"User:{OLD}": "update",
            f"PermissionSetLicenseAssign:{LICENSE}/{OLD}": "delete",
            "WorkflowOutboundMessage:Contact.Appcues_contact": "update",
            f"PermissionSetAssignment:{SET}/{OLD}": "delete",
        }
        (deletion,) = (change for change in plan.changes if change.address.type == "User")
        assert deletion.after == user(OLD, IsActive=False)

    @pytest.mark.parametrize("other", [{"Profile": "Sales"}, {"IsActive": False}])
    def test_with_another_profile_or_inactive_is_unchanged(self, project: Project, other: dict[str, object]) -> None:
        plan = renamed(project, user(OLD, **other), license_of(OLD), assignment(OLD))
        assert done(plan) == {"WorkflowOutboundMessage:Contact.Appcues_contact": "update"}

    def test_missing_in_the_org_is_no_change(self, project: Project) -> None:
        assert done(renamed(project, license_of(OLD), assignment(OLD))) == {
            "WorkflowOutboundMessage:Contact.Appcues_contact": "update"
        }

    def test_is_none_if_only_the_case_of_the_name_differs(self, project: Project) -> None:
        plan = renamed(project, user("Appcues@Example.com"), former="Appcues@Example.com")
        assert "User:Appcues@Example.com" not in done(plan)

    def test_is_a_managed_user_and_not_another_user_of_a_message(self, project: Project) -> None:
        """Messages of earlier applies still refer to a user whom `sfcode state forget` has released."""
        now, before = message("appcues@example.com"), message(OLD)
        past = Past("1", "now", "me", None, {before.address: before.body}, frozenset({before.address}))
        applied = Applied({before.address: before.body}, history=(past,))
        snapshot = replace(observed(before, user(OLD), license_of(OLD)), applied=applied)
        assert done(build(project, desired(now), snapshot)) == {str(now.address): "update"}

    def test_that_the_config_asks_for_under_its_own_address_is_planned_once(self, project: Project) -> None:
        before = message(OLD)
        snapshot = observed(before, user(OLD), applied=(before,))
        plan = build(project, desired(message("appcues@example.com"), records=(user(OLD),)), snapshot)
        assert [change.action for change in plan.changes if change.address.type == "User"] == [Action.NO_OP]

    @pytest.mark.parametrize("mode", [Mode.APPLY, Mode.DESTROY])
    def test_has_the_profile_that_the_last_apply_gave_it_whatever_profile_the_config_names(
        self, project: Project, mode: Mode
    ) -> None:
        former, rows = user(OLD, Profile="Former"), (license_of(OLD), assignment(OLD))
        plan = build(project, desired(), recorded(former, *rows), mode=mode)
        assert done(plan) == {
            f"User:{OLD}": "update",
            f"PermissionSetLicenseAssign:{LICENSE}/{OLD}": "delete",
            f"PermissionSetAssignment:{SET}/{OLD}": "delete",
        }


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.DESTROY])
class TestAssignmentsOfAnApply:
    def test_that_the_config_no_longer_has_are_deleted_for_every_user(self, project: Project, mode: Mode) -> None:
        name = "appcues@example.com"
        former, assignment_row, person = license_of(name), assignment(name), assignment("person@example.com", "Former")
        snapshot = recorded(USER, former, assignment_row, person, other_rows=(assignment(name, "Theirs"),))
        expected = {str(former.address): "delete", str(person.address): "delete"}
        if mode is Mode.DESTROY:
            expected |= {str(assignment_row.address): "delete", str(USER.address): "update"}
        assert done(build(project, desired(records=(USER, assignment_row)), snapshot, mode=mode)) == expected

    def test_of_a_user_with_another_profile_are_deleted_and_the_user_is_kept(
        self, project: Project, mode: Mode
    ) -> None:
        person = user("person@example.com")
        snapshot = recorded(person, assignment("person@example.com"))
        promoted = user("person@example.com", Profile="Sales")
        snapshot = replace(snapshot, components={**snapshot.components, person.address: promoted})
        deleted = str(assignment("person@example.com").address)
        assert done(build(project, desired(), snapshot, mode=mode)) == {deleted: "delete"}

    def test_that_are_gone_are_no_change(self, project: Project, mode: Mode) -> None:
        snapshot = recorded(license_of(OLD))
        snapshot = replace(snapshot, components={})
        assert done(build(project, desired(), snapshot, mode=mode)) == {}


class TestAnUnmanagedUser:
    """A user with the username of the config that sfcode did not create."""

    @pytest.mark.parametrize(
        "body",
        [{"Email": "etl@example.com"}, {"Email": "crm@example.com", "Profile": "Sales"}, {"LastName": "ETL"}],
    )
    def test_is_not_changed_without_adoption(self, project: Project, body: dict[str, object]) -> None:
        body = {"Email": "crm@example.com", **body}
        existing_user = Component(
            "User", "appcues@example.com", {**user("appcues@example.com", LastName="Sync").body, **body}
        )
        desired_user = user("appcues@example.com", LastName="Sync", Email="crm@example.com")
        snapshot = observed(existing_user)
        (refusal,) = build(project, desired(records=(desired_user,)), snapshot).refusals
        assert str(refusal).startswith("User:appcues@example.com exists in the org with the profile ")
        assert not build(project, desired(records=(desired_user,)), snapshot, adopt=(existing_user.address,)).refusals
        managed = replace(snapshot, applied=Applied({}, records={existing_user.address: existing_user.body}))
        assert not build(project, desired(records=(desired_user,)), managed).refusals

    @pytest.mark.parametrize("active", [True, False])
    def test_may_be_activated_if_it_is_as_the_config_says(self, project: Project, active: bool) -> None:
        existing_user, desired_user = user("appcues@example.com", IsActive=active), user("appcues@example.com")
        assert not build(project, desired(records=(desired_user,)), observed(existing_user)).refusals


class TestOthersWithTheRights:
    def warnings(self, project: Project, *names: str, rows: tuple[Component, ...] = ()) -> list[str]:
        plan = renamed(project, *rows, assignees=tuple(Address("User", name) for name in names))
        return [warning.partition(" is assigned to ")[2].partition(" too")[0] for warning in plan.warnings]

    def test_are_named(self, project: Project) -> None:
        assert self.warnings(project, "a@example.com", "b@example.com") == ["a@example.com", "b@example.com"]

    def test_are_neither_the_integration_user_in_any_case_nor_a_deactivated_previous_user(
        self, project: Project
    ) -> None:
        assert self.warnings(project, "APPCUES@example.com", OLD.upper(), rows=(user(OLD),)) == []

    def test_include_a_previous_user_who_stays_active(self, project: Project) -> None:
        assert self.warnings(project, OLD) == [OLD]
        assert self.warnings(project, OLD, rows=(user(OLD, Profile="Sales"),)) == [OLD]


class TestAssignmentsOfADeletedSet:
    def plan(self, project: Project, mode: Mode = Mode.APPLY) -> Plan:
        set_of_others = Component("PermissionSet", "Theirs", {"label": "Theirs"})
        rows = (assignment("a@example.com"), assignment("b@example.com"), assignment("c@example.com", "Theirs"))
        layout = Component("Layout", SET, {"label": "a namesake of another type"})
        snapshot = observed(permissions(), set_of_others, *rows, layout, applied=(permissions(), set_of_others))
        return build(project, desired(set_of_others), snapshot, mode=mode)

    def test_are_deleted_with_the_set_for_every_assignee(self, project: Project) -> None:
        assert done(self.plan(project)) == {
            f"PermissionSet:{SET}": "delete",
            f"PermissionSetAssignment:{SET}/a@example.com": "delete",
            f"PermissionSetAssignment:{SET}/b@example.com": "delete",
        }

    def test_are_kept_with_the_set(self, project: Project) -> None:
        snapshot = observed(permissions(), assignment("a@example.com"), applied=(permissions(A__c=True),))
        plan = build(project, desired(permissions(A__c=True)), snapshot)
        assert done(plan) == {f"PermissionSet:{SET}": "update"}

    def test_are_kept_if_only_a_component_of_another_type_with_the_same_name_is_deleted(self, project: Project) -> None:
        layout = Component("Layout", SET, {})
        snapshot = observed(layout, permissions(), assignment("a@example.com"), applied=(layout, permissions()))
        assert done(build(project, desired(permissions()), snapshot)) == {f"Layout:{SET}": "delete"}

    def test_of_the_integration_user_are_planned_once_in_a_destroy(self, project: Project) -> None:
        own = assignment("appcues@example.com")
        snapshot = observed(permissions(), USER, own, assignment("b@example.com"))
        records = {USER.address: USER.body, own.address: own.body}
        snapshot = replace(snapshot, applied=Applied({permissions().address: permissions().body}, records=records))
        plan = build(project, desired(records=(USER, own)), snapshot, mode=Mode.DESTROY)
        addresses = [str(change.address) for change in plan.changes]
        assert sorted(addresses) == sorted({*addresses})
        assert done(plan) == {
            "User:appcues@example.com": "update",
            f"PermissionSet:{SET}": "delete",
            f"PermissionSetAssignment:{SET}/appcues@example.com": "delete",
            f"PermissionSetAssignment:{SET}/b@example.com": "delete",
        }


class TestAdopted:
    def flags(self, project: Project, snapshot: OrgSnapshot) -> dict[str, bool]:
        desired_state = desired(number("A__c"), number("B__c"))
        plan = build(project, desired_state, snapshot, adopt=(number("A__c").address,))
        return {change.address.full_name.partition(".")[2]: change.adopted for change in plan.changes}

    def test_is_a_named_component_that_is_unmanaged_and_in_the_org(self, project: Project) -> None:
        assert self.flags(project, observed(number("A__c"), number("B__c"))) == {"A__c": True, "B__c": False}

    def test_is_no_component_that_is_missing_or_already_managed(self, project: Project) -> None:
        assert self.flags(project, observed(number("B__c"))) == {"A__c": False, "B__c": False}
        managed = observed(number("A__c"), applied=(number("A__c"),))
        assert self.flags(project, managed) == {"A__c": False, "B__c": False}


@pytest.mark.parametrize("mode", list(Mode))
def test_a_plan_knows_its_mode(project: Project, mode: Mode) -> None:
    a = number("A__c")
    snapshot = observed(a, applied=(a,))
    history = (Past("1", "now", "me", None, {a.address: None}, frozenset()),)
    snapshot = replace(snapshot, applied=replace(snapshot.applied, history=history))
    assert build(project, desired(a), snapshot, mode=mode).mode is mode


def test_an_address_in_neither_config_nor_org_is_no_change() -> None:
    from sfcode.plan.change import Change

    assert Change(Address("CustomField", "Contact.A__c"), None, None).action is Action.NO_OP
