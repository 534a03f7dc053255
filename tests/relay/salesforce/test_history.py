"""The calls that the writer records in the history of messages, and paused mappings."""

from __future__ import annotations

from datetime import UTC, datetime

from sfcode.org.collections import RecordError
from sfcode.relay.inbox.pauses import PAUSED, Pause
from sfcode.relay.message import AttemptedWrite, Delivered, Retry
from tests.relay.salesforce.scripted import OUTAGE, ScriptedCalls
from tests.relay.salesforce.test_batch import QUIET, Scene, people
from tests.relay.salesforce.world import World, event

FIELDS = ("Appcues_NPS_Score__c", "Appcues_NPS_Feedback__c")


def test_each_write_is_recorded_with_names_and_ids_and_without_values(world: World) -> None:
    score, other = event("appcues:nps_score", score=7), event("appcues:flow_completed", "10002", flowName="My flow")
    world.deliver(score, other)
    contact = world.contact()
    activities = {row["Appcues_Event_Id__c"]: row["Id"] for row in world.events()}
    update, upsert = world.writes[score.id]
    assert update == AttemptedWrite("update", "Contact", FIELDS[:1], "ok", record_id=contact["Id"])
    key = f"{score.message_id}:contact:nps_score"
    assert (upsert.verb, upsert.object, upsert.status) == ("upsert", "Event", "ok")
    assert (upsert.record_id, upsert.key, upsert.external_id) == (activities[key], "Appcues_Event_Id__c", key)
    assert {"Subject", "WhoId"} <= set(upsert.fields)
    assert [write.object for write in world.writes[other.id]] == ["Event"]
    assert "My flow" not in str(world.writes)


def test_a_refused_record_is_recorded_with_its_code_and_without_quoted_values() -> None:
    error = RecordError("STRING_TOO_LONG", "too large: my secret")
    scene = Scene(ScriptedCalls(people("a"), ends=[{"003a": error}]), (QUIET,))
    message = event("appcues:nps_feedback", "a", feedback="my secret")
    delivery = scene.deliver(message)
    (write,) = delivery.writes[message.id]
    assert (write.status, write.text, write.record_id) == ("STRING_TOO_LONG", "too large: …", "003a")


def test_a_call_without_an_answer_is_recorded() -> None:
    message = event("appcues:nps_score", "a", score=7)
    delivery = Scene(ScriptedCalls(people("a"), ends=[OUTAGE]), (QUIET,)).deliver(message)
    assert [(write.record_id, write.status) for write in delivery.writes[message.id]] == [("003a", "no answer")]


def pause(world: World, *names: str) -> None:
    world.writer.pauses.replace(Pause("mapping", name, "ann@host", datetime.now(UTC)) for name in names)


def test_the_events_of_a_paused_mapping_wait_and_the_org_is_not_asked(world: World) -> None:
    pause(world, "contact", "lead")
    message = event("appcues:nps_score", score=7)
    (end,) = world.deliver(message)
    assert isinstance(end, Retry)
    assert (end.reason, end.counts) == (PAUSED, False)
    assert world.recorder.calls == []
    assert world.writes == {}
    world.writer.pauses.replace(())
    assert world.deliver(message) == [Delivered()]


def test_another_mapping_of_the_event_is_written_and_the_paused_one_follows(world: World) -> None:
    pause(world, "lead")
    message = event("appcues:nps_score", score=7)
    assert world.deliver(message) == [Delivered("waits for mapping lead")]
    assert world.contact()["NPS_Score__c"] == 7
    assert [followup.message.message_id for followup in world.followups] == [f"{message.message_id}@lead"]
    assert world.recorder.alarms == [], "a pause is no refusal of the org"
