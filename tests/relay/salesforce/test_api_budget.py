"""Deliveries within the project's own budget of requests, against an org."""

from __future__ import annotations

from collections import Counter

from sfcode.relay.api_calls import LOOK_AGAIN, ApiBudget, ApiUse, PendingApiCalls
from sfcode.relay.message import Delivered, Released, Retry
from sfcode.relay.salesforce import make_writer
from tests.relay.salesforce.world import INTEGRATION, World, event, signed_in
from tests.relay.states import States


def test_a_delivery_is_counted_by_mapping_and_waits_at_the_end_of_the_budget(world: World) -> None:
    counted: Counter[ApiUse] = Counter()
    pending = PendingApiCalls(lambda use: counted.update([use]))
    budget = ApiBudget(lambda: 1_000, lambda *_: None, pending, stored=1_000)
    with signed_in(world.local, world.rest, INTEGRATION, pending.count) as org:
        writer = make_writer(world.project, org, States(world.find_states), world.recorder, budget=budget)
        before = sum(counted.values())
        events = [event("appcues:nps_score", "10001", score=9, at=number) for number in range(2)]
        waiting = world.deliver(*events, writer=writer)
        assert waiting == [Retry("api_budget", LOOK_AGAIN, counts=False), Released()]
        assert sum(counted.values()) == before, "no request was made"
        budget.update(10)
        assert world.deliver(*events, writer=writer) == [Delivered(), Delivered()]
    deliveries = {use: number for use, number in counted.items() if use.direction == "to_salesforce"}
    assert deliveries[ApiUse("to_salesforce", "contact", "update")] == 1
    assert deliveries[ApiUse("to_salesforce", "", "lookup")] == 1, "contacts and leads are asked for in one request"
    assert sum(deliveries.values()) == pending.number - before
