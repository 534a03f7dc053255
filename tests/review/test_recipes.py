"""Statements of a review about recipes: one for each added, removed or changed recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.config.recipe_models import RECIPES
from tests.review.projects import FILES, Files, edited, list_texts, reviewed

ROLE = "    role: {field: Title, map: {VP Sales: sales, CTO: tech}, default: other}\n"
BASE = edited(FILES, ("contact", "    role: Title\n", ROLE))
PROGRESS = """\
group_progress:
  - when: {event: checklist_completed, checklist: [Onboarding, Start]}
    set: {onboarding_done: true, level: 2}
"""
WRITTEN = {
    "completed_flows": "completed_flows:\n",
    "nps_history": "nps_history:\n",
    "nps_by_account": "nps_history:\nnps_by_account:\n",
    "event_registration": "event_registration:\n"
    "  - {when: {event: flow_completed, flow: [Sign-up, f-7]}, campaign: {name: Spring}, status: Registered}\n",
    "role_onboarding": "role_onboarding: {attribute: role, values: [sales, tech, other]}\n",
    "group_progress": PROGRESS,
}
ON = {
    "completed_flows": "low: A report will show completed flows by person and month",
    "nps_history": "medium: Every NPS answer will be kept as a record of `Appcues_NPS_Response__c`, which people with a sharing rule or a role above may read",
    "nps_by_account": "low: A report will show NPS by account",
    "event_registration": "medium: People who complete the flow `Sign-up` or `f-7` will become members of the campaign `Spring`, with the status `Registered`",
    "role_onboarding": "low: Segments in Appcues may choose people by the `role` `other`, `sales` and `tech`",
    "group_progress": "medium: Completed checklists of `Onboarding` or `Start` will set `onboarding_done` to `true` and `level` to `2` in Appcues for the group of the user",
}
OFF = {
    "completed_flows": "low: The report of completed flows by person and month will be deleted",
    "nps_history": "high: NPS answers will no longer be kept, and those in `Appcues_NPS_Response__c` are deleted with it",
    "nps_by_account": "low: The report of NPS by account will be deleted",
    "event_registration": "low: People who complete the flow `Sign-up` or `f-7` will no longer become members of the campaign `Spring`, with the status `Registered`",
    "role_onboarding": "medium: Segments in Appcues must no longer choose people by the `role` `other`, `sales` and `tech`",
    "group_progress": "low: Completed checklists of `Onboarding` or `Start` will no longer set `onboarding_done` to `true` and `level` to `2` in Appcues for the group of the user, where they stay as they are",
}


def with_recipes(text: str) -> Files:
    return {**BASE, "config/recipes.yaml": f"version: 1\n{text}"}


@pytest.mark.parametrize("name", RECIPES)
def test_each_added_or_removed_recipe_has_a_sentence(name: str, tmp_path: Path) -> None:
    with_it = with_recipes(WRITTEN[name])
    assert ON[name] in list_texts(reviewed(tmp_path / "on", BASE, with_it))
    assert OFF[name] in list_texts(reviewed(tmp_path / "off", with_it, BASE))


def test_changed_roles_are_listed_with_the_values_that_get_another_role(tmp_path: Path) -> None:
    before = with_recipes(WRITTEN["role_onboarding"])
    after = edited(
        before, ("config/recipes.yaml", "[sales, tech, other]", "[sales, boss, other]"), ("contact", "tech}", "boss}")
    )
    report = reviewed(tmp_path, before, after)
    assert list_texts(report) == [
        "medium: `role` of Contacts will be sent with other values: `CTO` as `boss` instead of `tech`",
        "medium: Segments in Appcues must no longer choose people by the `role` `tech`",
        "low: Segments in Appcues may choose people by the `role` `boss`",
    ]
    assert [statement.because for statement in report.statements if statement.because] == [
        "segments in Appcues choose people by this attribute",
        "a segment would be empty",
    ]


def test_a_change_of_the_access_to_answers_and_reports_is_listed(tmp_path: Path) -> None:
    before = with_recipes("nps_history:\nnps_by_account:\n")
    after = with_recipes(
        "reports: {share_with: [role:Sales_Manager]}\nnps_history: {account: detail}\nnps_by_account: {account_fields: true}\n"
    )
    lines = list_texts(reviewed(tmp_path, before, after))
    assert {
        "high: NPS answers will be records that everybody who may read the account may read, instead of records that people with a sharing rule or a role above may read",
        "low: Accounts get fields for NPS and its numbers",
        "low: `role:Sales_Manager` will see the report folder `Appcues`",
        "low: `all_internal_users` will no longer see the report folder `Appcues`",
    } <= {*lines}
