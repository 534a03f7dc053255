"""`sfcode state` lists and shows managed components, and forgets and adopts them without changing them."""

from __future__ import annotations

import pytest

FLOW = "Flow:Appcues_contact"
FIELD = "CustomField:Contact.Appcues_NPS_Score__c"


def listing(journey):
    return journey.run("state", "list").out.splitlines()


def test_state_list_and_show_print_the_components_of_the_last_apply(applied):
    answer = applied.run("state", "list", "--json").json["result"]
    assert answer["components"] == listing(applied)
    assert {FLOW, FIELD} < set(answer["components"])
    assert answer["applied_by"]
    document = applied.run("state", "show", FIELD).json
    assert (document["address"], document["body"]["type"]) == (FIELD, "Number")
    assert applied.run("--json", "state", "show", FIELD).json == {"status": 0, "result": document, "warnings": []}
    mark = {name: document[name] for name in ("applied_at", "applied_by", "revision")}
    assert mark == {name: answer[name] for name in mark}
    assert listing(applied) == sorted(listing(applied))
    text = applied.run("rollback", "--list").out
    [row] = applied.run("--json", "rollback", "--list").json["result"]
    assert text == f"{row['id']}  {row['applied_at']}  {row['applied_by']}  {len(row['addresses'])} components\n"
    assert {name: row[name] for name in mark} == mark
    assert row["addresses"] == sorted(row["addresses"])
    assert FIELD in row["addresses"]
    assert "s3cr3t" not in applied.run("state", "show", "WorkflowOutboundMessage:Contact.Appcues_contact").out


def test_before_the_first_apply_nothing_is_managed(journey):
    assert listing(journey) == ["sfcode manages nothing in this org."]
    refused = journey.run("state", "show", FLOW)
    assert (refused.code, f"sfcode does not manage {FLOW}." in refused.err) == (1, True)
    assert journey.run("state", "forget", FLOW).code == 1


def test_a_forgotten_component_stays_as_it_is_and_is_adopted_again(applied):
    before = listing(applied)
    result = applied.run("state", "forget", FIELD)
    assert (result.code, result.out.splitlines()[-1]) == (0, f"forgotten {FIELD}")
    refused_twice = applied.run("--json", "state", "forget", FIELD)
    assert (refused_twice.code, refused_twice.json["status"]) == (1, 1)
    assert listing(applied) == [address for address in before if address != FIELD]
    refused = applied.plan()
    assert (refused.code, f"--adopt {FIELD}" in refused.out + refused.err) == (1, True)
    assert applied.run("state", "forget", FIELD).code == 1
    assert applied.run("state", "adopt", FIELD).code == 0
    assert listing(applied) == before
    assert applied.plan().last_line.startswith("No changes.")
    second_result = applied.run("state", "adopt", FIELD)
    assert (second_result.code, f"sfcode already manages {FIELD}." in second_result.err) == (1, True)


def test_destroy_does_not_delete_forgotten_components(visible):
    assert visible.run("state", "forget", FIELD).code == 0
    assert visible.run("destroy", "--auto-approve").code == 0
    with_field = visible.plan()
    assert f"--adopt {FIELD}" in with_field.out + with_field.err


def test_the_state_is_deleted_when_all_components_are_forgotten(applied):
    assert applied.run("state", "forget", *listing(applied)).code == 0
    assert listing(applied) == ["sfcode manages nothing in this org."]


def test_a_record_is_handed_over_and_taken_back_like_a_component(applied):
    user = next(address for address in listing(applied) if address.startswith("User:"))
    assert applied.run("state", "show", user).json["address"] == user
    before = listing(applied)
    assert applied.run("state", "forget", user).code == 0
    assert user not in listing(applied)
    assert applied.run("state", "adopt", user).code == 0
    assert listing(applied) == before
    assert applied.plan().last_line.startswith("No changes.")


def test_only_components_of_the_config_are_adopted(applied):
    refused = applied.run("state", "adopt", "Flow:Nope")
    assert (refused.code, "Flow:Nope" in refused.err) == (1, True)


class TestAForgottenUser:
    """The user stays unchanged, whatever the project does afterwards."""

    @pytest.fixture
    def released(self, visible):
        # The assignment of the permission set ends with the set, which an org does not delete while it is assigned.
        rows = [address for address in listing(visible) if address.startswith(("User:", "PermissionSetLicenseAssign:"))]
        assert visible.run("state", "forget", *rows).code == 0
        return rows

    def test_is_not_the_previous_user_of_another_one(self, visible, released):
        visible.edit("sfcode.yaml", "username: appcues.integration@", "username: other.integration@")
        assert not {*released} & visible.actions().keys()

    def test_is_not_deactivated_by_destroy_or_rollback(self, visible, released):
        for mode in (("plan", "--destroy"), ("rollback",)):
            planned = visible.run(*mode).out
            assert FLOW in planned
            assert not [address for address in released if address in planned]

    def test_is_changed_only_after_it_is_adopted(self, visible, released):
        user = next(address for address in released if address.startswith("User:"))
        visible.edit("sfcode.yaml", "last_name: Appcues Integration", "last_name: Somebody Else")
        assert f"--adopt {user}" in visible.plan().out

    def test_is_managed_again_by_the_next_apply_that_changes_something(self, visible, released):
        assert visible.apply().code == 0
        assert not {*released} & {*listing(visible)}
        visible.edit("mappings/contact.yaml", "plan:", "subscription:")
        assert visible.apply().code == 0
        assert {*released} <= {*listing(visible)}


def test_a_rollback_leaves_forgotten_components(visible):
    assert visible.run("state", "forget", FIELD).code == 0
    planned = visible.run(
        "rollback",
    ).out
    assert FLOW in planned
    assert FIELD not in planned
