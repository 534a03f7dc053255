"""The recipe `group_progress`: events of users set attributes of their group, once and in order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfcode.config.events_file import default_events
from sfcode.config.webhook_models import WebhookPaths
from sfcode.relay.appcues_payload import find_events
from sfcode.relay.group_progress import GroupProgress
from sfcode.relay.ingress.appcues_parser import ParserSettings, messages
from sfcode.relay.message import InboxMessage
from sfcode.relay.settings import directions
from tests.generate.projects import project
from tests.relay.appcues.appcues_relay import ACCOUNT, CONTACT, MAPPINGS, AppcuesRelay, opened

RULES = [
    {"when": {"event": "checklist_completed", "checklist": ["Onboarding", "c-2"]}, "set": {"onboarding": "done"}},
    {"when": {"event": "checklist_item_completed"}, "set": {"onboarding": "begun", "seats": 3}},
    {"when": {"event": "nps_score"}, "set": {"answered": True}},
]


@pytest.fixture
def relay(tmp_path: Path, sqlite_inbox_url: str) -> Iterator[AppcuesRelay]:
    with opened(tmp_path, sqlite_inbox_url) as relay:
        relay.project = replace(project(MAPPINGS, recipes={"group_progress": RULES}), events=default_events())
        yield relay


def body(name: str, *, minute: int = 0, user: str = "u1", group: str | None = "acme", **attributes: Any) -> Any:
    time = f"2026-06-01T08:{minute:02}:00Z"
    ids = {"user_id": user, **({"group_id": group} if group else {})}
    return {"name": f"appcues:{name}", "timestamp": time, **ids, "attributes": attributes}


def read(relay: AppcuesRelay, *bodies: Any) -> tuple[InboxMessage, ...]:
    """Accept webhooks as ingress does."""
    events = [event for body in bodies for event in find_events(body, WebhookPaths())]
    parsed_messages = messages(events, ParserSettings.of(relay.project), "", datetime.now(UTC))
    return GroupProgress.of(relay.project).extend(parsed_messages)


def take(relay: AppcuesRelay, *bodies: Any) -> None:
    relay.inbox.accept(read(relay, *bodies))


def test_an_event_of_one_user_sets_attributes_of_the_group(relay: AppcuesRelay) -> None:
    take(
        relay,
        body("checklist_completed", checklistName="Onboarding"),
        body("checklist_completed", group="other", checklistName="x", checklistId="c-2"),
        body("nps_score_and_feedback", group="third", score=9, feedback="Good"),
    )
    relay.deliver()
    assert relay.group("acme") == {"onboarding": "done"}
    assert relay.group("other") == {"onboarding": "done"}
    assert relay.group("third") == {"answered": True}
    assert relay.profile("u1") == {}


@pytest.mark.parametrize(
    "event",
    [
        body("checklist_completed", checklistName="Another"),
        body("flow_completed", flowName="Onboarding"),
        body("nps_score", score="many"),
        body("checklist_item_completed", group=None),
        body("checklist_item_completed", user=""),
    ],
)
def test_other_events_set_nothing(relay: AppcuesRelay, event: Any) -> None:
    assert [message.source for message in read(relay, event)] == ["appcues"]


def test_a_repeated_event_is_sent_once(relay: AppcuesRelay) -> None:
    event = body("checklist_completed", checklistName="Onboarding")
    take(relay, event)
    relay.deliver()
    take(relay, event)
    relay.deliver()
    assert relay.bodies() == [{"onboarding": "done"}]


@pytest.mark.parametrize("seed", range(3))
def test_events_of_several_users_end_with_what_happened_last(relay: AppcuesRelay, seed: int) -> None:
    """A late event does not overwrite a newer value, in any order and with any number of claims."""
    rng = random.Random(seed)
    events = [body("checklist_item_completed", minute=minute, user=f"u{minute}") for minute in range(5)]
    events += [body("checklist_completed", minute=6, user="u9", checklistName="Onboarding")]
    rng.shuffle(events)
    for event in events:
        take(relay, event)
        if rng.random() < 0.5:
            relay.deliver()
    relay.deliver()
    assert relay.group("acme") == {"onboarding": "done", "seats": 3}


def test_the_group_keeps_what_its_account_sends(relay: AppcuesRelay) -> None:
    relay.send("acme", mapping="account", record="001A", minute=1, Industry="Law", NumberOfEmployees="5")
    take(relay, body("checklist_completed", checklistName="Onboarding"))
    relay.send("acme", mapping="account", record="001A", minute=2, Industry="Wine", NumberOfEmployees="5")
    relay.deliver()
    assert relay.group("acme") == {"industry": "Wine", "staff": 5, "onboarding": "done"}


def test_without_the_recipe_events_make_no_message_and_waiting_ones_are_parked(relay: AppcuesRelay) -> None:
    take(relay, body("checklist_completed", checklistName="Onboarding"))
    relay.project = project(MAPPINGS)
    states = relay.deliver()
    assert [end for name, end in states.items() if name.startswith("progress:")] == [("parked", "no_mapping")]
    assert len(read(relay, body("checklist_completed", checklistName="Onboarding"))) == 1


def test_a_project_that_only_receives_writes_to_appcues_too() -> None:
    receiving = {**CONTACT, "direction": "to_salesforce", "to_salesforce": {"activities": ["nps_score"]}}
    recipes = {"group_progress": RULES}
    assert directions(project({"contact": receiving})).to_appcues is False
    assert directions(project({"contact": receiving}, recipes=recipes)).to_appcues is True
    assert directions(project({"account": ACCOUNT})).to_salesforce is False
    assert directions(project({"account": ACCOUNT}, recipes=recipes)).to_salesforce is True
