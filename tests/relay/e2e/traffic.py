"""Generate messages of both directions from a seed, and the expected result."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 6, 1, 8, tzinfo=UTC)
FIRST_USER = 500_000
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{org}</OrganizationId>'
    '<ActionId>04k000000000001AAA</ActionId><SessionId xsi:nil="true"/><EnterpriseUrl>https://x.example</EnterpriseUrl>'
    "<PartnerUrl>https://x.example</PartnerUrl>{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
)
NOTIFICATION = (
    '<Notification><Id>{id}</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
    "{fields}</sObject></Notification>"
)


@dataclass(frozen=True, slots=True)
class Post:
    """One request, repeated until it is accepted."""

    path: str
    body: bytes
    messages: int
    """The number of messages in the request."""
    soap: bool


@dataclass
class Expected:
    """The expected data of Salesforce and Appcues after all deliveries."""

    markers: set[str] = field(default_factory=set)
    """Texts that must each be in exactly one Event."""
    events: int = 0
    scores: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The time and the value of the latest score, by user."""
    profiles: dict[str, tuple[str, dict[str, str | None]]] = field(default_factory=dict)
    """The time stamp and the attributes of the latest state, by user."""


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def users(count: int) -> list[str]:
    return [str(FIRST_USER + number) for number in range(count)]


def webhooks(rng: random.Random, count: int, people: Sequence[str], path: str, expected: Expected) -> list[Post]:
    """Return events of Appcues, most of them alone, some in arrays."""
    events = []
    for number in range(count):
        user = rng.choice(people)
        timestamp = stamp(BEGINNING + timedelta(seconds=number, milliseconds=rng.randrange(1000)))
        name, attributes = _event(rng, number)
        if name == "appcues:nps_score":
            latest = expected.scores.get(user, ("", 0))
            expected.scores[user] = max(latest, (timestamp, attributes["score"]))
        else:
            expected.markers.add(f"marker-{number}.")
        expected.events += 1
        events.append({"name": name, "user_id": user, "timestamp": timestamp, "attributes": attributes})
    posts = []
    while events:
        size = rng.choice((1, 1, 1, 1, 1, 1, 1, 7))
        batch, events = events[:size], events[size:]
        body = json.dumps(batch[0] if size == 1 else batch).encode()
        posts.append(Post(path, body, len(batch), soap=False))
    return posts


def _event(rng: random.Random, number: int) -> tuple[str, dict]:
    marker = f"marker-{number}."
    choice = rng.randrange(4)
    if choice == 0:
        return "appcues:nps_score", {"score": rng.randrange(11), "flowName": "NPS", "flowId": "n"}
    if choice == 1:
        return "appcues:nps_feedback", {"feedback": marker, "flowName": "NPS", "flowId": "n"}
    if choice == 2:
        return "appcues:flow_completed", {"flowName": marker, "flowId": "f"}
    return "appcues:checklist_item_completed", {"itemLabel": marker, "checklistName": "First steps", "itemIndex": 1}


def outbound(
    rng: random.Random, count: int, contacts: dict[str, str], expected: Expected, *, org: str, path: str
) -> list[Post]:
    """Return messages of Salesforce about contacts (by user ID), in another order than that of the changes."""
    people = list(contacts)
    notifications = []
    for number in range(count):
        user = rng.choice(people)
        timestamp = stamp(BEGINNING + timedelta(seconds=number, milliseconds=rng.randrange(1000)))
        attributes: dict[str, str | None] = {"role": f"Role {number}", "plan": rng.choice(["pro", "team", None])}
        expected.profiles[user] = max(
            expected.profiles.get(user, ("", {})), (timestamp, attributes), key=lambda candidate: candidate[0]
        )
        values = {
            "Id": contacts[user],
            "Appcues_User_Id__c": user,
            "LastName": f"Load {user}",
            "Plan__c": attributes["plan"],
            "SystemModstamp": timestamp,
            "Title": attributes["role"],
        }
        fields = "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in values.items() if value is not None)
        notifications.append(NOTIFICATION.format(id=f"04l{number:012d}AAA", fields=fields))
    # Each message is moved by up to 200 places, since Salesforce guarantees no order.
    order = sorted(range(count), key=lambda number: number + rng.uniform(0, 200))
    posts = []
    while order:
        size = rng.randint(1, 20)
        batch, order = order[:size], order[size:]
        body = ENVELOPE.format(org=org, notifications="".join(notifications[number] for number in batch))
        posts.append(Post(path, body.encode(), len(batch), soap=True))
    return posts
