"""In any order of arrival, claims and repetitions, each attribute ends with the value of the last change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from sfcode.relay.appcues import delivered_state
from sfcode.relay.appcues.mapping_view import MappingView, apply_field_types, mapping_views
from sfcode.relay.appcues.merge import MergedProfile, merge_states, request_body, update_delivered_state
from sfcode.relay.appcues.null_guard import NullGuards
from sfcode.relay.appcues.record_state import RecordState, read
from sfcode.relay.message import ClaimedMessage, LatestState
from tests.generate.projects import project
from tests.relay.appcues.appcues_relay import CONTACT, LEAD, MORNING, at

TYPES = {("Contact", "Plan__c"): "string"}
OUTLINES = apply_field_types(mapping_views(project({"contact": CONTACT, "lead": LEAD})), TYPES)
ALONE = apply_field_types(mapping_views(project({"contact": CONTACT})), TYPES)
NAMES = {"Title": "role", "Plan__c": "plan", "Rating": "rating"}
TITLES = st.sampled_from(["CTO", "CFO"])
PLANS = st.sampled_from(["pro", "team"])
CONTACTS = st.tuples(
    st.just("contact"),
    st.sampled_from(["003A", "003B"]),
    st.fixed_dictionaries({}, optional={"Title": TITLES, "Plan__c": PLANS}),
)
"""A change of one of two contacts; missing fields are empty."""
ANYONE = st.one_of(
    st.tuples(
        st.just("contact"),
        st.sampled_from(["003A", "003B"]),
        st.fixed_dictionaries({"Title": TITLES}, optional={"Plan__c": PLANS}),
    ),
    st.tuples(
        st.just("lead"),
        st.just("00QA"),
        st.fixed_dictionaries({"Title": TITLES}, optional={"Rating": st.sampled_from(["Hot", "Cold"])}),
    ),
)
"""A change of a contact or a lead, which share an attribute that always has a value."""
CLAIMS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.booleans()), max_size=12)
"""The number of messages that arrive, the number that are claimed, and whether the relay is killed after sending."""
Change = tuple[str, str, dict[str, Any]]


def claimed(number: int, minute: float, change: Change) -> ClaimedMessage:
    mapping, record_id, values = change
    record = {"Id": record_id, "SystemModstamp": at(minute), "Appcues_User_Id__c": "u1", **values}
    payload = {"mapping": mapping, "version": OUTLINES[mapping].version, "record": record, "origin": "message"}
    return ClaimedMessage(number, "salesforce", f"m{number}", "user:u1", mapping, payload, 0, MORNING)


class Simulation:
    """A model of an inbox and a profile."""

    def __init__(self, mapping_views: Mapping[str, MappingView]) -> None:
        self.mapping_views = mapping_views
        self.profile: dict[str, Any] = {}
        self.known: dict[str, LatestState] = {}
        self.queue: list[ClaimedMessage] = []
        self.now = datetime(2026, 6, 2, tzinfo=UTC)

    def deliver(self, count: int, *, killed: bool = False) -> MergedProfile:
        """Deliver the oldest messages; with `killed`, stop after the request, before its result is stored."""
        messages = self.queue[:count]
        self.now += timedelta(seconds=1)
        guards = NullGuards(self.mapping_views.values(), self.known, f"{self.now:%Y-%m-%dT%H:%M:%S}.000000Z")
        states = [
            (message, state)
            for message in messages
            if isinstance(state := read(message, self.mapping_views, "u1"), RecordState)
        ]
        before = delivered_state.read(self.known.get(delivered_state.name("user:u1")))
        merged = merge_states(states, before, guards)
        for name, value in request_body(merged.parts).items():
            self.profile.pop(name, None)
            if value is not None:
                self.profile[name] = value
        if not killed:
            row = delivered_state.latest("user:u1", update_delivered_state(merged.parts, before), {})
            self.note([*guards.list_changed(), *([row] if row else [])])
            self.queue = self.queue[count:]
        return merged

    def note(self, states: Iterable[LatestState]) -> None:
        for state in states:
            assert state.name not in self.known or state.stamp >= self.known[state.name].stamp, "else it were not kept"
            self.known[state.name] = state

    def live(self, arriving: list[ClaimedMessage], claims: list[tuple[int, int, bool]]) -> dict[str, Any]:
        """Let messages arrive and be delivered, then deliver the rest; return the resulting profile."""
        for arrive, count, killed in claims:
            self.queue += arriving[:arrive]
            arriving = arriving[arrive:]
            self.deliver(count, killed=killed)
        self.queue += arriving
        while self.queue:
            self.deliver(2)
        return self.profile


def twice(changes: list[Change], order: Random) -> list[ClaimedMessage]:
    """Return messages of the changes in a random order, followed by half of the messages again."""
    arriving = [claimed(number, number, change) for number, change in enumerate(changes)]
    order.shuffle(arriving)
    return arriving + order.sample(arriving, len(arriving) // 2)


def named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {NAMES[field]: value for field, value in values.items()}


@settings(max_examples=300)
@given(changes=st.lists(CONTACTS, min_size=1, max_size=8), order=st.randoms(use_true_random=False), claims=CLAIMS)
def test_records_of_one_mapping_end_as_the_one_that_changed_last(changes, order, claims):
    assert Simulation(ALONE).live(twice(changes, order), claims) == named(changes[-1][2])


@settings(max_examples=300)
@given(changes=st.lists(ANYONE, min_size=1, max_size=8), order=st.randoms(use_true_random=False), claims=CLAIMS)
def test_records_of_two_mappings_end_attribute_by_attribute_as_the_last_change_of_it(changes, order, claims):
    newest = {mapping: values for mapping, _, values in changes}
    expected = {name: value for values in newest.values() for name, value in named(values).items()}
    expected["role"] = changes[-1][2]["Title"]
    assert Simulation(OUTLINES).live(twice(changes, order), claims) == expected


@given(changes=st.lists(CONTACTS, min_size=1, max_size=8), claims=CLAIMS)
def test_of_states_with_the_same_time_the_last_received_wins(changes, claims):
    arriving = [claimed(number, 1, change) for number, change in enumerate(changes)]
    assert Simulation(ALONE).live(arriving, claims) == named(changes[-1][2])


def test_a_value_of_another_mapping_is_cleared_only_by_a_newer_change_of_the_earlier_sender():
    contact, lead = ("contact", "003A", {"Title": "CTO"}), ("lead", "00QA", {"Title": "CFO"})
    empty = ("contact", "003A", {})
    world = Simulation(OUTLINES)
    world.live([claimed(1, 1, contact), claimed(2, 3, lead), claimed(3, 2, empty)], [(3, 1, False)])
    assert world.profile == {"role": "CFO"}, "cleared before the lead gave its value"
    world.live([claimed(4, 4, empty)], [])
    assert world.profile == {"role": "CFO"}, "the title did not change any more"
    world.live([claimed(5, 5, contact), claimed(6, 6, lead), claimed(7, 7, empty)], [])
    assert world.profile == {}


def test_a_partial_message_keeps_values_of_a_newer_one():
    """The older message of the contact has another field list, which does not contain the plan."""
    world = Simulation(ALONE)
    old = claimed(1, 1, ("contact", "003A", {"Plan__c": "pro"}))
    other_message = claimed(2, 2, ("contact", "003B", {"Plan__c": "team"}))
    newer = claimed(3, 3, ("contact", "003A", {"Title": "CTO"}))
    world.queue = [old, other_message, replace(newer, payload={**newer.payload, "version": None})]
    first, second = world.deliver(3, killed=True).parts
    assert world.profile == {"role": "CTO", "plan": "team"}
    assert (first.messages, second.messages) == ((2,), (1, 3))
    assert request_body([second]) == {"role": "CTO", "plan": "pro"}
    assert request_body([second], [first]) == {"role": "CTO"}


def test_a_profile_is_remembered_in_a_row_that_does_not_grow_with_its_records():
    world, sizes = Simulation(OUTLINES), set()
    for number in range(50):
        change = ("contact", f"003{number}", {"Title": "CTO", "Plan__c": "pro"})
        world.live([claimed(number, number, change)], [])
        sizes.add(len(world.known[delivered_state.name("user:u1")].value))
    assert len(sizes) == 1
    assert sizes.pop() < 250
    (row,) = [state for name, state in world.known.items() if name.startswith("profile:")]
    assert delivered_state.latest("user:u1", delivered_state.read(row), {}) == row
