"""The recipes, from an event of Appcues to the records of reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfcode.mapping.recipes import RESPONSE_ID_FIELD
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import connect
from sfcode.org.results import DeployOptions
from sfcode.relay.clock import boot_time
from sfcode.relay.load.answers import AnswerReader
from sfcode.relay.load.rows import ExportRow
from sfcode.relay.message import Delivered, InboxMessage
from sfcode.relay.salesforce.actions.nps_responses import plan_rewrites
from tests.e2e.journey import Journey
from tests.e2e.recipes import RESPONSE, with_recipes
from tests.local.automation.building import deploy
from tests.relay.salesforce.held_calls import relays
from tests.relay.salesforce.world import World, event
from tests.waiting import PATIENCE

Q4 = {"flowName": "Q4 survey", "flowId": "s-4"}
HOUR = 3600.0
FIELDS = "Score__c, Feedback__c, Category__c, Promoter__c, Detractor__c, Survey__c, Survey_Id__c, Answered_At__c, Contact__c, Account__c"


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Journey]]:
    with with_recipes(
        tmp_path_factory.mktemp("recipes"), "completed_flows:\nnps_history:\nnps_by_account:\n"
    ) as world_and_journey:
        yield world_and_journey


@pytest.fixture
def world(applied: tuple[World, Journey]) -> Iterator[World]:
    world = applied[0]
    world.latest.clear()
    yield world
    ids = [row["Id"] for row in world.rest.rows(f"SELECT Id FROM {RESPONSE}")]
    if ids:
        world.rest("DELETE", f"/composite/sobjects?ids={','.join(ids)}")


def answers(world: World) -> list[dict[str, Any]]:
    rows = world.rest.rows(f"SELECT {FIELDS} FROM {RESPONSE} ORDER BY Answered_At__c, Score__c")
    return [{name: value for name, value in row.items() if name != "attributes"} for row in rows]


def test_a_score_and_its_feedback_are_one_answer(world: World) -> None:
    (person,) = world.rest.rows("SELECT Id, AccountId FROM Contact WHERE Product_User_Id__c = 10001")
    ends = world.deliver(
        event("appcues:nps_score", score=9, **Q4), event("appcues:nps_feedback", at=60, feedback="Great", **Q4)
    )
    assert ends == [Delivered(), Delivered()]
    assert answers(world) == [
        {
            "Score__c": 9,
            "Feedback__c": "Great",
            "Category__c": "Promoter",
            "Promoter__c": 1,
            "Detractor__c": 0,
            "Survey__c": "Q4 survey",
            "Survey_Id__c": "s-4",
            "Answered_At__c": "2026-11-23T12:00:00.000+0000",
            "Contact__c": person["Id"],
            "Account__c": person["AccountId"],
        }
    ]


@pytest.mark.parametrize("is_reversed", [False, True], ids=["once", "each twice, after a restart that forgot"])
def test_the_parts_of_an_answer_may_arrive_in_any_order(world: World, is_reversed: bool) -> None:
    messages = [
        event("appcues:nps_feedback", at=60, feedback="Great", **Q4),
        event("appcues:nps_score", at=0, score=3, **Q4),
        event("appcues:nps_score", at=90, score=9, **Q4),
        event("appcues:nps_score", at=30, score=5, **Q4),
    ]
    for message in messages:
        world.deliver(message)
        if is_reversed:
            world.deliver(message)
    (answer,) = answers(world)
    assert (answer["Score__c"], answer["Feedback__c"]) == (9, "Great")
    assert answer["Answered_At__c"] == "2026-11-23T12:00:00.000+0000"


def test_answers_to_another_survey_or_on_another_day_are_separate_answers(world: World) -> None:
    world.deliver(
        event("appcues:nps_score", score=9, **Q4),
        event("appcues:nps_score", at=25 * HOUR, score=2, **Q4),
        event("appcues:nps_score", at=10, score=7, flowName="Other"),
    )
    world.deliver(event("appcues:nps_feedback", at=HOUR, feedback="late", **Q4))
    assert [(row["Score__c"], row["Feedback__c"], row["Category__c"]) for row in answers(world)] == [
        (9, "late", "Promoter"),
        (7, None, "Passive"),
        (2, None, "Detractor"),
    ]


def test_a_first_event_that_is_delivered_again_without_its_state_makes_no_second_answer(world: World) -> None:
    message = event("appcues:nps_score", score=9, **Q4)
    world.deliver(message)
    world.latest.clear()
    world.deliver(message)
    assert len(answers(world)) == 1


def test_feedback_alone_is_neither_a_promoter_nor_a_detractor(world: World) -> None:
    world.deliver(event("appcues:nps_feedback", feedback="Hm", **Q4))
    assert [
        (row["Score__c"], row["Category__c"], row["Promoter__c"], row["Detractor__c"]) for row in answers(world)
    ] == [(None, None, 0, 0)]


def test_past_answers_become_records_and_change_nothing_else(world: World) -> None:
    reader = AnswerReader(world.project.events, datetime(2026, 11, 23, tzinfo=UTC), {})
    rows = [
        {"user_id": "10001", "time": "2025-03-01T09:30:00Z", "score": 3, "feedback": "Slow", "flowName": "Q1"},
        {"user_id": "10001", "time": "2024-03-01T09:30:00Z", "score": 10, "flowName": "Q1"},
    ]
    messages = [message for row in rows if isinstance(message := reader.read(ExportRow(2, row)), InboxMessage)]
    contact, activities = world.contact(), world.events()
    for _ in range(2):  # the second time without the states of the inbox
        world.latest.clear()
        claimed = [
            replace(event(message.kind), message_id=message.message_id, payload=message.payload) for message in messages
        ]
        assert world.deliver(*claimed) == [Delivered(), Delivered()]
    assert [(row["Score__c"], row["Feedback__c"], row["Answered_At__c"][:10]) for row in answers(world)] == [
        (10, None, "2024-03-01"),
        (3, "Slow", "2025-03-01"),
    ]
    assert (world.contact(), world.events()) == (contact, activities)


def test_an_activity_records_its_event_and_its_item(world: World) -> None:
    world.deliver(
        event("appcues:flow_completed", flowName="Welcome, all"),
        event("appcues:checklist_completed", "10001", checklistName="Start"),
        event("Clicked Upgrade"),
    )
    rows = world.rest.rows(
        "SELECT Appcues_Event__c, Appcues_Item__c FROM Event WHERE (NOT Appcues_Event__c LIKE 'nps%') "
        "AND Appcues_Event_Id__c != null ORDER BY Appcues_Event__c"
    )
    assert [(row["Appcues_Event__c"], row["Appcues_Item__c"]) for row in rows] == [
        ("checklist_completed", "Start"),
        ("click_to_track", "Clicked Upgrade"),
        ("flow_completed", "Welcome, all"),
    ]


def test_a_removed_recipe_deletes_only_its_own_components(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    path = journey.folder / "config" / "recipes.yaml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text("version: 1\ncompleted_flows:\nnps_history:\n", encoding="utf-8")
        assert _changes(world, journey) == {"Report:Appcues/NPS_By_Account": "delete"}
        path.write_text("version: 1\nnps_history:\nnps_by_account:\n", encoding="utf-8")
        assert _changes(world, journey) == {
            "CustomField:Activity.Appcues_Event__c": "delete",
            "CustomField:Activity.Appcues_Item__c": "delete",
            "PermissionSet:Appcues_Integration": "update",
            "PermissionSet:Appcues_Viewer": "update",
            "Report:Appcues/Completed_Flows": "delete",
        }
        path.unlink()
        actions = _changes(world, journey)
        assert {address.partition(":")[0] for address, action in actions.items() if action == "delete"} == {
            "CustomField",
            "CustomObject",
            "Report",
            "ReportFolder",
        }
        assert all(
            "NPS_Response" in name or "Activity." in name or "Report" in name
            for name, how in actions.items()
            if how == "delete"
        )
    finally:
        path.write_text(text, encoding="utf-8")
    assert _changes(world, journey) == {}


def test_an_edited_report_is_kept_and_a_deleted_one_is_created_again(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    edited = {"format": "Tabular", "name": "Mine now", "reportType": "Activity"}
    deploy(world.local, Component("Report", "Appcues/Completed_Flows", edited))
    assert _changes(world, journey) == {}
    drift = journey.run("--org", world.local.url, "plan", "--refresh-only", "--detailed-exitcode")
    assert drift.code == 0, drift.out
    with connect(world.local.url, environ={"SF_ACCESS_TOKEN": world.local.access_token}, api_version="63.0") as org:
        package = zip_files(write([], "63.0", deleted=[Address("Report", "Appcues/NPS_By_Account")]))
        assert org.metadata.follow(org.metadata.deploy(package, DeployOptions())).success
    assert _changes(world, journey) == {"Report:Appcues/NPS_By_Account": "create"}
    assert journey.run("--org", world.local.url, "apply", "--auto-approve").code == 0
    assert _changes(world, journey) == {}


def _changes(world: World, journey: Journey) -> dict[str, str]:
    plan = journey.run("--org", world.local.url, "plan", "--format", "json")
    # A plan that would lose values is refused, but still prints its changes.
    assert plan.out, plan.err
    return {
        change["address"]: change["change"]["actions"][0]
        for change in plan.json["resource_changes"]
        if change["change"]["actions"] != ["no-op"]
    }


@pytest.mark.parametrize("settles", [True, False], ids=["frozen", "killed"])
def test_a_late_upsert_does_not_overwrite_a_corrected_answer(world: World, tmp_path: Path, settles: bool) -> None:
    """A proxy delays the upsert of a process until the process has lost its lease and the answer has been corrected."""
    with relays(world, tmp_path) as relay, ThreadPoolExecutor(1) as pool:
        relay.proxy.held_path = f"/composite/sobjects/{RESPONSE}/{RESPONSE_ID_FIELD}"
        relay.store(2, at=1)
        claim = replace(relay.claim(lease=0.1), deadline=boot_time() + PATIENCE)
        relay.proxy.holds = True
        late = pool.submit(relay.deliver, claim) if settles else pool.submit(asyncio.run, relay.writer().deliver(claim))
        assert relay.proxy.arrived.wait(PATIENCE)
        relay.store(9, at=2)
        relay.store_feedback("Better now", at=3)
        time.sleep(0.2)
        for _ in range(3):
            relay.deliver(relay.claim())
        corrected = answers(world)
        assert [(row["Score__c"], row["Feedback__c"]) for row in corrected] == [(9, "Better now")]
        relay.proxy.released.set()
        late.result(PATIENCE)
        assert [row["Score__c"] for row in answers(world)] == [2]
        relay.drain()
        assert answers(world) == corrected


def test_a_long_delivered_answer_is_not_written_again(world: World) -> None:
    """The record of the answer may have been deleted on purpose since."""
    world.deliver(event("appcues:nps_score", score=9, **Q4))
    world.deliver(event("appcues:nps_score", at=100 * HOUR, score=2, **Q4))
    (state,) = (state for name, state in world.latest.items() if name.startswith("answers:"))
    assert [write.fields["Score__c"] for write in plan_rewrites(state)] == [2]


def test_redacted_feedback_is_not_kept_for_another_write(world: World) -> None:
    settings = world.project.settings
    changed = settings.model_copy(update={"relay": settings.relay.model_copy(update={"redact_feedback": True})})
    writer = world.fresh_writer(replace(world.project, settings=changed))
    survey = event("appcues:nps_score_and_feedback", score=3, feedback="My boss is horrible", **Q4)
    world.deliver(survey, writer=writer)
    assert [row["Feedback__c"] for row in answers(world)] == ["My boss is horrible"]
    assert "horrible" not in str(world.latest)
    (state,) = (state for name, state in world.latest.items() if name.startswith("answers:"))
    assert [write.fields["Score__c"] for write in plan_rewrites(state)] == [3]
