"""The relay's delivery to Appcues: a real inbox, a real local Appcues, and the writer between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sfcode.config.project import Project
from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema
from sfcode.relay.appcues import AppcuesWriter, FieldTypeCache, make_writer
from sfcode.relay.appcues.mapping_view import mapping_views
from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.message import Claim, Delivery, InboxMessage
from sfcode.secret import Secret
from tests.generate.projects import changed, project
from tests.local.appcues.account import Appcues, serving

T = TypeVar("T")

CONTACT: dict[str, Any] = {
    "object": "Contact",
    "user_id": {"field": "Appcues_User_Id__c", "from": "Product_User_Id__c"},
    "to_appcues": {
        "attributes": {
            "role": {"field": "Title"},
            "plan": {"field": "Plan__c"},
            "born": {"field": "Birthdate"},
            "seats": {"field": "Seats__c", "type": "number"},
            "vip": {"field": "Vip__c", "type": "boolean"},
        }
    },
    "direction": "to_appcues",
}
LEAD = changed(
    CONTACT, object="Lead", to_appcues={"attributes": {"role": {"field": "Title"}, "rating": {"field": "Rating"}}}
)
ACCOUNT: dict[str, Any] = {
    "object": "Account",
    "match": "group",
    "user_id": {"field": "Account_Id__c"},
    "to_appcues": {"attributes": {"industry": {"field": "Industry"}, "staff": {"field": "NumberOfEmployees"}}},
    "direction": "to_appcues",
}
MAPPINGS = {"contact": CONTACT, "lead": LEAD, "account": ACCOUNT}
MORNING = datetime(2026, 6, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Credentials:
    appcues_url: str
    appcues_key: Secret
    appcues_secret: Secret


@dataclass
class EventRecorder:
    """Records everything that the writer reports."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)

    def record_call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.calls.append((side, operation, outcome))

    def record_hold(self, mapping: str, seconds: float) -> None:
        pass

    def record_quota(self, used: int, limit: int) -> None:
        raise AssertionError("Appcues has no quota")

    def raise_alarm(self, name: str, detail: str) -> None:
        self.alarms.append((name, detail))


def at(minute: float) -> str:
    """Return the time of a change in Salesforce's format."""
    return f"{MORNING + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%S}.000Z"


@dataclass
class DescribedOrg:
    """An org whose fields have these describe types, by object and name."""

    fields: dict[tuple[str, str], str] = field(default_factory=lambda: {("Contact", "Plan__c"): "string"})
    asked: list[set[str]] = field(default_factory=list)
    error: Exception | None = None

    def describe(self, names: Iterable[str]) -> OrgSchema:
        self.asked.append(set(names))
        if self.error is not None:
            raise self.error
        objects: dict[str, dict[str, Field]] = {}
        for (name, field_name), kind in self.fields.items():
            objects.setdefault(name, {})[field_name] = Field(field_name, kind)
        asked_objects = {name: definitions for name, definitions in objects.items() if name in self.asked[-1]}
        return OrgSchema(
            {name: ObjectSchema(name, name, definitions, True) for name, definitions in asked_objects.items()},
            online=True,
        )


@dataclass
class AppcuesRelay:
    """Accepts messages, delivers them to a local Appcues, and reads the results."""

    project: Project
    inbox: Inbox
    appcues: Appcues
    recorder: EventRecorder = field(default_factory=EventRecorder)
    org: DescribedOrg | None = field(default_factory=DescribedOrg)
    """The org from which the relay reads field types at its start; None if Salesforce is unreachable."""
    types: FieldTypeCache | None = None
    rate: float = 10_000.0
    lease: float = 60.0
    url: str = ""
    """The URL of a replacement for the local Appcues; "" for none."""
    key: str = ""
    """A replacement for the valid API key; "" for none."""
    number: int = 0
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    writer: AppcuesWriter | None = None

    def send(
        self, user: str = "u1", *, minute: float = 0, record: str = "003A", mapping: str = "contact", **more: Any
    ) -> None:
        """
        Accept one message as ingress creates it.

        Fields are passed by their names, and `version` and other parts of the payload by theirs.
        """
        self.number += 1
        view = mapping_views(self.project).get(mapping)
        parts = {name: more.pop(name) for name in ("version", "complete", "origin") if name in more}
        values = {"Id": record, "SystemModstamp": at(minute)}
        if view is not None:
            values[view.user_id] = user
        payload = {
            "mapping": mapping,
            "version": view.version if view else None,
            "record": {name: value for name, value in {**values, **more}.items() if value is not ABSENT},
            "notification": f"04l{self.number}",
            "origin": "message",
            **parts,
        }
        kind = view.match if view else "user"
        self.inbox.accept([InboxMessage("salesforce", f"m{self.number}", f"{kind}:{user}", mapping, payload)])

    def claim(self) -> Claim | None:
        return self.inbox.claim("salesforce", limit=200, per_key=200, lease=self.lease)

    def settle(self, claim: Claim, delivery: Delivery, later: timedelta = timedelta(hours=1)) -> int:
        return self.inbox.settle(claim, delivery, lambda _, __: later)

    def write(self, work: Callable[[AppcuesWriter], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine of the writer on the writer's event loop."""

        async def run() -> T:
            if self.writer is None:
                account = self.appcues.account
                credentials = Credentials(
                    self.url or account.url, Secret(self.key or account.api_key), Secret(account.api_secret)
                )
                self.types = FieldTypeCache(self.project, self.inbox)
                self.types.load()
                if self.org is not None:
                    self.types.refresh(self.org)
                self.writer = make_writer(
                    self.project,
                    credentials,
                    self.inbox,
                    self.recorder,
                    types=self.types,
                    rate=lambda: self.rate,
                )
            return await work(self.writer)

        return self.runner.run(run())

    def restart(self) -> None:
        """Continue as a new process of the relay."""
        if self.writer is not None:
            self.runner.run(self.writer.close())
            self.writer = None

    def close(self) -> None:
        self.restart()
        self.runner.close()

    def deliver(self, later: timedelta = timedelta(hours=1)) -> dict[str, tuple[str, str]]:
        """
        Deliver all due messages in one claim; return state and note of each message by ID.

        Failed messages are due again `later`.
        """
        claim = self.claim()
        if claim is not None:
            delivery = self.write(lambda writer: writer.deliver(claim))
            assert set(delivery.settlements) == {message.id for message in claim.messages}, "every message is settled"
            assert self.settle(claim, delivery, later) == len(claim.messages)
        return self.states()

    def states(self) -> dict[str, tuple[str, str]]:
        """Return state and reason or note of each message by its ID."""
        return {
            entry.message_id: (entry.state, entry.reason or entry.detail) for entry in self.inbox.page(Filter(), 1000)
        }

    def deliver_again(self) -> None:
        """Make all delivered messages due again."""
        self.inbox.replay(Filter(state="done"))

    def profile(self, user: str = "u1") -> Mapping[str, Any]:
        return self.appcues.control("GET", "profiles")["users"].get(user, {})

    def group(self, group: str) -> Mapping[str, Any]:
        return self.appcues.control("GET", "profiles")["groups"].get(group, {})

    def bodies(self) -> list[Any]:
        """Return the bodies of all requests."""
        return [json.loads(request["body"]) for request in self.appcues.control("GET", "requests")["requests"]]


ABSENT = object()
"""Marks a field for `send` that the message does not contain."""


@contextmanager
def opened(folder: Path, database: str, mappings: Mapping[str, Any] = MAPPINGS) -> Iterator[AppcuesRelay]:
    """Open everything until the block ends."""
    with serving(folder / "state", rate=None) as appcues, open_inbox(database) as inbox:
        relay = AppcuesRelay(project(dict(mappings)), inbox, appcues)
        try:
            yield relay
        finally:
            relay.close()


def in_time(claim: Claim, seconds: float) -> Claim:
    """Return a claim whose lease ends after some seconds."""
    return replace(claim, deadline=boot_time() + seconds)
