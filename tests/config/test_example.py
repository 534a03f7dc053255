"""The repository's own config is the complete integration of Appcues' help page."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.config import load
from sfcode.config.events_file import default_events, render_events_file
from sfcode.config.yaml import parse
from sfcode.mapping.events import ACTIVITY_EVENTS, HELP_PAGE_ACTIVITIES

HELP_PAGE = {
    "nps_score": (
        "Appcues NPS Score Submitted - {{ score }}",
        "{{ score }} NPS score. Submission location: {{ currentPageUrl }} ({{ currentPageTitle }}",
    ),
    "nps_feedback": (
        "Appcues NPS Feedback Submitted",
        "{{ feedback }} Submission location: {{ currentPageUrl }} ({{ currentPageTitle }}",
    ),
    "flow_completed": (
        "Appcues Flow Completed - {{ flowName }}",
        "User completed your Appcues flow titled “{{ flowName }}”.",
    ),
    "checklist_item_completed": (
        "Appcues Checklist Item #{{ itemIndex + 1 }} Completed - {{ checklistName }}",
        "User has completed an item titled, “{{ itemIndex }}”. This is part of the “{{ itemIndex }}” checklist.",
    ),
    "checklist_completed": (
        "Appcues Checklist Fully Completed - {{ checklistName }}",
        "User has completed all items in the “{{ checklistName }}” checklist.",
    ),
    "goal_reached": (
        "Appcues Goal Reached - {{ goalName }}",
        "User has completed the goal titled, “{{ goalName }}”",
    ),
}
"""The table of events on https://docs.appcues.com/integration-documents/salesforce-two-way-integration."""


def corrected(event: str, comment: str) -> str:
    if event.startswith("nps_"):
        return comment + ")"
    return comment.replace("titled, “{{ itemIndex }}", "titled, “{{ itemLabel }}").replace(
        "the “{{ itemIndex }}", "the “{{ checklistName }}"
    )


@pytest.mark.parametrize("environment", ["local", "sandbox", "production"])
def test_the_example_loads_without_warnings_in_every_environment(root: Path, environment: str) -> None:
    project = load(root / "config", environment)
    assert project.warnings == ()
    assert [(mapping.name, mapping.spec.object) for mapping in project.mappings] == [
        ("contact", "Contact"),
        ("lead", "Lead"),
    ]


def test_production_is_protected_and_local_is_not(root: Path) -> None:
    assert load(root / "config", "production").target.protected
    assert not load(root / "config", "local").target.protected


def test_both_mappings_use_all_that_the_help_page_offers(root: Path) -> None:
    for mapping in load(root / "config", "local").mappings:
        section = mapping.spec.to_salesforce
        assert section is not None
        assert section.activity_events == HELP_PAGE_ACTIVITIES
        assert section.click_to_track
        assert section.nps.score is not None
        assert section.nps.feedback is not None
        assert section.nps.score.create
        assert mapping.spec.user_id.from_ == "Product_User_Id__c"
        assert mapping.spec.to_appcues is not None
        assert {"role", "plan"} <= set(mapping.spec.to_appcues.attributes)


@pytest.mark.parametrize("event", HELP_PAGE)
def test_the_texts_are_those_of_the_help_page_with_its_two_errors_corrected(event: str) -> None:
    subject, comment = HELP_PAGE[event]
    text = default_events().activities[event]  # type: ignore[index]
    assert (text.subject, text.comment) == (subject, corrected(event, comment))


def test_every_event_has_a_text() -> None:
    assert set(default_events().activities) == {*ACTIVITY_EVENTS, "click_to_track"}


def test_the_example_of_events_is_the_shipped_default(root: Path) -> None:
    shipped = parse(render_events_file().encode(), "f").data
    assert parse((root / "config" / "events.yaml").read_bytes(), "f").data == shipped
