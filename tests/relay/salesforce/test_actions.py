"""The writes of each action for one event, without an org."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfcode.config import load
from sfcode.config.event_models import Events, EventText
from sfcode.config.project import Project
from sfcode.mapping.limits import LONG_TEXT_LENGTH, TEXT_LENGTH
from sfcode.relay.message import ClaimedMessage, LatestState, Parked
from sfcode.relay.salesforce.actions import ACTIONS, build_actions
from sfcode.relay.salesforce.actions.action import PlanContext, RecordWrite
from sfcode.relay.salesforce.actions.activities import Activities, activity_kind, external_id
from sfcode.relay.salesforce.actions.nps_fields import NpsFields, field_state_name, legacy_name
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event, score_name
from sfcode.relay.salesforce.texts import compile_texts
from tests.generate.projects import CONTACT, changed, project
from tests.relay.salesforce.world import event

ID = "003000000000001AAA"
FEEDBACK = "Contact_Feedback__c"


EVENTS = load(Path(__file__).resolve().parents[3] / "config", "local").events
"""The shipped texts of events."""


def make(events: Events = EVENTS, **to_salesforce: Any) -> Project:
    spec = changed(CONTACT, to_salesforce=to_salesforce or CONTACT["to_salesforce"])
    return replace(project({"contact": spec}), events=events)


def read(message: ClaimedMessage, of: Project | None = None) -> AppcuesEvent:
    event = read_event(message, (of or make()).events)
    assert not isinstance(event, Parked)
    return event


def context(
    latest: dict[str, LatestState] | None = None, lengths: dict[tuple[str, str], int] | None = None
) -> PlanContext:
    return PlanContext(ID, latest or {}, lengths or {})


def only(writes: list[RecordWrite]) -> RecordWrite:
    (write,) = writes
    return write


@pytest.mark.parametrize(
    ("listed", "name", "attributes", "counts"),
    [
        ({"flow_completed": {"flow": ["Welcome", "f-2"]}}, "flow_completed", {"flowName": "Welcome"}, True),
        ({"flow_completed": {"flow": ["Welcome", "f-2"]}}, "flow_completed", {"flowName": "X", "flowId": "f-2"}, True),
        ({"flow_completed": {"flow": ["Welcome"]}}, "flow_completed", {"flowName": "welcome"}, False),
        ({"flow_completed": {"flow": ["Welcome"]}}, "flow_completed", {}, False),
        ({"flow_completed": {}}, "flow_completed", {"flowName": "Other"}, True),
        ({"nps_score": {"survey": ["Q4"]}}, "nps_score_and_feedback", {"flowName": "Q4", "score": 9}, True),
        ({"nps_score": {"survey": ["Q4"]}}, "nps_score", {"flowName": "Q3", "score": 9}, False),
        (
            {"checklist_item_completed": {"checklist": ["c-1"]}},
            "checklist_item_completed",
            {"checklistId": "c-1"},
            True,
        ),
        ({"goal_reached": {"goal": ["Live"]}}, "goal_reached", {"goalName": "Dead"}, False),
        ({"flow_completed": {"flow": ["Tour"]}}, "v2:done", {"experienceName": "Tour"}, True),
    ],
)
def test_an_activity_is_logged_of_the_items_that_its_filter_names(listed, name, attributes, counts) -> None:
    alias = {"v2:done": {"as": "flow_completed", "attributes": {"flowName": "experienceName"}}}
    of = make(
        Events.model_validate({"version": 1, "aliases": alias, "properties": EVENTS.properties}), activities=[listed]
    )
    (action,) = build_actions(ACTIONS, of, of.resolved[0])
    assert action.handles(read(event(f"appcues:{name}", **attributes), of)) is counts


class TestNpsFields:
    ACTION = NpsFields("contact", "Contact", {"score": "Score__c", "feedback": FEEDBACK}, frozenset({"Score__c"}))
    ALONE = NpsFields("contact", "Contact", {"score": "Score__c"})

    def test_a_score_updates_its_field_and_is_remembered(self) -> None:
        event_read = read(event("appcues:nps_score", score=9))
        write = only(self.ACTION.plan(event_read, context()))
        assert (write.verb, write.object, write.key, write.id) == ("update", "Contact", "Id", ID)
        assert write.fields == {"Score__c": 9}
        assert write.newest == {
            "Score__c": LatestState(field_state_name("Contact", ID, "Score__c"), event_read.stamp, "9")
        }

    def test_an_answer_without_a_field_in_the_mapping_is_skipped(self) -> None:
        event_read = read(event("appcues:nps_score_and_feedback", score=9, feedback="good"))
        assert only(self.ALONE.plan(event_read, context())).fields == {"Score__c": 9}
        assert self.ALONE.plan(read(event("appcues:nps_feedback", feedback="good")), context()) == []
        assert list(self.ALONE.state_names(event_read, ID)) == [
            field_state_name("Contact", ID, "Score__c"),
            legacy_name("contact", ID, "score"),
        ]
        assert list(self.ALONE.written_states(event_read, ID)) == [field_state_name("Contact", ID, "Score__c")]

    @pytest.mark.parametrize(("seconds", "write_text"), [(-1, True), (0, True), (1, False)])
    @pytest.mark.parametrize("name", [field_state_name("Contact", ID, "Score__c"), legacy_name("contact", ID, "score")])
    def test_a_value_never_goes_back_to_an_older_event(self, seconds: float, write_text: bool, name: str) -> None:
        event_read = read(event("appcues:nps_score", score=9))
        earlier_event = read(event("appcues:nps_score", at=seconds, score=1))
        assert bool(self.ACTION.plan(event_read, context({name: LatestState(name, earlier_event.stamp)}))) is write_text

    def test_feedback_is_cut_only_to_the_length_of_the_field_in_the_org(self) -> None:
        event_read = read(event("appcues:nps_feedback", feedback="x" * 300))

        def write_text(lengths: dict[tuple[str, str], int]) -> str:
            return str(only(self.ACTION.plan(event_read, context(lengths=lengths))).fields[FEEDBACK])

        assert len(write_text({("Contact", FEEDBACK): 100})) == 100
        assert len(write_text({("Lead", FEEDBACK): 100})) == 300
        assert len(write_text({})) == 300

    def test_feedback_in_a_field_that_sfcode_created_is_cut_to_its_own_length(self) -> None:
        own = NpsFields("contact", "Contact", {"feedback": FEEDBACK}, frozenset({FEEDBACK}))
        event_read = read(event("appcues:nps_feedback", feedback="x" * (LONG_TEXT_LENGTH + 9)))
        lengths = {("Contact", FEEDBACK): 100}
        assert len(str(only(own.plan(event_read, context(lengths=lengths))).fields[FEEDBACK])) == LONG_TEXT_LENGTH

    def test_only_a_feedback_field_that_was_there_before_is_measured(self) -> None:
        assert self.ACTION.fields_to_measure == {("Contact", FEEDBACK)}
        own = NpsFields("contact", "Contact", {"feedback": FEEDBACK}, frozenset({FEEDBACK}))
        assert own.fields_to_measure == self.ALONE.fields_to_measure == frozenset()

    def test_an_action_handles_its_answers_and_every_unreadable_one(self) -> None:
        assert self.ACTION.handles(read(event("appcues:nps_feedback", feedback="good")))
        assert not self.ALONE.handles(read(event("appcues:nps_feedback", feedback="good")))
        assert not self.ALONE.handles(read(event("appcues:flow_completed")))
        assert self.ALONE.handles(read(event("appcues:nps_score", score="eleven")))
        assert not NpsFields("contact", "Contact", {}).handles(read(event("appcues:nps_score", score="eleven")))

    def test_fields_that_sfcode_created_are_distinguished_from_existing_ones(self) -> None:
        nps = {"score": {"field": "Score__c"}, "feedback": {"field": "Appcues_F__c", "create": True}}
        (mapping,) = make(nps=nps).resolved
        (action,) = build_actions(ACTIONS, make(nps=nps), mapping)
        assert action == NpsFields(
            "contact", "Contact", {"score": "Score__c", "feedback": "Appcues_F__c"}, frozenset({"Appcues_F__c"})
        )


class TestActivities:
    def action(self) -> Activities:
        project = make(activities=["nps_score", "nps_feedback", "flow_completed"], click_to_track=["Clicked Upgrade"])
        (mapping,) = project.resolved
        (action,) = build_actions(ACTIONS, project, mapping)
        assert isinstance(action, Activities)
        return action

    def test_an_event_of_a_flow_is_one_activity_with_its_texts(self) -> None:
        message = event("appcues:flow_completed", id="m1", flowName="Onboarding")
        write = only(self.action().plan(read(message), context()))
        assert (write.verb, write.object, write.key, write.id) == (
            "upsert",
            "Event",
            "Appcues_Event_Id__c",
            "m1:contact:flow_completed",
        )
        assert write.fields == {
            "WhoId": ID,
            "Subject": "Appcues Flow Completed - Onboarding",
            "Description": "User completed your Appcues flow titled “Onboarding”.",
            "StartDateTime": "2026-11-23T12:00:00.000Z",
            "DurationInMinutes": 1,
        }
        assert write.newest == {}

    def test_events_outside_the_mapping_are_not_handled(self) -> None:
        action = self.action()
        assert action.handles(read(event("Clicked Upgrade")))
        for name in ("Clicked Other", "appcues:goal_reached", "appcues:unheard_of"):
            assert not action.handles(read(event(name)))
            assert action.plan(read(event(name)), context()) == []

    def test_a_survey_in_one_event_is_two_activities(self) -> None:
        event_read = read(event("appcues:nps_score_and_feedback", id="m1", score=9, feedback="good"))
        assert [write.id for write in self.action().plan(event_read, context())] == [
            "m1:contact:nps_score",
            "m1:contact:nps_feedback",
        ]

    def test_the_text_of_a_later_feedback_has_the_score_that_was_answered_before_it(self) -> None:
        texts = {"nps_feedback": EventText(subject="{{ score }}", comment="{{ feedback }}")}
        project = make(EVENTS.model_copy(update={"activities": texts}), activities=["nps_feedback"])
        (mapping,) = project.resolved
        (action,) = build_actions(ACTIONS, project, mapping)
        late = read(event("appcues:nps_feedback", feedback="good"), project)
        name = score_name("10001")
        assert list(action.state_names(late, ID)) == [name]

        def subject(at: float, value: Any = 7) -> str:
            stamp = read(event("appcues:nps_score", at=at, score=1)).stamp
            return str(only(action.plan(late, context({name: LatestState(name, stamp, value)}))).fields["Subject"])

        assert (subject(-5), subject(0)) == ("7", "7")
        assert subject(5) != "7", "a later score is another answer's"
        together = read(event("appcues:nps_score_and_feedback", score=9, feedback="good"), project)
        assert list(action.state_names(together, ID)) == []
        assert only(action.plan(together, context({name: LatestState(name, late.stamp, 7)}))).fields["Subject"] == "9"

    @pytest.mark.parametrize(
        ("kind", "object_name", "field", "value"),
        [
            ("event", "Event", "DurationInMinutes", 1),
            ("task", "Task", "ActivityDate", "2026-11-23"),
            ("custom_object", "Appcues_Activity__c", "Appcues_Event__c", "appcues:flow_completed"),
        ],
    )
    def test_each_kind_has_its_object_and_fields(self, kind: str, object_name: str, field: str, value: object) -> None:
        project = make()
        relay = project.settings.relay.model_copy(update={"activities_as": kind})
        settings = project.settings.model_copy(update={"relay": relay})
        activity = activity_kind(replace(project, settings=settings))
        fields = activity.build_fields(read(event("appcues:flow_completed")), "s" * 300, "comment")
        assert (activity.object, activity.external_id) == (object_name, "Appcues_Event_Id__c")
        assert fields[field] == value
        if kind == "task":
            assert fields["Status"] == "Completed"
        if kind == "custom_object":
            assert len(fields["Name"]) == 80
            assert fields["Appcues_Comment__c"] == "comment"


def test_an_external_id_is_readable_as_long_as_it_fits() -> None:
    room = TEXT_LENGTH - len(":contact:nps_score")
    assert external_id("x" * room, "contact", "nps_score").startswith("xx")
    assert external_id("x" * (room + 1), "contact", "nps_score").startswith("sha256-")
    assert external_id("a b", "contact", "nps_score").startswith("sha256-")


class TestReadingAnswers:
    @pytest.mark.parametrize(("score", "read_as"), [(0, 0), (10, 10), ("7", 7), (7.0, 7)])
    def test_a_score_is_a_whole_number_from_0_to_10(self, score: Any, read_as: int) -> None:
        assert read(event("appcues:nps_score", score=score)).score == read_as

    @pytest.mark.parametrize("score", [-1, 11, 7.5, "seven", True, [], None, ""])
    def test_invalid_scores_are_parked_with_their_reason(self, score: Any) -> None:
        event_read = read(event("appcues:nps_score", score=score))
        assert event_read.problem is not None
        assert (event_read.problem.reason, dict(event_read.answers), event_read.score) == ("bad_value", {}, None)

    def test_blank_feedback_counts_as_missing(self) -> None:
        event_read = read(event("appcues:nps_score_and_feedback", score=9, feedback=" \n "))
        assert (dict(event_read.answers), event_read.activities) == ({"score": 9}, ("nps_score",))

    @pytest.mark.parametrize("timestamp", [None, "yesterday", 7])
    def test_an_event_without_a_time_has_the_time_of_its_receipt(self, timestamp: Any) -> None:
        message = event("appcues:flow_completed")
        message.payload["timestamp"] = timestamp  # type: ignore[index]
        assert read(message).time == message.received_at

    @pytest.mark.parametrize("timestamp", ["2026-11-23T13:00:00+02:00", "2026-11-23T11:00:00", "2026-11-23T11:00:00Z"])
    def test_every_time_is_one_of_utc(self, timestamp: str) -> None:
        message = event("appcues:flow_completed")
        message.payload["timestamp"] = timestamp  # type: ignore[index]
        assert read(message).time == datetime(2026, 11, 23, 11, tzinfo=UTC)
        assert read(message).stamp == "2026-11-23T11:00:00.000000Z"


@pytest.mark.parametrize("kind", ["event", "task", "custom_object"])
def test_each_kind_of_activity_holds_subject_comment_and_time(kind: str) -> None:
    project = make()
    relay = project.settings.relay.model_copy(update={"activities_as": kind})
    project = replace(project, settings=project.settings.model_copy(update={"relay": relay}))
    fields = activity_kind(project).build_fields(read(event("appcues:flow_completed", "a")), "subject", "comment")
    time = "2026-11-23" if kind == "task" else "2026-11-23T12:00:00.000Z"
    assert {"subject", "comment", time} <= set(fields.values())
    if kind != "custom_object":
        assert (fields["Subject"], fields["Description"]) == ("subject", "comment")
        return
    assert fields["Name"] == "subject"
    prefix = next(name for name in fields if name.endswith("Comment__c")).removesuffix("Comment__c")
    assert {f"{prefix}Subject__c", f"{prefix}Event__c", f"{prefix}Time__c"} <= set(fields)


def test_feedback_without_an_earlier_score_is_written_with_its_other_values() -> None:
    action = Activities(
        "contact",
        "WhoId",
        activity_kind(make()),
        compile_texts({"nps_feedback": EventText(subject="{{ page }}", comment="{{ feedback }} ({{ score }})")}),
        {"nps_feedback": frozenset()},
    )
    late = read(event("appcues:nps_feedback", "a", feedback="fine", page="Home"))
    fields = only(action.plan(late, context())).fields
    assert (fields["Subject"], fields["Description"]) == ("Home", "fine")
    states = {score_name("a"): LatestState(score_name("a"), late.stamp, "7")}
    fields = only(action.plan(late, context(states))).fields
    assert (fields["Subject"], fields["Description"]) == ("Home", "fine (7)")


def test_of_the_states_of_two_versions_the_newer_one_keeps_an_older_value_out() -> None:
    event_read = read(event("appcues:nps_score", "a", score=9))
    name, legacy = field_state_name("Contact", ID, "Score__c"), legacy_name("contact", ID, "score")
    older, newer = "2026-11-22T12:00:00.000000Z", "2026-11-24T12:00:00.000000Z"
    for stamps in ((older, newer), (newer, older)):
        states = {
            state_name: LatestState(state_name, stamp) for state_name, stamp in zip((name, legacy), stamps, strict=True)
        }
        assert TestNpsFields.ALONE.plan(event_read, context(states)) == []
