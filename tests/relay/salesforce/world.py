"""A local org with the applied integration, the writer signed in as the integration user, and claims built by tests."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from sfcode.config import load
from sfcode.config.project import Project
from sfcode.local import LocalOrg, serve
from sfcode.metadata.component import Component
from sfcode.org import Org, connect
from sfcode.org.options import Runtime
from sfcode.relay.message import AttemptedWrite, Claim, ClaimedMessage, Delivery, FollowUp, LatestState, Settlement
from sfcode.relay.salesforce import make_writer
from tests.e2e.journey import Journey
from tests.local.automation.building import Control, deploy
from tests.local.conftest import Rest
from tests.relay.states import States

INTEGRATION = "appcues.integration@example.com.local"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE = 60.0


@dataclass
class EventRecorder:
    """The events that an observer received."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    usage: list[tuple[int, int]] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)

    def record_call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        assert side == "salesforce"
        assert seconds >= 0
        self.calls.append((operation, outcome))

    def record_hold(self, mapping: str, seconds: float) -> None:
        pass

    def record_quota(self, used: int, limit: int) -> None:
        self.usage.append((used, limit))

    def raise_alarm(self, name: str, detail: str) -> None:
        self.alarms.append((name, detail))


_NUMBERS = itertools.count(1)


def event(
    name: str,
    user_id: str | None = "10001",
    *,
    at: float = 0.0,
    id: str | None = None,
    group_id: str | None = None,
    attempts: int = 0,
    key: str = "",
    body: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> ClaimedMessage:
    """Return a claimed message as ingress creates it; `at` is the time in seconds after noon."""
    number = next(_NUMBERS)
    time_ = (NOON + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payload = {
        "event": {"name": name, "attributes": attributes, **(body or {})},
        "user_id": user_id,
        "group_id": group_id,
        "timestamp": time_,
    }
    return ClaimedMessage(
        number, "appcues", id or f"message-{number}", key or f"user:{user_id}", name, payload, attempts, NOON
    )


ACTIVITIES = tuple(f"{kind} WHERE Appcues_Event_Id__c != null" for kind in ("Event", "Task"))


@dataclass
class World:
    """One project in one org, and the states of the relay."""

    project: Project
    local: LocalOrg
    rest: Rest
    control: Control
    org: Org
    recorder: EventRecorder = field(default_factory=EventRecorder)
    latest: dict[str, LatestState] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    followups: list[FollowUp] = field(default_factory=list)
    """The follow-up messages of the last delivery."""
    writes: dict[int, list[AttemptedWrite]] = field(default_factory=dict)
    """The writes of the last delivery, by message."""

    def __post_init__(self) -> None:
        self.writer = self.fresh_writer()

    def fresh_writer(self, project: Project | None = None, **more: Any) -> Any:
        """Create a writer that only has the states of the inbox, as after a restart."""
        writer = make_writer(
            project or self.project, self.org, States(self.find_states), self.recorder, time.monotonic, **more
        )

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        writer.sleep = sleep  # type: ignore[attr-defined]
        return writer

    def find_states(self, names: Iterable[str]) -> dict[str, LatestState]:
        return {name: self.latest[name] for name in names if name in self.latest}

    def settle(self, delivery: Delivery) -> None:
        """Store the latest states as the inbox does: an older state never replaces a newer one."""
        for state in delivery.latest:
            if state.name not in self.latest or state.stamp >= self.latest[state.name].stamp:
                self.latest[state.name] = state

    def deliver(self, *messages: ClaimedMessage, writer: Any = None, lease: float = LEASE) -> list[Settlement]:
        """Deliver messages in one claim; return their settlements in the same order."""
        claim = Claim("token", time.monotonic() + lease, messages)
        delivery = asyncio.run((writer or self.writer).deliver(claim))
        assert set(delivery.settlements) == {message.id for message in messages}
        self.settle(delivery)
        self.followups = list(delivery.followups)
        self.writes = {message: list(writes) for message, writes in delivery.writes.items()}
        return [delivery.settlements[message.id] for message in messages]

    def contact(self, user_id: str = "10001", *fields: str) -> dict[str, Any]:
        """Return the NPS fields of a contact, and further fields by name."""
        names = ", ".join(("Id", "Appcues_NPS_Score__c", "Appcues_NPS_Feedback__c", *fields))
        (row,) = self.rest.rows(f"SELECT {names} FROM Contact WHERE Product_User_Id__c = {user_id}")
        return {name.removeprefix("Appcues_"): value for name, value in row.items() if name != "attributes"}

    def events(self, condition: str = "Id != null", kind: str = "Event") -> list[dict[str, Any]]:
        start = "StartDateTime, DurationInMinutes, " if kind == "Event" else "ActivityDate, Status, "
        return self.rest.rows(
            f"SELECT Id, Subject, Description, {start}WhoId, WhatId, Appcues_Event_Id__c FROM {kind} WHERE {condition} "
            "ORDER BY Appcues_Event_Id__c"
        )

    def clean(self, objects: Iterable[str] = ACTIVITIES) -> None:
        """Delete the records that tests wrote, and clear the NPS fields."""
        self.control("DELETE", "/faults")
        for records in objects:
            ids = [row["Id"] for row in self.rest.rows(f"SELECT Id FROM {records}")]
            for start in range(0, len(ids), 200):
                self.rest("DELETE", f"/composite/sobjects?ids={','.join(ids[start : start + 200])}")
        for mapping in self.project.mappings:
            spec = mapping.spec
            nps = spec.to_salesforce.nps
            blank = {"attributes": {"type": spec.object}} | {
                target.field: None for target in (nps.score, nps.feedback) if target
            }
            ids = f"SELECT Id FROM {spec.object} WHERE {spec.user_id.from_ or spec.user_id.field} != null"
            rows = [row["Id"] for row in self.rest.rows(ids)]
            if rows:
                self.org.collections.update([blank | {"Id": row} for row in rows])
        self.recorder, self.latest, self.slept = EventRecorder(), {}, []
        self.org.collections.usage = None
        self.writer = self.fresh_writer()


@contextmanager
def applied(folder: Path, *edits: tuple[str, str, str]) -> Iterator[World]:
    """Apply the repository's config, with edits, to a new org; the administrator can read the created fields."""
    journey = Journey.start(folder / "project")
    for edit in edits:
        journey.edit(*edit)
    with serve(folder / "org") as local, requests.Session() as session:
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": local.access_token}
        result = journey.run("--org", local.url, "apply", "--auto-approve")
        assert result.code == 0, result.err
        rest = Rest(local, version="63.0", session=session)
        _give(rest, "Appcues_Viewer")
        with signed_in(local, rest, INTEGRATION) as org:
            project = load(journey.folder / "config", "local")
            yield World(project, local, rest, Control(rest), org)


@contextmanager
def applied_with(folder: Path, mappings: Mapping[str, str], fields: Iterable[Component]) -> Iterator[World]:
    """Apply other mappings to a new org with some existing fields."""
    with serve(folder / "org") as local, requests.Session() as session:
        access = {field.full_name: {"editable": True, "readable": True} for field in fields}
        rest = Rest(local, version="63.0", session=session)
        deploy(local, *fields, Component("PermissionSet", "People", {"label": "People", "fieldPermissions": access}))
        _give(rest, "People")
        journey = Journey.start(folder / "project")
        for old in (folder / "project" / "config" / "mappings").iterdir():
            old.unlink()
        for name, text in mappings.items():
            (folder / "project" / "config" / "mappings" / f"{name}.yaml").write_text(text, encoding="utf-8")
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": local.access_token}
        result = journey.run("--org", local.url, "apply", "--auto-approve")
        assert result.code == 0, result.err
        _give(rest, "Appcues_Viewer")
        with signed_in(local, rest, INTEGRATION) as org:
            yield World(load(journey.folder / "config", "local"), local, rest, Control(rest), org)


def _give(rest: Rest, permission_set: str) -> None:
    """Assign a permission set to the administrator."""
    admin = rest.value("SELECT Id FROM User WHERE Username = 'admin@northwind.example'")
    set_id = rest.value(f"SELECT Id FROM PermissionSet WHERE Name = '{permission_set}'")
    rest.create("PermissionSetAssignment", AssigneeId=admin, PermissionSetId=set_id)


@contextmanager
def signed_in(
    local: LocalOrg, rest: Rest, username: str, on_response: Callable[[], object] = lambda: None
) -> Iterator[Org]:
    """Sign in as a user with a token."""
    answer = rest.session.post(f"{local.url}/services/sfcode/tokens", json={"username": username})
    assert answer.status_code < 300, answer.text
    runtime = Runtime(sleep=lambda _seconds: None, on_response=on_response)
    token = answer.json()["access_token"]
    with connect(local.url, environ={"SF_ACCESS_TOKEN": token}, api_version="63.0", runtime=runtime) as org:
        yield org
