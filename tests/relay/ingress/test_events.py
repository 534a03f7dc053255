"""The messages of a webhook body: parsed with key, kind, time and ID, or parked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sfcode.config import yaml
from sfcode.config.event_models import Alias
from sfcode.config.webhook_models import WebhookPaths
from sfcode.relay.message import InboxMessage
from sfcode.relay.salesforce.event_reader import config_name
from tests.relay.ingress.asking import NOW, WEBHOOK, Relay, event, project

TIME = "2026-11-23T17:20:00.000Z"


def receive(relay: Relay, body: Any, **more: Any) -> list[InboxMessage]:
    """Send a body and return the stored messages."""
    before = len(relay.inbox.messages)
    answer = relay.ask(WEBHOOK, json.dumps(body), **more)
    assert (answer.status, answer.json) == (200, {"status": "stored"})
    return relay.inbox.messages[before:]


def test_an_event_becomes_a_message_of_its_user(relay: Relay) -> None:
    sent_event = event(attributes={"flowName": "Welcome"}, session_id="s")
    (message,) = receive(relay, sent_event)
    assert message == InboxMessage(
        source="appcues",
        message_id=message.message_id,
        key="user:user-1",
        kind="appcues:flow_completed",
        payload={"event": sent_event, "user_id": "user-1", "group_id": None, "timestamp": TIME},
    )


@pytest.mark.parametrize(
    "body",
    [
        event(),
        [event()],
        {"events": [event()]},
        {"data": event()},
        {"data": [event()]},
        {"event": event()},
        {"payload": {"events": [event()]}},
        {"account_id": "1", "user_id": "user-1", "events": [{"name": "appcues:flow_completed", "timestamp": TIME}]},
        {"type": "event", "timestamp": TIME, "data": {"name": "appcues:flow_completed", "user_id": "user-1"}},
        {"event": "appcues:flow_completed", "userId": "user-1", "timestamp": TIME},
        {"name": "appcues:flow_completed", "timestamp": TIME, "attributes": {"_identity": {"userId": "user-1"}}},
    ],
)
def test_events_are_found_alone_in_arrays_and_in_envelopes(relay: Relay, body: Any) -> None:
    (message,) = receive(relay, body)
    assert (message.key, message.kind, message.payload["timestamp"], message.parked) == (
        "user:user-1",
        "appcues:flow_completed",
        TIME,
        "",
    )


def test_values_of_an_event_override_those_of_its_envelope(relay: Relay) -> None:
    body = {"user_id": "outer", "group_id": "acme", "events": [{"name": "a", "user_id": "inner"}, {"name": "b"}]}
    assert [(m.key, m.payload["group_id"]) for m in receive(relay, body)] == [
        ("user:inner", "acme"),
        ("user:outer", "acme"),
    ]


def test_an_unparsed_event_is_parked_and_the_others_are_stored(relay: Relay) -> None:
    sent_events = [
        event(user_id="1"),
        7,
        {"name": "x"},
        {"user_id": "2"},
        [event()],
        event(name="n" * 256),
        event(user_id="3"),
    ]
    messages = receive(relay, sent_events)
    assert [(m.key, m.kind, m.parked) for m in messages] == [
        ("user:1", "appcues:flow_completed", ""),
        ("", "", "not_understood"),
        ("", "x", "no_user_id"),
        ("", "", "no_name"),
        ("", "", "not_understood"),
        ("", "", "not_understood"),
        ("user:3", "appcues:flow_completed", ""),
    ]
    assert messages[2].payload == {"received": {"name": "x"}}


@pytest.mark.parametrize(
    ("body", "received"),
    [
        ("", None),
        (" \n", None),
        ("{}", {}),
        ('{"test": true}', {"test": True}),
        ("null", None),
        ('"ping"', "ping"),
        ("1", 1),
        ("[[1]]", [1]),
    ],
)
def test_an_authenticated_body_without_an_event_is_stored_once_and_answered_with_200(
    relay: Relay, body: str, received: object
) -> None:
    """Appcues Studio may test an address with any body."""
    for _ in range(2):
        assert relay.ask(WEBHOOK, body).status == 200
    (message,) = relay.inbox.messages
    assert message.parked in ("not_understood", "no_name")
    assert message.payload == {"received": received}


def test_an_empty_array_holds_nothing_to_store(relay: Relay) -> None:
    assert receive(relay, []) == receive(relay, {"events": []}) == []


def test_an_unparsed_body_is_stored_whole(relay: Relay) -> None:
    sent_event = {"text": "x" * 100_000, "parts": [{"a": 1}]}
    (message,) = receive(relay, sent_event)
    assert message.payload == {"received": sent_event}


@pytest.mark.parametrize(
    ("user_id", "key"),
    [
        (1001, "user:1001"),
        (1001.0, "user:1001"),
        ("1001", "user:1001"),
        (" a ", "user: a "),
        (0, "user:0"),
        (12345678901234567890, "user:12345678901234567890"),
        ("anon:7/ü@x", "user:anon:7/ü@x"),
    ],
)
def test_a_user_id_may_be_a_number(relay: Relay, user_id: object, key: str) -> None:
    (message,) = receive(relay, event(user_id=user_id))
    assert message.key == key
    assert message.payload["user_id"] == key.removeprefix("user:")


@pytest.mark.parametrize("user_id", [None, "", "  ", True, 1.5, [], {"id": 1}])
def test_other_values_are_not_a_user_id(relay: Relay, user_id: object) -> None:
    (message,) = receive(relay, event(user_id=user_id))
    assert (message.key, message.parked) == ("", "no_user_id")


@pytest.mark.parametrize("ids", [{"user_id": "u" * 256}, {"group_id": "g" * 256}])
def test_an_event_with_a_too_long_user_id_is_parked(relay: Relay, ids: dict[str, str]) -> None:
    (message,) = receive(relay, event(**ids))
    assert (message.key, message.kind, message.parked) == ("", "appcues:flow_completed", "not_understood")


class TestGroups:
    def test_events_of_a_group_keep_their_order_where_a_mapping_writes_to_groups(self, tmp_path: Path) -> None:
        relay = Relay(project(tmp_path, groups=True))
        sent_events = [event(group_id="acme"), event("x", context={"group_id": 7}), event(user_id="2")]
        assert [(m.key, m.payload["group_id"]) for m in receive(relay, sent_events)] == [
            ("group:acme", "acme"),
            ("group:7", "7"),
            ("user:2", None),
        ]

    def test_without_a_mapping_of_groups_events_belong_to_their_users(self, relay: Relay) -> None:
        (message,) = receive(relay, event(group_id="acme"))
        assert (message.key, message.payload["group_id"]) == ("user:user-1", "acme")


class TestTime:
    @pytest.mark.parametrize(
        ("value", "time"),
        [
            ("2026-11-23T17:20:00Z", TIME),
            ("2026-11-23T18:20:00+01:00", TIME),
            ("2026-11-23 17:20:00", TIME),
            ("20261123T172000Z", TIME),
            ("2026-11-23T17:20:00.123456789Z", "2026-11-23T17:20:00.123Z"),
            ("2026-11-23", "2026-11-23T00:00:00.000Z"),
            (1795454400, "2026-11-23T17:20:00.000Z"),
            (1795454400.5, "2026-11-23T17:20:00.500Z"),
            (1795454400123, "2026-11-23T17:20:00.123Z"),
            (1795454400123456, "2026-11-23T17:20:00.123Z"),
            (1795454400123456789, "2026-11-23T17:20:00.123Z"),
            ("1795454400", TIME),
            ("2026-11-23 17:20:00 UTC", TIME),
            ("2026-11-23 17:20:00 utc", TIME),
            ("2026-11-23 18:20:00 +0100", TIME),
            ("2026-11-23t17:20:00z", TIME),
            ("2026-11-23T17:20:00 GMT", TIME),
            ("Mon, 23 Nov 2026 17:20:00 GMT", TIME),
            ("Mon, 23 Nov 2026 18:20:00 +0100", TIME),
            ("23 Nov 2026 17:20:00 +0000", TIME),
            ("1795454400123", "2026-11-23T17:20:00.123Z"),
        ],
    )
    def test_is_read_in_every_form(self, relay: Relay, value: object, time: str) -> None:
        (message,) = receive(relay, event(timestamp=value))
        assert message.payload["timestamp"] == time

    @pytest.mark.parametrize(
        "value", [None, "", "soon", True, {}, 0, -5, 1e30, "9999-12-31T23:59:59-12:00", "2026-13-01", "0", 10**99]
    )
    def test_that_is_invalid_is_replaced_by_the_time_of_receipt(self, relay: Relay, value: object) -> None:
        (message,) = receive(relay, event(timestamp=value))
        assert message.payload["timestamp"] == "2026-11-23T17:23:00.000Z"

    def test_in_the_future_is_replaced_by_the_time_of_receipt_beyond_a_tolerance(self, relay: Relay) -> None:
        """Otherwise one browser with a wrong clock would delay all later scores of its user."""
        ahead = [(NOW + timedelta(minutes=minutes)).isoformat() for minutes in (4, 6)]
        times = [m.payload["timestamp"] for m in receive(relay, [event(timestamp=timestamp_) for timestamp_ in ahead])]
        assert times == ["2026-11-23T17:27:00.000Z", "2026-11-23T17:23:00.000Z"]

    def test_may_stand_among_the_attributes(self, relay: Relay) -> None:
        (message,) = receive(relay, {"name": "x", "user_id": "1", "attributes": {"timestamp": 1795454400123}})
        assert message.payload["timestamp"] == "2026-11-23T17:20:00.123Z"


class TestId:
    def test_the_same_event_again_is_the_same_message(self, relay: Relay) -> None:
        first = event(attributes={"a": 1, "b": [1, {"c": None}]}, session_id="1", delivery=1)
        second = event(attributes={"b": [1, {"c": None}], "a": 1}, session_id="1", delivery=2)
        second["timestamp"] = "2026-11-23T17:20:00Z"
        assert len(receive(relay, first)) == 1
        assert receive(relay, second) == []

    @pytest.mark.parametrize(
        "other",
        [
            event(name="appcues:flow_started"),
            event(user_id="user-2"),
            event(timestamp="2026-11-23T17:20:00.001Z"),
            event(attributes={"a": 1}),
            event(attributes={"a": "1"}),
        ],
    )
    def test_another_name_user_time_or_attribute_makes_another_message(self, relay: Relay, other: Any) -> None:
        assert len(receive(relay, [event(), event(attributes={"a": True}), other])) == 3

    def test_without_a_time_two_events_that_are_alike_are_one(self, relay: Relay) -> None:
        alike = {"name": "x", "user_id": "1", "attributes": {"step": 1}}
        assert len(receive(relay, alike)) == 1
        relay.now += timedelta(days=1)
        assert receive(relay, alike) == []
        assert len(receive(relay, alike | {"attributes": {"step": 2}})) == 1

    def test_attributes_beside_the_name_count_as_well(self, relay: Relay) -> None:
        flat = {"name": "checklist_item_started", "user_id": "1", "checklistId": "a"}
        assert len(receive(relay, [flat, flat | {"checklistId": "b"}])) == 2

    def test_may_be_taken_from_a_header_of_the_request(self, tmp_path: Path) -> None:
        relay = Relay(project(tmp_path, "message_id: {header: X-Event-Id}"))
        (message,) = receive(relay, event(), headers={"x-event-id": "abc"})
        assert message.message_id == "abc"
        assert receive(relay, event(user_id="else"), headers={"x-event-id": "abc"}) == []
        several = receive(relay, [event(), event()], headers={"x-event-id": "def"})
        assert [m.message_id for m in several] == ["def#0", "def#1"]
        (without,) = receive(relay, event())
        assert len(without.message_id) == 64

    def test_may_be_taken_from_a_place_in_the_event(self, tmp_path: Path) -> None:
        relay = Relay(project(tmp_path, "message_id: {path: attributes.id}"))
        ids = [7, "a-b", "with space", "x" * 300, None, True, {"a": 1}, "  "]
        message_ids = [m.message_id for m in receive(relay, [event(user_id=str(i), attributes={"id": i}) for i in ids])]
        assert message_ids[:2] == ["7", "a-b"]
        assert all(len(message_id) == 64 for message_id in message_ids[2:])
        assert len(set(message_ids)) == len(ids)


class TestPaths:
    """`appcues.webhook` has the paths of a webhook's values."""

    def relay(self, folder: Path, webhook: str) -> Relay:
        loaded = project(folder)
        paths = WebhookPaths.model_validate(yaml.parse(webhook.encode(), "x").data)
        appcues = loaded.settings.appcues.model_copy(update={"webhook": paths})
        return Relay(replace(loaded, settings=loaded.settings.model_copy(update={"appcues": appcues})))

    def test_the_first_path_that_leads_to_a_value_wins(self, tmp_path: Path) -> None:
        relay = self.relay(tmp_path, "user_id: [who.id, uid]")
        events = [
            {"name": "x", "uid": "2", "who": person}
            for person in ({"id": 1}, {"id": None}, {}, None, [], [{}, {"id": 3}])
        ]
        assert [m.key for m in receive(relay, events)] == ["user:1", "user:2", "user:2", "user:2", "user:2", "user:3"]

    def test_a_key_may_have_dots_and_a_number_chooses_from_a_list(self, tmp_path: Path) -> None:
        relay = self.relay(tmp_path, "{user_id: app.user.ids.1, name: event.name}")
        sent_event = {"event.name": "x", "app.user": {"ids": ["a", "b"]}}
        assert [(m.kind, m.key) for m in receive(relay, sent_event)] == [("x", "user:b")]

    def test_values_of_enclosing_objects_apply_to_an_event(self, tmp_path: Path) -> None:
        relay = self.relay(
            tmp_path, "{events: people.items, name: kind, user_id: id, id: key, attributes: [data, shared]}"
        )
        body = {
            "kind": "y",
            "shared": {"a": 1, "b": 1},
            "people": [
                {"id": "1", "key": "k", "items": [{"kind": "x", "data": {"a": 2}}, {}]},
                {"id": "2", "key": "l", "items": []},
                {"id": "3", "items": [{"key": "m"}]},
                {"id": "4"},
            ],
        }
        messages = receive(relay, body)
        assert [(m.kind, m.key, m.message_id) for m in messages] == [
            ("x", "user:1", "k#0"),
            ("y", "user:1", "k#1"),
            ("y", "user:3", "m"),
        ]
        assert [m.payload["event"]["attributes"] for m in messages] == [
            {"a": 2, "b": 1},
            {"a": 1, "b": 1},
            {"a": 1, "b": 1},
        ]
        assert messages[0].payload["received"] == {"kind": "x", "data": {"a": 2}}
        assert messages[0].payload["envelope"] == [
            {"kind": "y", "shared": {"a": 1, "b": 1}},
            {"id": "1", "key": "k"},
        ]

    def test_a_large_envelope_is_stored_once_and_not_with_each_of_its_events(self, relay: Relay) -> None:
        body = {"note": "x" * 20_000, "user_id": "1", "events": [{"name": f"e{number}"} for number in range(100)]}
        stored = receive(relay, body)
        assert {m.key for m in stored} == {"user:1"}
        assert sum(len(json.dumps(m.payload)) for m in stored) < 60_000
        assert stored[0].payload["envelope"] == [{"note": "x" * 20_000, "user_id": "1"}]

    def test_another_envelope_is_stored_with_each_of_its_events(self, relay: Relay) -> None:
        body = {"note": "x", "user_id": "1", "events": [{"name": "e0"}, {"name": "e1"}]}
        envelope = [{"note": "x", "user_id": "1"}]
        assert [message.payload["envelope"] for message in receive(relay, body)] == [envelope] * 2

    def test_an_alias_matches_a_name_without_its_prefix(self, relay: Relay) -> None:
        """It is not documented whether names in webhooks have the prefix."""
        events = relay.project.events
        alias = Alias.model_validate({"as": "flow_completed"})
        aliased = events.model_copy(update={"aliases": {"flow_completed": alias}})
        (message,) = receive(relay, event("flow_completed"))
        assert config_name(message.kind, events)[0] == "click_to_track"
        assert config_name(message.kind, aliased)[0] == "flow_completed"
        assert config_name("appcues:flow_completed", aliased)[0] == "flow_completed"


@pytest.mark.parametrize(
    ("sent", "replacement"),
    [
        ("a\\u0000b", "a\ufffdb"),
        ("\\ud83d", "\ufffd"),
        ("\\ude00\\ud83d", "\ufffd\ufffd"),
        ("\\ud83d\\ude00", "\U0001f600"),
    ],
)
def test_a_character_that_databases_refuse_is_replaced(relay: Relay, sent: str, replacement: str) -> None:
    """The event of the character is stored, and so are the other events in the array."""
    odd = f'{{"name": "x", "user_id": "1", "attributes": {{"a": ["{sent}"], "{sent}": 1}}}}'
    assert relay.ask(WEBHOOK, f'[{odd}, {{"name": "x", "user_id": "2"}}]').status == 200
    messages = relay.inbox.messages
    assert [message.key for message in messages] == ["user:1", "user:2"]
    assert messages[0].payload["event"]["attributes"] == {"a": [replacement], replacement: 1}


def test_nested_attributes_are_stored_unchanged(relay: Relay) -> None:
    odd = {"interaction": {"response": [{"value": "ß"}]}, "": None, "n": 1e300, "big": 10**60, "emoji": "\U0001f600"}
    (message,) = receive(relay, event(attributes=odd))
    assert message.payload["event"]["attributes"] == odd
