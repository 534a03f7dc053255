"""Rounds, external IDs and receiving mappings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sfcode.config.events_file import default_events
from sfcode.mapping.limits import TEXT_LENGTH
from sfcode.relay.salesforce.actions.action import PlanContext
from sfcode.relay.salesforce.actions.activities import Activities, external_id
from sfcode.relay.salesforce.actions.nps_fields import NpsFields
from sfcode.relay.salesforce.destinations import destinations
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event, score_name
from sfcode.relay.salesforce.texts import compile_texts
from sfcode.relay.salesforce.write_plan import rounds
from tests.generate.projects import CONTACT, changed, project
from tests.generate.projects import settings as config
from tests.relay.salesforce.world import event


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=30))
def test_rounds_hold_each_key_once_and_keep_its_order(keys: list[str]) -> None:
    messages = [event("x", key=key) for key in keys]
    all_rounds = rounds(messages)
    assert sorted(message.id for round_ in all_rounds for message in round_) == [message.id for message in messages]
    for round_ in all_rounds:
        assert len({message.key for message in round_}) == len(round_)
    for key in set(keys):
        ids = [message.id for round_ in all_rounds for message in round_ if message.key == key]
        assert ids == sorted(ids)
    assert len(all_rounds) == max(map(keys.count, keys), default=0)


ANY = st.text(alphabet=st.characters(), max_size=300)


@given(ANY, ANY, st.sampled_from(["contact", "lead"]), st.sampled_from(["nps_score", "flow_completed"]))
def test_an_external_id_fits_its_field_survives_it_and_is_one_messages_alone(
    first_name: str, second_name: str, mapping: str, activity: str
) -> None:
    id_ = external_id(first_name, mapping, activity)
    assert len(id_) <= TEXT_LENGTH
    assert id_.isascii()
    assert id_ == id_.strip()
    assert (id_ == external_id(second_name, mapping, activity)) == (first_name == second_name)
    assert id_ != external_id(first_name, "account", activity)


def test_a_plain_message_id_can_be_recognized() -> None:
    assert external_id("evt-1", "contact", "nps_score") == "evt-1:contact:nps_score"


@given(ANY, ANY)
def test_the_name_of_a_score_is_one_users_alone_and_fits_an_index(first_name: str, second_name: str) -> None:
    assert len(score_name(first_name)) < 300
    score_name(first_name).encode()
    assert (score_name(first_name) == score_name(second_name)) == (first_name == second_name)


def test_the_activities_of_a_renamed_mapping_keep_their_external_ids() -> None:
    """Otherwise an event that is delivered again after the rename would have a second activity."""

    def plan(name: str, *other_names: str, **settings: Any) -> tuple[str, str]:
        target, *_ = destinations(project(dict.fromkeys((name, *other_names), CONTACT), config(**settings)))
        read = read_event(event("appcues:flow_completed", id="evt-1"), default_events())
        assert isinstance(read, AppcuesEvent)
        (action,) = target.actions_for(read)
        assert isinstance(action, Activities)
        texts = compile_texts(dict(default_events().activities))
        (write,) = replace(action, texts=texts).plan(read, PlanContext("003A", {}, {}, {}, frozenset(), ()))
        return write.mapping, write.id

    assert plan("contact") == ("contact", "evt-1:contact:flow_completed")
    assert plan("Contact") == ("Contact", "evt-1:contact:flow_completed")
    renamed = {"moved": {"mappings": {"Contact": "Person"}}}
    assert plan("person", **renamed) == ("person", "evt-1:contact:flow_completed")
    # Two mappings with one external ID would overwrite each other's activities.
    assert plan("person", "contact", **renamed) == ("person", "evt-1:person:flow_completed")
    (target,) = destinations(project({"person": CONTACT}, config(**renamed)))
    assert (target.has_name("Contact"), target.has_name("person"), target.has_name("lead")) == (True, True, False)


def test_only_mappings_that_the_relay_writes_to_receive() -> None:
    sending = changed(CONTACT, direction="to_appcues", to_salesforce=None)
    mappings = {"contact": CONTACT, "quiet": sending, "lead": changed(CONTACT, object="Lead", delivery="connector")}
    (only,) = destinations(project(mappings))
    assert (only.name, only.object, only.key, only.number) == (
        "contact",
        "Contact",
        "Appcues_User_Id__c",
        "Product_User_Id__c",
    )
    fields, activities = only.actions
    assert isinstance(fields, NpsFields)
    assert fields.fields == {"score": "Appcues_NPS_Score__c", "feedback": "Appcues_NPS_Feedback__c"}
    assert isinstance(activities, Activities)
    assert activities.link == "WhoId"
    assert not only.fields_to_measure, "a field that sfcode made has the length that it gave it"


def test_an_id_that_is_kept_as_a_text_is_looked_up_in_its_own_field() -> None:
    (only,) = destinations(project({"contact": changed(CONTACT, user_id={"field": "Key__c"})}))
    assert (only.key, only.number) == ("Key__c", "")
