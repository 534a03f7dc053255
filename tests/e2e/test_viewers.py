"""The viewers of the fields that sfcode creates: in the config, by a command, and in the steps after an apply."""

from __future__ import annotations

from sfcode.local import serve
from tests.e2e.org import opened

ADMIN = "admin@northwind.example"
SELLER = "sam.seller@northwind.example"
ASSIGNMENT = "PermissionSetAssignment:Appcues_Viewer/"


def list_viewers(journey, *usernames):
    journey.edit("sfcode.yaml", "version: 1\n", f"version: 1\nviewers: [{', '.join(usernames)}]\n")


def sees_score(journey):
    with serve(journey.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        return "Appcues_NPS_Score__c" in client.describe(["Contact"]).objects["Contact"].fields


def test_the_config_lists_viewers_and_a_removed_name_loses_the_permission_set(applied):
    assert not sees_score(applied), "a new field is visible to nobody"
    list_viewers(applied, ADMIN, SELLER)
    assert applied.actions() == {ASSIGNMENT + ADMIN: "create", ASSIGNMENT + SELLER: "create"}
    result = applied.apply()
    assert result.code == 0, result.err
    assert sees_score(applied)
    assert applied.actions() == {}
    applied.edit("sfcode.yaml", f"{ADMIN}, {SELLER}", SELLER)
    assert applied.actions() == {ASSIGNMENT + ADMIN: "delete"}
    assert "(because it is no longer in the configuration)" in applied.plan().out
    assert applied.apply().code == 0
    assert not sees_score(applied)
    assert applied.actions() == {}
    assert applied.run("rollback", "--auto-approve").code == 0
    assert sees_score(applied), "a rollback puts an assignment back, although nothing else had changed"


def test_a_name_that_the_org_does_not_have_is_refused_before_anything_is_written(journey):
    list_viewers(journey, "nobody@northwind.example")
    refused = journey.apply()
    assert refused.code == 1
    assert "needs the user nobody@northwind.example, which this org does not have" in refused.err
    assert "create the user first, or correct the username" in refused.err
    assert journey.run("state", "list").out == "sfcode manages nothing in this org.\n"


def test_a_command_assigns_the_set_without_a_change_of_the_config(applied):
    assert applied.run("viewers", "list").out == "No user has access to the fields yet.\n"
    assert applied.run("viewers", "add").out == f"added {ADMIN}\n"
    assert sees_score(applied)
    assert applied.run("viewers", "add", ADMIN, SELLER).code == 0
    assert applied.run("viewers", "list", "--json").json["result"]["viewers"] == [ADMIN, SELLER]
    assert applied.actions() == {}
    assert "No changes." in applied.plan().out
    assert applied.run("viewers", "remove", ADMIN, SELLER).code == 0
    assert not sees_score(applied)
    refused = applied.run("viewers", "add", "nobody@northwind.example")
    assert (refused.code, "This org has no user nobody@northwind.example." in refused.err) == (1, True)
    list_viewers(applied, ADMIN.capitalize())
    refused = applied.run("viewers", "remove", ADMIN.title(), SELLER)
    assert refused.code == 1
    assert f"{ADMIN.title()} is listed under `viewers` in sfcode.yaml" in refused.err


def test_viewers_add_before_the_first_apply_is_refused(journey):
    refused = journey.run("viewers", "add")
    assert (refused.code, "This org has no permission set Appcues_Viewer." in refused.err) == (1, True)


def test_an_apply_prints_new_steps_and_next_steps_prints_all(journey):
    first = journey.apply().out
    assert "Left to do in Appcues:" in first
    assert "  - Give people access to the new fields, which nobody can read yet" in first
    assert "\n      sfcode --env local viewers add USERNAME\n" in first
    journey.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    second = journey.apply()
    assert second.code == 0, second.err
    assert "Left to do" not in second.out
    assert "Then run the relay" not in second.out
    journey.edit("sfcode.yaml", "relay_url: http://127.0.0.1:8400", "relay_url: http://127.0.0.1:8500")
    third = journey.apply().out
    assert "http://127.0.0.1:8500/webhooks/appcues" in third
    assert "Installation" not in third
    all_steps = journey.run("next-steps").out
    assert "Installation" in all_steps
    assert "viewers add USERNAME" in all_steps
    list_viewers(journey, ADMIN)
    assert "viewers add" not in journey.run("next-steps").out
