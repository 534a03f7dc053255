"""A lost state is reported, and components with the managed mark are managed again on request."""

from __future__ import annotations

from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.org import component, deploy, opened

STATE = Address("StaticResource", "Appcues_sfcode_state")
SCORE = Address("CustomField", "Contact.Appcues_NPS_Score__c")


def lose_state(journey):
    with serve(journey.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        (row,) = client.query("SELECT Id FROM StaticResource WHERE Name = {}", STATE.full_name)
        client.delete("StaticResource", row["Id"])


def test_everything_is_managed_again_without_a_change(applied):
    managed = applied.run("state", "list").out
    lose_state(applied)
    refused = applied.plan()
    assert refused.code == 1
    assert (
        "are marked as managed by sfcode, and this org has no state of the project Appcues: it was lost" in refused.out
    )
    assert "pass --adopt-managed to manage them again" in refused.out
    assert "sfcode did not create it" not in refused.out
    planned = applied.plan("--adopt-managed")
    assert planned.code == 0, planned.out
    assert planned.out.splitlines()[-1].startswith("No changes to make in Northwind Traders")
    for _ in range(2):  # the same command also succeeds a second time
        result = applied.apply("--adopt-managed")
        assert result.code == 0, result.err
    assert applied.run("state", "list").out == managed
    assert applied.plan("--refresh-only").out.startswith("No drift.")


def test_components_without_the_managed_mark_are_adopted_by_name_only(applied):
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        field = component(org, SCORE)
        assert field is not None
        deploy(org, type(field)(field.type, field.full_name, {**field.body, "description": "Ours."}))
    lose_state(applied)
    refused = applied.plan("--adopt-managed")
    assert refused.code == 1
    assert f"{SCORE} exists in the org, and sfcode did not create it; pass --adopt {SCORE}" in refused.out
    assert applied.plan("--adopt-managed", "--adopt", str(SCORE)).code == 0


def test_a_marked_component_missing_from_the_state_is_reported(applied):
    assert applied.run("state", "forget", str(SCORE)).code == 0
    refused = applied.plan()
    assert f"{SCORE} is marked as managed by sfcode, and the state does not list it" in refused.out
    assert applied.plan("--adopt-managed").code == 0


def test_a_destroy_without_a_state_warns_that_components_may_remain(applied):
    lose_state(applied)
    planned = applied.plan("--destroy")
    warning = "this org has no state of the project Appcues: if it was applied here, the state was lost"
    assert warning in planned.out + planned.err
    assert "# User:" not in planned.out, "without a state, the user is not known to be managed"


def test_components_of_another_project_are_not_adopted(applied):
    applied.edit("sfcode.yaml", "name: Appcues\n", "name: Other\n")
    applied.edit("sfcode.yaml", "username: appcues.integration@", "username: other@")
    applied.edit("mappings/contact.yaml", "Appcues_", "Other_")
    applied.edit("mappings/lead.yaml", "Appcues_", "Other_")
    result = applied.apply()
    assert result.code == 0, result.err
    applied.edit("mappings/contact.yaml", "Other_NPS_Score__c", "Appcues_NPS_Score__c")
    refused = applied.plan("--adopt-managed")
    assert refused.code == 1
    assert f"{SCORE} exists in the org, and the project Appcues manages it" in refused.out
