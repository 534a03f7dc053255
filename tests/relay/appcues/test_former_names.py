"""States are stored by object and attribute, so that a renamed mapping continues with them."""

from __future__ import annotations

import json

import pytest

from sfcode.relay.appcues import delivered_state, stopped_clearing
from sfcode.relay.appcues.mapping_view import mapping_views
from sfcode.relay.appcues.null_guard import AT_MOST
from sfcode.relay.backfill.records import message
from sfcode.relay.backfill.refresh import RecordComparison
from sfcode.relay.message import LatestState
from tests.generate.projects import project
from tests.relay.appcues.appcues_relay import ACCOUNT, CONTACT, LEAD, AppcuesRelay, at


def rename(relay: AppcuesRelay) -> None:
    """Continue with a relay whose config calls the mapping of contacts `person`."""
    relay.project = project({"person": CONTACT, "lead": LEAD, "account": ACCOUNT})
    relay.restart()


def test_an_older_state_is_ignored_under_a_new_mapping_name(relay: AppcuesRelay) -> None:
    relay.send(minute=2, Title="CTO", Plan__c="pro")
    relay.deliver()
    rename(relay)
    relay.send(minute=1, mapping="person", Title="CFO", Plan__c="team")
    assert relay.deliver()["m2"] == ("done", "stale")
    assert relay.profile() == {"role": "CTO", "plan": "pro"}


@pytest.mark.parametrize("name", ["contact", "person"])
def test_a_refresh_does_not_queue_a_record_that_is_older_than_the_delivered_one(relay: AppcuesRelay, name: str) -> None:
    """The delivered state is stored by object, whatever the name of the mapping."""
    relay.project = project({name: CONTACT})
    relay.restart()
    relay.send(minute=2, mapping=name, Title="CTO")
    relay.deliver()
    (mapping,) = relay.project.resolved
    stored = relay.inbox.latest([delivered_state.name("user:u1")])[delivered_state.name("user:u1")]
    for minute, fields in [(1, None), (3, {"Title"})]:
        values = dict.fromkeys(mapping.message_fields) | {"Id": "003A", "Title": "CFO", "SystemModstamp": at(minute)}
        entry = message(mapping, values | {mapping.user_id.field: "u1"}, "refresh")
        assert entry is not None
        comparison = RecordComparison.of(entry, mapping_views(relay.project), stored)
        assert comparison is not None
        changed_message = comparison.keep_differences()
        assert (changed_message and set(changed_message.payload["record"]) & {"Title"}) == fields


def test_a_value_sent_under_the_former_name_is_cleared(relay: AppcuesRelay) -> None:
    relay.send(minute=1, Title="CTO", Plan__c="pro")
    relay.deliver()
    rename(relay)
    relay.send(minute=2, mapping="person", Title="CTO")
    relay.deliver()
    assert relay.profile() == {"role": "CTO"}


def test_records_that_turn_empty_are_counted_across_the_rename(relay: AppcuesRelay) -> None:
    for number in range(AT_MOST):
        relay.send(f"u{number}", record=f"003{number}", minute=1, Title="CTO", Plan__c="pro")
    relay.deliver()
    for number in range(AT_MOST - 1):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    relay.deliver()
    assert stopped_clearing(relay.project, relay.inbox.latest) == ()
    rename(relay)
    last = AT_MOST - 1
    relay.send(f"u{last}", record=f"003{last}", mapping="person", minute=2, Title="CTO")
    relay.deliver()
    assert [
        (attribute.mapping, attribute.attribute) for attribute in stopped_clearing(relay.project, relay.inbox.latest)
    ] == [("person", "plan")]


def test_a_field_is_guarded_whichever_attribute_it_becomes(relay: AppcuesRelay) -> None:
    """Values of another mapping's field do not hide that a field of this mapping has become unreadable."""
    attributes = {"plan": {"field": "Tier__c", "type": "string"}}
    second_mapping = {**CONTACT, "to_appcues": {"attributes": attributes}}
    relay.project = project({"contact": CONTACT, "other": second_mapping})
    for number in range(AT_MOST):
        relay.send(f"u{number}", record=f"003{number}", minute=1, Title="CTO", Plan__c="pro")
    relay.deliver()
    for number in range(AT_MOST):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
        relay.send(f"v{number}", record=f"003V{number}", minute=2, mapping="other", Tier__c="gold")
    relay.deliver()
    assert [attribute.mapping for attribute in stopped_clearing(relay.project, relay.inbox.latest)] == ["contact"]


def test_states_of_earlier_versions_are_read(relay: AppcuesRelay) -> None:
    stamp = at(2).replace("000Z", "000000Z")
    groups = [["contact", stamp, 1, stamp, ["born", "plan", "role", "seats", "vip"]]]
    state = json.dumps({"groups": groups, "values": {"role": "CTO"}})
    guard = json.dumps({"seen": True, "run": [], "stopped": "2026-06-01T08:00:00.000000Z"})
    relay.inbox.note(
        [
            LatestState(delivered_state.name("user:u1"), stamp, state),
            LatestState("clearing:contact:born", "2026-06-01T08:00:00.000000Z", guard),
        ]
    )
    assert [attribute.attribute for attribute in stopped_clearing(relay.project, relay.inbox.latest)] == ["born"]
    relay.send(minute=1, Title="CFO")
    assert relay.deliver()["m1"] == ("done", "stale")
    relay.send(minute=3, Title="CFO")
    relay.deliver()
    (row,) = relay.inbox.latest([delivered_state.name("user:u1")]).values()
    assert json.loads(row.value)["objects"][0][0] == "contact"
    assert delivered_state.read(row)["contact", "role"].stamp == at(3).replace("000Z", "000000Z")
