"""Values never return to older ones, writes are never duplicated, and messages of one user keep their order."""

from __future__ import annotations

from dataclasses import replace

from sfcode.config.event_models import Alias, EventText
from sfcode.relay.message import Delivered, Released, Retry
from tests.relay.salesforce.world import World, event


def test_a_score_never_goes_back_to_an_older_event(world: World) -> None:
    assert world.deliver(event("appcues:nps_score", at=60, score=9)) == [Delivered()]
    assert world.deliver(event("appcues:nps_score", at=30, score=2)) == [Delivered()]
    assert world.contact()["NPS_Score__c"] == 9
    assert len(world.events("Appcues_Event_Id__c != null")) == 2, "what happened is written all the same"


def test_a_score_never_goes_back_after_a_restart(world: World) -> None:
    world.deliver(event("appcues:nps_score", at=60, score=9))
    assert world.deliver(event("appcues:nps_score", at=30, score=2), writer=world.fresh_writer()) == [Delivered()]
    assert world.contact()["NPS_Score__c"] == 9


def test_a_score_never_goes_back_within_one_claim(world: World) -> None:
    ends = world.deliver(event("appcues:nps_score", at=60, score=9), event("appcues:nps_score", at=30, score=2))
    assert ends == [Delivered(), Delivered()]
    assert world.contact()["NPS_Score__c"] == 9


def test_a_message_that_is_delivered_again_changes_nothing(world: World) -> None:
    """The message is delivered again, as after a crash before the settlement: its stamp and external ID are known."""
    message = event("appcues:nps_score_and_feedback", score=9, feedback="Good")
    for _ in range(3):
        assert world.deliver(message) == [Delivered()]
    assert len(world.events("Appcues_Event_Id__c != null")) == 2
    assert world.contact()["NPS_Score__c"] == 9


def test_without_activities_an_older_value_is_reported_as_stale(world: World) -> None:
    (contact, *_) = world.project.mappings
    section = contact.spec.to_salesforce.model_copy(update={"activities": ()})
    quiet = replace(contact, spec=contact.spec.model_copy(update={"to_salesforce": section}))
    writer = world.fresh_writer(replace(world.project, mappings=(quiet,)))
    assert world.deliver(event("appcues:nps_score", at=60, score=9), writer=writer) == [Delivered()]
    assert world.deliver(event("appcues:nps_score", at=30, score=2), writer=writer) == [Delivered("stale")]


def with_texts(world: World, **changes: object):
    return world.fresh_writer(replace(world.project, events=world.project.events.model_copy(update=changes)))


def paired(world: World):
    text = EventText(subject="Feedback", comment="{{ feedback }} ({{ score }})")
    return with_texts(world, activities={**world.project.events.activities, "nps_feedback": text})


def comments(world: World) -> list[str]:
    return [row["Description"] for row in world.events("Subject = 'Feedback'")]


def test_feedback_is_paired_with_the_users_score_before_it(world: World) -> None:
    writer = paired(world)
    world.deliver(event("appcues:nps_score", at=0, score=7), writer=writer)
    world.deliver(event("appcues:nps_feedback", at=5, feedback="fine"), writer=paired(world))
    assert comments(world) == ["fine (7)"]


def test_feedback_is_paired_within_one_claim_too(world: World) -> None:
    world.deliver(
        event("appcues:nps_score", at=0, score=7),
        event("appcues:nps_feedback", at=5, feedback="fine"),
        event("appcues:nps_feedback", "10002", at=5, feedback="whose?"),
        writer=paired(world),
    )
    assert comments(world) == ["fine (7)", "whose?"]


def test_feedback_is_not_paired_with_a_later_score(world: World) -> None:
    writer = paired(world)
    world.deliver(event("appcues:nps_score", at=60, score=7), writer=writer)
    world.deliver(event("appcues:nps_feedback", at=5, feedback="earlier"), writer=writer)
    assert comments(world) == ["earlier"]


def test_other_events_are_handled_as_known_ones_by_config(world: World) -> None:
    alias = Alias.model_validate({"as": "flow_completed", "attributes": {"flowName": "experienceName"}})
    writer = with_texts(world, aliases={"v2:experience_completed": alias})
    delivery = world.deliver(event("appcues:v2:experience_completed", experienceName="Tour"), writer=writer)
    assert delivery == [Delivered()]
    (activity,) = world.events("Appcues_Event_Id__c != null")
    assert activity["Subject"] == "Appcues Flow Completed - Tour"


def test_a_message_that_waits_holds_back_those_of_its_user_and_no_others(world: World) -> None:
    world.control.arm("row_lock", object="contact", times=1)
    ends = world.deliver(
        event("appcues:nps_score", "10001", at=0, score=1),
        event("appcues:nps_score", "10002", at=0, score=2),
        event("appcues:nps_score", "10001", at=9, score=3),
        event("appcues:flow_completed", "10001", at=10, flowName="W"),
        event("appcues:nps_score", "10002", at=9, score=4),
    )
    locked = ends[0]
    assert isinstance(locked, Retry)
    assert locked.counts
    assert locked.error.startswith("UNABLE_TO_LOCK_ROW")
    assert ends[1:] == [Delivered(), Released(), Released(), Delivered()]
    assert world.contact("10001")["NPS_Score__c"] is None
    assert world.contact("10002")["NPS_Score__c"] == 4


def test_messages_of_a_user_share_their_calls_in_their_order(world: World) -> None:
    """The Events of the user are created in the order of arrival, whatever their times."""
    scores = [3, 1, 4, 1, 5, 9, 2, 6]
    messages = [event("appcues:nps_score", at=-index, score=score) for index, score in enumerate(scores)]
    assert world.deliver(*messages) == [Delivered()] * len(scores)
    assert [operation for operation, _ in world.recorder.calls] == ["lookup", "update", "upsert"]
    ids_by_key = {row["Appcues_Event_Id__c"]: row["Id"] for row in world.events("Appcues_Event_Id__c != null")}
    ids = [ids_by_key[f"{message.message_id}:contact:nps_score"] for message in messages]
    assert ids == sorted(ids), "an org gives IDs in the order in which records are made"
