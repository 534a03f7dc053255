"""A change of the config that affects only the relay is planned, counted, approved and recorded."""

from __future__ import annotations

from tests.e2e.journey import Journey

LAST = "Plan: 0 to add, 0 to change, 0 to destroy. Relay: 3 to change."


def test_a_rename_of_an_attribute_and_a_text_are_changes_until_they_are_applied(applied: Journey) -> None:
    assert applied.plan("--detailed-exitcode").code == 0
    applied.edit("mappings/contact.yaml", "    plan: Plan__c", "    tier: Plan__c")
    applied.edit("events.yaml", "Appcues Flow Completed - ", "Flow done - ")

    planned = applied.plan("--detailed-exitcode")
    assert (planned.code, planned.last_line) == (2, LAST)
    assert '- plan = { field = "Plan__c" }' in planned.out
    assert '+ tier = { field = "Plan__c" }' in planned.out
    saved = applied.plan("--out", "plan.json")
    assert "Saved." in saved.out
    assert applied.run("show", "plan.json").last_line == LAST

    result = applied.apply("plan.json")
    assert result.code == 0, result.err
    assert "The relay uses the new config after it has loaded the files" in result.out
    second_result = applied.plan("--detailed-exitcode")
    assert (second_result.code, second_result.last_line.startswith("No changes.")) == (0, True)


def test_a_rollback_leaves_the_recorded_config_as_it_was(applied: Journey) -> None:
    """A rollback restores the org. The relay's config is that of the project, which a rollback does not change."""
    applied.edit("mappings/contact.yaml", "    email: Email", "    mail: Email\n    phone: Phone")
    assert applied.apply().code == 0
    rolled_back = applied.run("rollback", "--auto-approve")
    assert rolled_back.code == 0, rolled_back.err
    document = applied.plan("--format", "json").json
    assert document["relay"]["changes"] == []
