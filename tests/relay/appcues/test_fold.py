"""However messages arrive, are claimed, and are delivered again: in the end the profile is at the record's newest state."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from sfcode.relay.appcues.clearing import Guards
from sfcode.relay.appcues.fold import body, fold
from sfcode.relay.appcues.outline import outlines
from sfcode.relay.appcues.state import State, read
from sfcode.relay.message import Claimed, Latest
from tests.generate.projects import project
from tests.relay.appcues.desk import CONTACT, MORNING, at

OUTLINES = outlines(project({"contact": CONTACT}))
CHANGE = st.fixed_dictionaries(
    {}, optional={"Title": st.sampled_from(["CTO", "CEO"]), "Plan__c": st.sampled_from(["pro", "team"])}
)


def claimed(number: int, minute: int, values: dict[str, Any]) -> Claimed:
    record = {"Id": "003A", "SystemModstamp": at(minute), "Appcues_User_Id__c": "u1", **values}
    payload = {"mapping": "contact", "version": OUTLINES["contact"].version, "record": record, "origin": "message"}
    return Claimed(number, "salesforce", f"m{number}", "user:u1", "contact", payload, 0, MORNING)


class Simulation:
    """An inbox and a profile, without either."""

    def __init__(self) -> None:
        self.profile: dict[str, Any] = {}
        self.known: dict[str, Latest] = {}
        self.queue: list[Claimed] = []
        self.now = datetime(2026, 6, 2, tzinfo=UTC)

    def deliver(self, count: int, *, killed: bool) -> None:
        """Deliver the eldest messages; killed: after the request, before anything of it is noted."""
        messages = self.queue[:count]
        self.now += timedelta(seconds=1)
        guards = Guards(OUTLINES.values(), self.known, f"{self.now:%Y-%m-%dT%H:%M:%S}.000000Z")
        states = [(message, state) for message in messages if isinstance(state := read(message, OUTLINES, "u1"), State)]
        folded = fold(states, "u1", self.known, guards)
        for name, value in body(folded.parts).items():
            self.profile.pop(name, None)
            if value is not None:
                self.profile[name] = value
        if killed:
            return
        self.note([*guards.changed(), *(part.latest for part in folded.parts if part.latest)])
        self.queue = self.queue[count:]

    def note(self, states: Iterable[Latest]) -> None:
        for each in states:
            if each.name not in self.known or each.stamp >= self.known[each.name].stamp:
                self.known[each.name] = each


@settings(max_examples=300)
@given(
    changes=st.lists(CHANGE, min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
    claims=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.booleans()), max_size=12),
)
def test_the_profile_ends_at_the_newest_state(changes, order, claims):
    arriving = [claimed(number, number, values) for number, values in enumerate(changes)]
    order.shuffle(arriving)
    arriving += order.sample(arriving, len(arriving) // 2)
    world = Simulation()
    for arrive, count, killed in claims:
        world.queue += arriving[:arrive]
        arriving = arriving[arrive:]
        world.deliver(count, killed=killed)
    world.queue += arriving
    while world.queue:
        world.deliver(2, killed=False)
    names = {"Title": "role", "Plan__c": "plan"}
    assert world.profile == {names[field]: value for field, value in changes[-1].items()}


def test_parts_are_put_together_in_the_order_of_the_changes():
    first, second = claimed(1, 5, {"Title": "New"}), claimed(2, 4, {"Title": "Old", "Plan__c": "pro"})
    other = Claimed(
        3,
        "salesforce",
        "m3",
        "user:u1",
        "contact",
        {
            **first.payload,
            "record": {**first.payload["record"], "Id": "003B", "SystemModstamp": at(4.5), "Title": "Other"},
        },
        0,
        MORNING,
    )
    guards = Guards(OUTLINES.values(), {}, "2026-06-02T00:00:00.000000Z")
    states = [(message, read(message, OUTLINES, "u1")) for message in (first, other, second)]
    folded = fold(states, "u1", {}, guards)  # type: ignore[arg-type]
    assert [part.messages for part in folded.parts] == [(3,), (1, 2)]
    assert body(folded.parts)["role"] == "New"
