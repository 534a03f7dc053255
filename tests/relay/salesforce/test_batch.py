"""One claim with each result of a call: sent calls, settlements, and messages that wait."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from sfcode.config.event_models import EventText
from sfcode.org.collections import RecordError
from sfcode.relay.message import ClaimedMessage, Delivered, Delivery, LatestState, Parked, Released, Retry
from sfcode.relay.rewrite import rewrites
from sfcode.relay.salesforce.actions.activities import Activities
from sfcode.relay.salesforce.calls import CallFailedError
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import REDACTED, records_name, score_name
from sfcode.relay.salesforce.texts import compile_texts
from tests.relay.salesforce.scripted import (
    CONTACT,
    FEEDBACK,
    KEY,
    LEAD,
    OUTAGE,
    QUIET,
    REFUSED_MAPPING,
    SCORE,
    Scene,
    ScriptedCalls,
    destination,
    people,
)
from tests.relay.salesforce.world import NOON, event

STATE = f"field:Contact:003a:{SCORE}"
STAMP = "2026-11-23T12:00:00.000000Z"
LATER = "2026-11-23T12:01:00.000000Z"
LOCKED = RecordError("UNABLE_TO_LOCK_ROW", "busy")
LEAD_STATE = f"field:Lead:00Qa:{SCORE}"
NUMBERS = itertools.count(900_000)


def values(delivery: Delivery) -> dict[str, tuple[str, str]]:
    """Return the latest states of a delivery: stamp and value by name."""
    return {state.name: (state.stamp, state.value) for state in delivery.latest}


def rewrite(name: str = STATE) -> ClaimedMessage:
    """Return a claimed message that writes a state again."""
    (message,) = rewrites("appcues", [name])
    return ClaimedMessage(
        next(NUMBERS), message.source, message.message_id, message.key, message.kind, message.payload, 0, NOON
    )


def both_mappings(*users: str) -> dict[str, list[tuple[str, str]]]:
    """Return people with a contact and a lead for each user."""
    return people(*users) | people(*users, mapping="lead", prefix="00Q")


class TestWrites:
    def test_an_event_becomes_one_update_and_one_activity_about_its_record(self) -> None:
        scene = Scene(ScriptedCalls(people("a")))
        message = event("appcues:nps_score", "a", score=9)
        assert scene.settle(message) == [Delivered()]
        update, upsert = scene.calls.sent
        assert update.records == [{"attributes": {"type": "Contact"}, "Id": "003a", SCORE: 9}]
        assert (upsert.verb, upsert.object, upsert.key) == ("upsert", "Event", KEY)
        (activity,) = upsert.records
        assert activity["attributes"] == {"type": "Event"}
        assert activity["WhoId"] == "003a"
        assert activity[KEY] == f"{message.message_id}:contact:nps_score"
        assert scene.calls.deadlines == [1234.0] * 3

    def test_values_of_one_record_from_two_messages_are_one_record_with_the_newer_value(self) -> None:
        """Salesforce refuses a call that contains an ID twice."""
        scene = Scene(ScriptedCalls(people("a")), (QUIET,))
        newer = event("appcues:nps_score", "a", at=9, score=9, key="group:x")
        older = event("appcues:nps_score_and_feedback", "a", score=2, feedback="old", key="user:a")
        assert scene.settle(newer, older) == [Delivered(), Delivered()]
        (update,) = scene.calls.sent
        assert update.records == [{"attributes": {"type": "Contact"}, "Id": "003a", SCORE: 9, FEEDBACK: "old"}]

    def test_of_two_values_of_the_same_time_the_one_that_came_last_is_written(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,))
        scene.settle(
            event("appcues:nps_score", "a", score=2, key="x"), event("appcues:nps_score", "a", score=9, key="y")
        )
        assert scene.calls.sent[0].records[0][SCORE] == 9

    def test_records_of_one_object_stand_next_to_each_other(self) -> None:
        """In one call, Salesforce accepts at most ten changes from one object to another."""
        records = people("a", "c") | people("b", "d", mapping="lead", prefix="00Q")
        scene = Scene(ScriptedCalls(records), (QUIET, destination("lead", "Lead", activities=())))
        scene.settle(*(event("appcues:nps_score", user, score=1) for user in "abcd"))
        (update,) = scene.calls.sent
        assert [record["attributes"]["type"] for record in update.records] == ["Contact", "Contact", "Lead", "Lead"]

    def test_no_activity_is_written_for_a_message_whose_value_has_to_wait(self) -> None:
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[{"003a": LOCKED}]))
        first, second = event("appcues:nps_score", "a", score=1), event("appcues:nps_score", "b", score=2)
        ends = scene.settle(first, second)
        assert isinstance(ends[0], Retry)
        assert ends[1] == Delivered()
        assert scene.calls.sent[1].ids == [f"{second.message_id}:contact:nps_score"]

    def test_where_every_message_has_to_wait_no_further_call_is_made(self) -> None:
        scene = Scene(ScriptedCalls(people("a"), ends=[OUTAGE]))
        scene.settle(event("appcues:nps_score", "a", score=1))
        assert [call.verb for call in scene.calls.sent] == ["update"]

    def test_a_parked_value_does_not_keep_the_activity_from_being_written(self) -> None:
        scene = Scene(
            ScriptedCalls(people("a"), ends=[{"003a": RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")}])
        )
        (end,) = scene.settle(event("appcues:nps_score", "a", score=1))
        assert isinstance(end, Parked)
        assert end.reason == "field_custom_validation_exception"
        assert [call.verb for call in scene.calls.sent] == ["update", "upsert"]

    def test_a_refused_activity_is_settled_although_the_value_was_written(self) -> None:
        message = event("appcues:nps_score", "a", score=1)
        id_ = f"{message.message_id}:contact:nps_score"
        scene = Scene(ScriptedCalls(people("a"), ends=[{}, {id_: LOCKED}]))
        (end,) = scene.settle(message)
        assert isinstance(end, Retry)
        assert end.counts

    def test_of_two_refusals_the_one_to_retry_counts(self) -> None:
        """The first part is parked and the second one locked: the message is retried, since a part may still be written."""
        message = event("appcues:nps_score", "a", score=1)
        parked = RecordError("STRING_TOO_LONG", "long")
        scene = Scene(
            ScriptedCalls(people("a"), ends=[{"003a": parked}, {f"{message.message_id}:contact:nps_score": LOCKED}])
        )
        assert isinstance(scene.settle(message)[0], Retry)

    def test_the_attempts_of_a_message_decide_about_its_refusal(self) -> None:
        deleted_error = RecordError("ENTITY_IS_DELETED", "gone")
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[{"003a": deleted_error, "003b": deleted_error}]), (QUIET,))
        first, second = scene.settle(
            event("appcues:nps_score", "a", score=1), event("appcues:nps_score", "b", score=1, attempts=1)
        )
        assert isinstance(first, Retry)
        assert isinstance(second, Parked)
        assert second.reason == "entity_is_deleted"

    def test_a_raced_activity_is_retried(self) -> None:
        message = event("appcues:flow_completed", "a", flowName="W")
        error = RecordError("DUPLICATE_VALUE", f"duplicate value found: {KEY}")
        scene = Scene(ScriptedCalls(people("a"), ends=[{f"{message.message_id}:contact:flow_completed": error}]))
        assert isinstance(scene.settle(message)[0], Retry)

    def test_no_text_of_a_person_is_repeated_in_an_error(self) -> None:
        error = RecordError("STRING_TOO_LONG", "too large: my secret")
        scene = Scene(ScriptedCalls(people("a"), ends=[{"003a": error}]), (QUIET,))
        assert scene.settle(event("appcues:nps_feedback", "a", feedback="my secret")) == [
            Parked("string_too_long", "STRING_TOO_LONG: too large: …")
        ]


class TestOrder:
    def test_behind_a_message_that_waits_its_key_waits_and_no_other(self) -> None:
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[{"003a": LOCKED}]), (QUIET,))
        ends = scene.settle(
            event("appcues:nps_score", "a", score=1),
            event("appcues:nps_score", "b", score=2),
            event("appcues:nps_score", "a", at=1, score=3),
            event("appcues:nps_score", "b", at=1, score=4),
        )
        assert isinstance(ends[0], Retry)
        assert ends[1:] == [Delivered(), Released(), Delivered()]
        assert [call.ids for call in scene.calls.sent] == [["003a", "003b"]]

    def test_messages_of_one_key_share_their_calls(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (CONTACT,))
        messages = [event("appcues:nps_score", "a", at=number, score=number % 11) for number in range(300)]
        assert scene.settle(*messages) == [Delivered()] * 300
        assert [(call.verb, len(call.records)) for call in scene.calls.sent] == [
            ("update", 1),
            ("upsert", 200),
            ("upsert", 100),
        ]
        assert scene.calls.sent[0].records[0][SCORE] == 299 % 11
        ids = [record[KEY] for call in scene.calls.sent[1:] for record in call.records]
        assert ids == [f"{message.message_id}:contact:nps_score" for message in messages], "in their order"

    def test_messages_about_one_group_share_its_record_whatever_their_keys(self) -> None:
        account = destination("account", "Account", match="group", activities=())
        scene = Scene(ScriptedCalls(people("acme", mapping="account", prefix="001")), (account,))
        messages = [
            event("appcues:nps_score", f"u{number}", group_id="acme", at=number, score=number % 11, key=key)
            for number, key in enumerate(["group:acme", "user:u1"] * 100)
        ]
        assert scene.settle(*messages) == [Delivered()] * 200
        (call,) = scene.calls.sent
        assert [record[SCORE] for record in call.records] == [199 % 11]

    def test_a_feedback_quotes_the_score_that_shares_its_call(self) -> None:
        texts = {"nps_feedback": EventText(subject="{{ score }}", comment="{{ feedback }}")}
        log = Activities(
            "contact", "WhoId", CONTACT.actions[1].kind, compile_texts(texts), {"nps_feedback": frozenset()}
        )  # type: ignore[union-attr]
        scene = Scene(ScriptedCalls(people("a")), (replace(CONTACT, actions=(log,)),))
        scene.settle(event("appcues:nps_score", "a", score=4), event("appcues:nps_feedback", "a", at=1, feedback="x"))
        (call,) = scene.calls.sent
        assert [record["Subject"] for record in call.records] == ["4"]

    def test_messages_after_a_refused_value_wait_and_those_before_it_do_not(self) -> None:
        """The second of three texts is too long, and only this one is refused."""
        refused = RecordError("STRING_TOO_LONG", "too long")
        scene = Scene(ScriptedCalls(people("a"), ends=[{"003a": refused}, {}, {"003a": refused}, {}]), (QUIET,))
        messages = [event("appcues:nps_feedback", "a", at=number, feedback=f"text {number}") for number in range(3)]
        ends = scene.settle(*messages)
        assert [call.records[0][FEEDBACK] for call in scene.calls.sent] == ["text 2", "text 0", "text 1", "text 2"]
        assert ends[::2] == [Delivered(), Delivered()]
        assert ends[1] == Parked("string_too_long", "STRING_TOO_LONG: too long")

    def test_activities_of_messages_that_are_sent_one_by_one_are_sent_with_them(self) -> None:
        refused = RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")
        scene = Scene(ScriptedCalls(people("a"), ends=[{"003a": refused}]), (CONTACT,))
        messages = [event("appcues:nps_score", "a", at=number, score=number) for number in range(2)]
        assert scene.settle(*messages) == [Delivered()] * 2
        assert [call.verb for call in scene.calls.sent] == ["update", "update", "upsert", "update", "upsert"]

    def test_a_refused_record_costs_few_calls_however_many_messages_share_it(self) -> None:
        refused = {"003a": RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")}
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[refused] * 50), (QUIET,))
        messages = [event("appcues:nps_score", "a", at=number, score=1) for number in range(30)]
        ends = scene.settle(*messages, event("appcues:nps_score", "b", score=2))
        assert [type(end) for end in ends] == [Parked] * 10 + [Released] * 20 + [Delivered]
        assert len(scene.calls.sent) == 11

    def test_an_older_value_is_written_when_the_newer_one_of_its_call_is_refused_for_good(self) -> None:
        newer = event("appcues:nps_score", "a", at=9, score=9)
        refused = {"003a": RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")}
        scene = Scene(ScriptedCalls(people("a"), ends=[refused, refused]), (QUIET,))
        ends = scene.settle(newer, event("appcues:nps_score", "a", score=1))
        assert [type(end) for end in ends] == [Parked, Delivered]
        assert scene.calls.sent[-1].records[0][SCORE] == 1

    def test_an_activity_that_failed_holds_up_those_behind_it_and_nothing_else(self) -> None:
        messages = [event("appcues:flow_completed", "a", flowName=str(number)) for number in range(201)]
        first = f"{messages[0].message_id}:contact:flow_completed"
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[{first: LOCKED}]), (CONTACT,))
        *ends, other_end = scene.settle(*messages, event("appcues:flow_completed", "b", flowName="other"))
        assert isinstance(ends[0], Retry)
        assert ends[1:] == [Released()] * 200
        assert other_end == Delivered()
        assert [len(call.records) for call in scene.calls.sent] == [200, 1], "those behind it are not sent any more"

    def test_an_activity_waits_behind_a_message_whose_value_is_tried_again(self) -> None:
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[{"003a": LOCKED}]), (CONTACT,))
        ends = scene.settle(
            event("appcues:flow_completed", "a", flowName="before"),
            event("appcues:nps_score", "a", score=1),
            event("appcues:flow_completed", "a", flowName="behind"),
            event("appcues:flow_completed", "b", flowName="other"),
        )
        assert [type(end) for end in ends] == [Delivered, Retry, Released, Delivered]
        assert len(scene.calls.sent[1].records) == 2

    def test_what_the_first_round_wrote_is_known_to_the_second(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,))
        ends = scene.settle(event("appcues:nps_score", "a", at=9, score=9), event("appcues:nps_score", "a", score=1))
        assert ends == [Delivered(), Delivered("stale")]
        assert len(scene.calls.sent) == 1

    def test_a_value_that_was_refused_is_not_taken_for_the_newest(self) -> None:
        parked = RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")
        scene = Scene(ScriptedCalls(people("a"), ends=[{"003a": parked}, {"003a": parked}]), (QUIET,))
        delivery = scene.deliver(
            event("appcues:nps_score", "a", at=9, score=9), event("appcues:nps_score", "a", score=1)
        )
        assert [call.records[0][SCORE] for call in scene.calls.sent] == [9, 9, 1]
        assert values(delivery)[STATE] == (STAMP, "1")

    def test_an_older_value_than_the_inbox_knows_is_not_written(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,), {STATE: LatestState(STATE, LATER, "9")})
        assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Delivered("stale")]
        assert scene.calls.sent == []
        assert {STATE, score_name("a"), records_name("a")} <= scene.asked_for

    def test_an_outage_of_the_lookup_delays_only_messages_that_need_it(self) -> None:
        scene = Scene(ScriptedCalls(lookup_failure=CallFailedError(Retry("no answer", 7.0, counts=False))))
        ends = scene.settle(
            event("appcues:nps_score", "a", score=1),
            event("appcues:nps_score", "a", score=2),
            event("appcues:flow_started", "b"),
            event("appcues:nps_score", "c", score=99),
        )
        assert ends[:3] == [Retry("no answer", 7.0, counts=False), Released(), Delivered("not_mapped")]
        assert isinstance(ends[3], Parked)
        assert scene.calls.sent == []

    def test_an_outage_of_the_lookup_does_not_delay_unmapped_events(self) -> None:
        words = destination("contact", "Contact", fields={}, activities=("nps_feedback",))
        scene = Scene(ScriptedCalls(lookup_failure=CallFailedError(Retry("no answer", counts=False))), (words,))
        feedback, score = event("appcues:nps_feedback", "a", feedback="x"), event("appcues:nps_score", "b", score=7)
        assert scene.settle(feedback, score) == [Retry("no answer", counts=False), Delivered("not_mapped")]

    def test_a_message_without_an_event_is_parked(self) -> None:
        message = replace(event("appcues:nps_score", "a", score=1), payload={"event": "?"})
        assert Scene(ScriptedCalls()).settle(message) == [Parked("not_understood", "the message holds no event")]


class TestWho:
    def test_an_id_of_several_records_writes_to_none_of_them(self) -> None:
        records = {"contact": [("0031", "a"), ("0032", "a")], "lead": [("00Q1", "a")]}
        scene = Scene(ScriptedCalls(records), (CONTACT, LEAD))
        assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Parked("several_matches", "in contact")]
        assert scene.calls.sent[0].ids == ["00Q1"]

    def test_an_unknown_user_is_parked_with_the_names_of_the_mappings(self) -> None:
        scene = Scene(ScriptedCalls(), (CONTACT, LEAD))
        assert scene.settle(event("appcues:nps_score", "a", score=1)) == [
            Parked("unknown_user", "nobody in contact, lead has this ID")
        ]

    def test_a_converted_lead_alone_is_parked_and_ignored_beside_another_record(self) -> None:
        records = both_mappings("a") | {"lead": [("00Qa", "a"), ("00Qb", "b"), ("00Qc", "b")]}
        scene = Scene(ScriptedCalls(records, converted={"00Qa", "00Qb"}), (CONTACT, LEAD))
        assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Delivered()]
        assert scene.settle(event("appcues:nps_score", "b", score=1)) == [Delivered()]
        assert [call.ids for call in scene.calls.sent if call.verb == "update"] == [["003a"], ["00Qc"]]
        scene.calls.people = {"lead": [("00Qa", "a")]}
        assert scene.settle(event("appcues:nps_score", "a", score=1)) == [
            Parked("converted_lead", "only converted leads have this ID")
        ]

    def test_an_event_without_the_id_of_a_group_is_for_the_user_alone(self) -> None:
        group = destination("account", "Account", match="group")
        scene = Scene(ScriptedCalls(people("a") | {"account": [("0011", "acme")]}), (CONTACT, group))
        assert scene.settle(event("appcues:nps_score", "a", score=1)) == [Delivered()]
        assert scene.calls.sent[0].ids == ["003a"]
        assert len(scene.calls.looked_up[0]) == 1, "nothing is asked for the group"
        assert scene.settle(event("appcues:nps_score", None, group_id="acme", score=2)) == [Delivered()]
        assert scene.calls.sent[2].ids == ["0011"]

    def test_an_id_is_looked_up_once_for_each_mapping_that_asks_for_the_event(self) -> None:
        quiet = destination("lead", "Lead", fields={"score": SCORE}, activities=())
        scene = Scene(ScriptedCalls(people("a", "b")), (CONTACT, quiet))
        scene.settle(
            event("appcues:flow_completed", "a", flowName="W"),
            event("appcues:flow_completed", "a", flowName="X"),
            event("appcues:nps_score", "b", score=1),
        )
        (queries,) = scene.calls.looked_up
        assert queries == [
            "SELECT Id, Key__c FROM Contact WHERE Key__c IN ('a','b')",
            "SELECT Id, Key__c, IsConverted FROM Lead WHERE Key__c IN ('b')",
        ]

    def test_an_invalid_answer_is_parked_only_if_a_mapping_uses_it(self) -> None:
        flows = destination("contact", "Contact", fields={}, activities=("flow_completed",))
        message = event("appcues:nps_score", "a", score=99)
        (end,) = Scene(ScriptedCalls(), (CONTACT, flows)).settle(message)
        assert isinstance(end, Parked)
        assert end.reason == "bad_value"
        assert Scene(ScriptedCalls(), (flows,)).settle(message) == [Delivered("not_mapped")]

    def test_a_score_without_a_field_is_stored_for_the_feedback_after_it(self) -> None:
        words = destination("contact", "Contact", fields={}, activities=("nps_feedback",))
        scene = Scene(ScriptedCalls(people("a")), (words,))
        delivery = scene.deliver(message := event("appcues:nps_score", "a", score=7))
        assert delivery.settlements == {message.id: Delivered("not_mapped")}
        assert values(delivery)[score_name("a")] == (STAMP, "7")
        assert scene.calls.looked_up == []

    def test_a_text_that_cannot_be_filled_in_is_parked_and_the_value_is_written(self) -> None:
        texts = compile_texts({"nps_score": EventText(subject="{{ score < 'x' }}", comment="")})
        fields, log = CONTACT.actions
        assert isinstance(log, Activities)
        scene = Scene(ScriptedCalls(people("a")), (replace(CONTACT, actions=(fields, replace(log, texts=texts))),))
        (end,) = scene.settle(event("appcues:nps_score", "a", score=1))
        assert isinstance(end, Parked)
        assert end.reason == "bad_text"
        assert [call.verb for call in scene.calls.sent] == ["update"]


class TestRemembered:
    def test_the_newest_score_is_that_of_the_newest_event(self) -> None:
        name = score_name("a")
        scene = Scene(ScriptedCalls(people("a")), (QUIET,))
        delivery = scene.deliver(
            event("appcues:nps_score", "a", at=60, score=9), event("appcues:nps_score", "a", score=1)
        )
        assert values(delivery)[name] == (LATER, "9")
        scene.latest[name] = LatestState(name, LATER, "9")
        assert name not in values(scene.deliver(event("appcues:nps_score", "a", score=1)))
        assert values(scene.deliver(event("appcues:nps_score", "a", at=60, score=4)))[name] == (LATER, "4")

    def test_a_score_that_has_to_wait_is_not_remembered_and_a_parked_one_is(self) -> None:
        message = event("appcues:nps_score", "a", score=9)
        waits = Scene(ScriptedCalls(people("a"), ends=[{"003a": LOCKED}]), (QUIET,)).deliver(message)
        assert score_name("a") not in values(waits)
        assert STATE not in values(waits)
        parked = Scene(ScriptedCalls(), (QUIET,)).deliver(message)
        assert values(parked)[score_name("a")] == (STAMP, "9")

    def test_feedback_without_a_score_keeps_the_earlier_score(self) -> None:
        delivery = Scene(ScriptedCalls(people("a")), (QUIET,)).deliver(event("appcues:nps_feedback", "a", feedback="x"))
        assert set(values(delivery)) == {f"field:Contact:003a:{FEEDBACK}", records_name("a")}

    def test_the_records_of_a_user_are_remembered_and_none_of_a_group(self) -> None:
        """The stored IDs allow the data of the records to be deleted together with the user's data."""
        group = destination("account", "Account", match="group")
        records = both_mappings("a") | {"account": [("001x", "acme")]}
        scene = Scene(ScriptedCalls(records), (CONTACT, LEAD, group))
        message = event("appcues:nps_score", "a", group_id="acme", score=1)
        name = records_name("a")
        assert values(scene.deliver(message))[name] == (STAMP, json.dumps(["003a", "00Qa"]))
        scene.latest[name] = LatestState(name, LATER, json.dumps(["003a", "003old"]))
        assert values(scene.deliver(message))[name] == (LATER, json.dumps(["003a", "003old", "00Qa"]))
        scene.latest[name] = LatestState(name, STAMP, json.dumps(["003a", "003old"]))
        newer = replace(message, payload={**message.payload, "timestamp": "2026-11-23T12:01:00Z"})
        assert values(scene.deliver(newer))[name][0] == LATER
        scene.latest[name] = LatestState(name, STAMP, json.dumps(["003a", "003old", "00Qa"]))
        assert name not in values(scene.deliver(message)), "nothing new"

    def test_texts_are_removed_after_delivery_if_the_project_redacts_them(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,), redact=True)
        message = event("appcues:nps_score_and_feedback", "a", score=3, feedback="horrible")
        delivery = scene.deliver(message)
        assert delivery.redacted[message.id]["event"]["attributes"] == {"score": 3, "feedback": REDACTED}
        assert values(delivery)[STATE] == (STAMP, "3")
        assert values(delivery)[f"field:Contact:003a:{FEEDBACK}"] == (STAMP, "")

    def test_texts_are_removed_from_received_bodies_too(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,), redact=True)
        message = event("appcues:nps_score_and_feedback", "a", score=3, feedback="horrible")
        received = {"answers": [{"said": "horrible"}]}
        message = replace(message, payload={**message.payload, "received": received, "envelope": [received]})
        redacted = scene.deliver(message).redacted[message.id]
        assert "horrible" not in str(redacted)
        assert redacted["received"] == {"answers": [{"said": REDACTED}]}

    def test_texts_are_kept_without_the_setting_and_while_they_are_needed(self) -> None:
        message = event("appcues:nps_feedback", "a", feedback="horrible")
        plain = Scene(ScriptedCalls(people("a")), (QUIET,)).deliver(message)
        assert plain.redacted == {}
        assert values(plain)[f"field:Contact:003a:{FEEDBACK}"] == (STAMP, '"horrible"')
        parked = Scene(ScriptedCalls(), (QUIET,), redact=True).deliver(message)
        assert isinstance(parked.settlements[message.id], Parked)
        assert parked.redacted == {}, "a person may yet replay it"
        waits = Scene(ScriptedCalls(people("a"), ends=[OUTAGE]), (QUIET,), redact=True).deliver(message)
        assert waits.redacted == {}
        score = event("appcues:nps_score", "a", score=3)
        assert Scene(ScriptedCalls(people("a")), (QUIET,), redact=True).deliver(score).redacted == {}


class TestWrittenAgain:
    def test_what_a_claim_may_write_is_announced_before_its_first_call(self) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a")), (CONTACT, LEAD))
        score, words = event("appcues:nps_score", "a", score=1), event("appcues:nps_feedback", "a", feedback="x")
        delivery = scene.deliver(score, words, event("appcues:flow_completed", "a", flowName="W"), rewrite(LEAD_STATE))
        (names,) = scene.states.announced
        assert names == {
            *(f"field:Contact:003a:{field}" for field in (SCORE, FEEDBACK)),
            *(f"field:Lead:00Qa:{field}" for field in (SCORE, FEEDBACK)),
        }
        assert delivery.intents == {1}
        assert delivery.written == names
        assert delivery.doubted == set()

    def test_activities_are_not_announced_as_they_are_the_same_whenever_they_arrive(self) -> None:
        scene = Scene(ScriptedCalls(people("a"), ends=[OUTAGE]))
        delivery = scene.deliver(event("appcues:flow_completed", "a", flowName="W"))
        assert scene.states.announced == []
        assert (delivery.intents, delivery.written, delivery.doubted) == (set(), set(), set())

    def test_the_states_of_a_call_of_unknown_outcome_are_in_doubt(self) -> None:
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[OUTAGE]), (QUIET,))
        delivery = scene.deliver(event("appcues:nps_score", "a", score=1), event("appcues:nps_score", "b", score=2))
        assert delivery.doubted == {STATE, f"field:Contact:003b:{SCORE}"}
        assert delivery.written == set()

    def test_the_states_of_a_refused_call_are_not_in_doubt(self) -> None:
        refused = CallFailedError(Retry("SERVER_UNAVAILABLE", counts=False))
        delivery = Scene(ScriptedCalls(people("a"), ends=[refused]), (QUIET,)).deliver(
            event("appcues:nps_score", "a", score=1)
        )
        assert (delivery.written, delivery.doubted) == (set(), set())

    def test_a_record_that_was_refused_counts_as_not_written(self) -> None:
        scene = Scene(ScriptedCalls(people("a", "b"), ends=[{"003a": LOCKED}]), (QUIET,))
        delivery = scene.deliver(event("appcues:nps_score", "a", score=1), event("appcues:nps_score", "b", score=2))
        assert delivery.written == {f"field:Contact:003b:{SCORE}"}

    def test_the_newest_value_is_written_and_nothing_is_looked_up(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (CONTACT,))
        scene.latest[STATE] = LatestState(STATE, LATER, "9")
        delivery = scene.deliver(message := rewrite())
        assert delivery.settlements == {message.id: Delivered()}
        (update,) = scene.calls.sent
        assert (update.verb, update.records) == (
            "update",
            [{"attributes": {"type": "Contact"}, "Id": "003a", SCORE: 9}],
        )
        assert scene.asked_for == {STATE}
        assert scene.states.announced == [{STATE}]
        assert scene.calls.looked_up == []
        assert values(delivery) == {}, "no news"
        assert delivery.rewritten == (LatestState(STATE, LATER, "9"),)
        assert delivery.written == {STATE}

    def test_two_values_of_one_record_share_a_call(self) -> None:
        words = f"field:Contact:003a:{FEEDBACK}"
        scene = Scene(ScriptedCalls(people("a")), (CONTACT,))
        scene.latest |= {STATE: LatestState(STATE, LATER, "9"), words: LatestState(words, LATER, '"x"')}
        scene.deliver(rewrite(), rewrite(words))
        (update,) = scene.calls.sent
        assert update.records == [{"attributes": {"type": "Contact"}, "Id": "003a", SCORE: 9, FEEDBACK: "x"}]

    def test_a_project_that_removes_texts_writes_a_score_again_all_the_same(self) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,), redact=True)
        scene.latest[STATE] = LatestState(STATE, LATER, "9")
        assert scene.settle(rewrite()) == [Delivered()]
        assert scene.calls.sent[-1].records[0][SCORE] == 9

    @pytest.mark.parametrize("states", [{}, {STATE: LatestState(STATE, LATER, "")}])
    def test_where_no_newest_value_is_known_nothing_is_written(self, states: dict[str, LatestState]) -> None:
        scene = Scene(ScriptedCalls(people("a")), (QUIET,))
        scene.latest = states
        assert scene.settle(rewrite()) == [Delivered()]
        assert scene.calls.sent == []

    def test_a_failed_rewrite_is_retried(self) -> None:
        scene = Scene(ScriptedCalls(people("a"), ends=[{"003a": LOCKED}]), (QUIET,))
        message = rewrite()
        scene.latest[STATE] = LatestState(STATE, LATER, "9")
        (end,) = scene.settle(message)
        assert isinstance(end, Retry)

    @pytest.mark.parametrize("end", [REFUSED_MAPPING, {"003a": RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "no")}])
    def test_a_rewrite_that_the_org_refuses_for_a_field_waits_and_is_not_lost(self, end: Any) -> None:
        scene = Scene(ScriptedCalls(people("a"), ends=[end]), (QUIET,))
        message = rewrite()
        scene.latest[STATE] = LatestState(STATE, LATER, "9")
        delivery = scene.deliver(message)
        settled = delivery.settlements[message.id]
        assert isinstance(settled, Retry)
        assert (settled.after, settled.counts) == (300.0, False)
        assert delivery.followups == ()
        assert scene.calls.alarms == [("salesforce_access", "see the messages that wait for it")]


class TestRefusedMapping:
    def test_the_others_are_written_and_the_refused_one_gets_a_message_of_its_own(self) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a"), refused_lookups={"lead": REFUSED_MAPPING}), (CONTACT, LEAD))
        message = event("appcues:nps_score", "a", score=7)
        delivery = scene.deliver(message)
        assert delivery.settlements == {message.id: Delivered("waits for mapping lead")}
        assert scene.calls.sent[0].ids == ["003a"]
        (followup,) = delivery.followups
        assert followup.after == 30.0, "not the minutes that its code advises"
        part = followup.message
        assert (part.source, part.message_id, part.key, part.kind) == (
            "appcues",
            f"{message.message_id}@lead",
            "user:a@lead",
            "appcues:nps_score",
        )
        assert part.payload == {**message.payload, "mapping": "lead", "message_id": message.message_id}
        assert scene.calls.alarms == [
            ("salesforce_access", "mapping lead (INVALID_TYPE): see the messages that wait for it")
        ]

    def test_no_message_is_parked_as_unknown_user_while_a_mapping_is_unavailable(self) -> None:
        scene = Scene(
            ScriptedCalls(people("a", mapping="lead"), refused_lookups={"lead": REFUSED_MAPPING}), (CONTACT, LEAD)
        )
        assert scene.settle(event("appcues:nps_score", "a", score=7)) == [Delivered("waits for mapping lead")]

    def test_a_parked_message_leaves_the_part_of_the_refused_mapping_behind_all_the_same(self) -> None:
        records = {"contact": [("0031", "a"), ("0032", "a")]}
        scene = Scene(ScriptedCalls(records, refused_lookups={"lead": REFUSED_MAPPING}), (CONTACT, LEAD))
        message = event("appcues:nps_score", "a", score=7)
        delivery = scene.deliver(message)
        assert delivery.settlements == {message.id: Parked("several_matches", "in contact")}
        assert [followup.message.payload["mapping"] for followup in delivery.followups] == ["lead"]

    def test_a_message_that_is_retried_leaves_nothing_behind(self) -> None:
        """When the message is retried it writes for the refused mapping itself; a second message would write it twice."""
        scene = Scene(
            ScriptedCalls(both_mappings("a"), refused_lookups={"lead": REFUSED_MAPPING}, ends=[{"003a": LOCKED}]),
            (CONTACT, LEAD),
        )
        delivery = scene.deliver(message := event("appcues:nps_score", "a", score=7))
        assert isinstance(delivery.settlements[message.id], Retry)
        assert delivery.followups == ()

    def test_where_every_mapping_is_refused_the_message_waits_itself(self) -> None:
        refused = {"contact": REFUSED_MAPPING, "lead": REFUSED_MAPPING}
        scene = Scene(ScriptedCalls(both_mappings("a"), refused_lookups=refused), (CONTACT, LEAD))
        delivery = scene.deliver(message := event("appcues:nps_score", "a", score=7))
        assert delivery.settlements == {message.id: Retry("INVALID_TYPE", 300.0, counts=False, of_mapping=True)}
        assert delivery.followups == ()
        assert scene.calls.alarms == [
            (
                "salesforce_access",
                "mapping contact (INVALID_TYPE), lead (INVALID_TYPE): see the messages that wait for it",
            )
        ]

    def test_a_followup_concerns_its_mapping_alone_and_writes_the_activity_of_the_first_message(self) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a"), refused_lookups={"lead": REFUSED_MAPPING}), (CONTACT, LEAD))
        message = event("appcues:nps_score", "a", score=7)
        (followup,) = scene.deliver(message).followups
        part = followup.message
        remaining_message = ClaimedMessage(
            next(NUMBERS), part.source, part.message_id, part.key, part.kind, part.payload, 0, NOON
        )
        assert scene.settle(remaining_message) == [
            Retry("mapping lead is held back", 30.0, counts=False, of_mapping=True)
        ]
        scene.calls.sent.clear()
        scene.calls.refused_lookups.clear()
        scene.calls.now += 30
        assert scene.settle(remaining_message) == [Delivered()]
        assert [call.ids for call in scene.calls.sent] == [["00Qa"], [f"{message.message_id}:lead:nps_score"]]

    @pytest.mark.parametrize(
        ("present", "end"),
        [
            (replace(destination("prospect", "Lead"), names=("prospect", "lead")), Delivered()),
            (replace(destination("lead", "Lead", activities=()), actions=()), Delivered("not_mapped")),
            (destination("prospect", "Lead"), Parked("no_mapping", "no mapping lead receives events")),
        ],
        ids=["renamed", "another event", "removed"],
    )
    def test_a_followup_waits_for_a_person_if_its_mapping_was_removed(self, present: Destination, end: object) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a"), refused_lookups={"lead": REFUSED_MAPPING}), (CONTACT, LEAD))
        (followup,) = scene.deliver(event("appcues:nps_score", "a", score=7)).followups
        part = followup.message
        message = ClaimedMessage(
            next(NUMBERS), part.source, part.message_id, part.key, part.kind, part.payload, 0, NOON
        )
        records = people("a") | people("a", mapping=present.name, prefix="00Q")
        assert Scene(ScriptedCalls(records), (CONTACT, present)).settle(message) == [end]

    def test_a_refused_mapping_is_not_asked_for_until_its_pause_is_over(self) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a"), refused_lookups={"lead": REFUSED_MAPPING}), (CONTACT, LEAD))
        scene.deliver(event("appcues:nps_score", "a", score=7))
        scene.calls.looked_up.clear()
        scene.calls.now += 29
        delivery = scene.deliver(event("appcues:nps_score", "a", score=8))
        (queries,) = scene.calls.looked_up
        assert [query.partition(" WHERE")[0] for query in queries] == ["SELECT Id, Key__c FROM Contact"]
        assert [followup.after for followup in delivery.followups] == [1.0]
        scene.calls.now += 1
        scene.deliver(event("appcues:nps_score", "a", score=9))
        assert len(scene.calls.looked_up[-1]) == 2

    def test_of_a_call_for_several_objects_the_others_are_sent_without_the_refused_one(self) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a"), ends=[REFUSED_MAPPING, {}, REFUSED_MAPPING]), (CONTACT, LEAD))
        message = event("appcues:nps_score", "a", score=7)
        delivery = scene.deliver(message)
        assert [call.ids for call in scene.calls.sent[:3]] == [["003a", "00Qa"], ["003a"], ["00Qa"]]
        assert delivery.settlements == {message.id: Delivered("waits for mapping lead")}
        assert [followup.message.payload["mapping"] for followup in delivery.followups] == ["lead"]
        assert scene.calls.holds.seconds_left("lead", scene.calls.now) == 30
        assert scene.calls.holds.seconds_left("contact", scene.calls.now) == 0
        assert STATE in values(delivery)
        assert f"field:Lead:00Qa:{SCORE}" not in values(delivery)

    def test_an_outage_of_a_call_for_several_objects_is_not_sent_again_in_parts(self) -> None:
        scene = Scene(ScriptedCalls(both_mappings("a"), ends=[OUTAGE]), (CONTACT, LEAD))
        assert scene.settle(event("appcues:nps_score", "a", score=7)) == [Retry("no answer", counts=False)]
        assert len(scene.calls.sent) == 1
        assert scene.calls.holds.seconds_left("contact", scene.calls.now) == 0, "an outage is no mapping's"
        assert scene.calls.alarms == []

    def test_an_object_of_activities_that_is_refused_holds_the_mappings_that_write_it(self) -> None:
        flows = destination("lead", "Lead", activities=())
        scene = Scene(ScriptedCalls(both_mappings("a"), ends=[{}, REFUSED_MAPPING]), (CONTACT, flows))
        delivery = scene.deliver(message := event("appcues:nps_score", "a", score=7))
        assert delivery.settlements == {message.id: Delivered("waits for mapping contact")}
        assert scene.calls.holds.seconds_left("contact", scene.calls.now) == 30
        assert scene.calls.holds.seconds_left("lead", scene.calls.now) == 0

    def test_a_record_that_is_refused_for_its_field_makes_its_mapping_wait_and_raises_the_alarm(self) -> None:
        error = RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "no", (SCORE,))
        scene = Scene(ScriptedCalls(both_mappings("a"), ends=[{"00Qa": error}]), (CONTACT, LEAD))
        message = event("appcues:nps_score", "a", score=7)
        delivery = scene.deliver(message)
        assert delivery.settlements == {message.id: Delivered("waits for mapping lead")}
        assert [followup.message.payload["mapping"] for followup in delivery.followups] == ["lead"]
        reason = f"INVALID_FIELD_FOR_INSERT_UPDATE ({SCORE}): no"
        assert [followup.why for followup in delivery.followups] == [reason]
        assert scene.calls.alarms == [
            ("salesforce_access", f"mapping lead ({reason}): see the messages that wait for it")
        ]

    def test_a_record_that_finds_no_room_waits_and_raises_the_alarm(self) -> None:
        error = RecordError("STORAGE_LIMIT_EXCEEDED", "full")
        scene = Scene(ScriptedCalls(both_mappings("a"), ends=[{"003a": error}]), (CONTACT, LEAD))
        delivery = scene.deliver(message := event("appcues:nps_score", "a", score=7))
        end = delivery.settlements[message.id]
        assert isinstance(end, Retry)
        assert not end.counts
        assert delivery.followups == ()
        assert [name for name, _ in scene.calls.alarms] == ["salesforce_storage"]


class TestCrowded:
    LIMIT = RecordError("APEX_FAILED", "System.LimitException: Too many SOQL queries: 101")

    def test_records_that_a_trigger_refused_are_resent_in_order_before_the_others(self) -> None:
        users = [f"u{number:02}" for number in range(14)]
        ids = [f"003{user}" for user in users]
        calls = ScriptedCalls(people(*users), ends=[{ids[1]: self.LIMIT, ids[3]: self.LIMIT}])
        calls.size.most = 12
        scene = Scene(calls, (QUIET,))
        ends = scene.settle(*(event("appcues:nps_score", user, score=1) for user in users))
        assert set(ends) == {Delivered()}
        assert [call.ids for call in calls.sent] == [ids[:12], [ids[1], ids[3], ids[12], ids[13]]]
        assert calls.size.most == 6
        assert calls.alarms == [("salesforce_crowded", "see the messages that wait for it")]

    def test_in_the_smallest_call_the_error_belongs_to_the_record(self) -> None:
        users = ["a", "b", "c", "d", "e"]
        scene = Scene(ScriptedCalls(people(*users), ends=[{"003a": self.LIMIT}]), (QUIET,))
        first, *other_ends = scene.settle(*(event("appcues:nps_score", user, score=1) for user in users))
        assert isinstance(first, Parked)
        assert first.reason == "apex_failed"
        assert set(other_ends) == {Delivered()}
        assert len(scene.calls.sent) == 1
        assert scene.calls.alarms == []

    def test_another_error_of_a_trigger_is_not_sent_again(self) -> None:
        users = [f"u{number}" for number in range(6)]
        error = RecordError("APEX_FAILED", "System.NullPointerException")
        scene = Scene(ScriptedCalls(people(*users), ends=[{"003u0": error}]), (QUIET,))
        ends = scene.settle(*(event("appcues:nps_score", user, score=1) for user in users))
        assert isinstance(ends[0], Parked)
        assert len(scene.calls.sent) == 1
