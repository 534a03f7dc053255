"""What an org holds of an integration with Appcues that somebody clicked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sfcode.metadata.component import Address, Body, Value
from sfcode.metadata.objects import Field
from sfcode.plan.snapshot import Target

INTEGRATION_LICENSE = "Salesforce Integration"
"""The user license that Appcues' help page names."""


@dataclass(frozen=True, slots=True)
class Firing:
    """A workflow rule or flow that sends a message."""

    address: Address
    alone: bool
    """It does nothing but send messages to Appcues."""


@dataclass(frozen=True, slots=True)
class Message:
    """An outbound message to Appcues."""

    address: Address
    host: str
    by_connector: bool
    """Appcues' own connector made it; else somebody did, by hand."""
    user: str
    fields: tuple[str, ...]
    fired_by: tuple[Firing, ...] = ()

    @property
    def object(self) -> str:
        """The object whose records it sends."""
        return self.address.full_name.partition(".")[0]

    @property
    def shown_host(self) -> str:
        """Where it goes, as it may be shown: the connector's whole host name is known to nobody else."""
        return f"*.{self.host.partition('.')[2]}" if self.by_connector else self.host


@dataclass(frozen=True, slots=True)
class Person:
    """An active user who may be the integration's."""

    username: str
    last_name: str
    email: str
    profile: str
    license: str
    set_licenses: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    """Permission sets assigned to it, those of profiles left out."""


@dataclass(frozen=True, slots=True)
class Grants:
    """A permission set."""

    name: str
    body: Body

    def objects(self, right: str) -> frozenset[str]:
        """Name the objects on which it grants a right, such as `modifyAllRecords`."""
        return _granted(self.body.get("objectPermissions"), right)

    def fields(self, object_name: str) -> tuple[str, ...]:
        """Name the fields of an object that it lets somebody read, sorted."""
        full = _granted(self.body.get("fieldPermissions"), "readable")
        return tuple(sorted(name.partition(".")[2] for name in full if name.startswith(f"{object_name}.")))


def _granted(rows: Value, right: str) -> frozenset[str]:
    entries = rows.items() if isinstance(rows, Mapping) else ()
    return frozenset(name for name, row in entries if isinstance(row, Mapping) and row.get(right) is True)


@dataclass(frozen=True, slots=True)
class Formula:
    """The formula of a text field."""

    text: str
    blank_as_zero: bool
    source: str = ""
    """The number field that it turns into a text, and nothing else."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was looked up. Names of fields are those of one object; formulas go by `Object.Field`."""

    target: Target
    email: str
    """Of whoever is signed in."""
    is_sandbox: bool
    messages: tuple[Message, ...] = ()
    people: tuple[Person, ...] = ()
    sets: Mapping[str, Grants] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    formulas: Mapping[str, Formula] = field(default_factory=dict)
    events: int | None = None
    """How many events have a subject that begins with Appcues; None where we may not look."""
    event_id: bool = False
    """The field of activities that the relay knows Appcues' events by is there already."""

    def grants(self, name: str | None) -> Grants:
        """Give a permission set; one that grants nothing where there is none of that name."""
        return self.sets.get(name or "", Grants("", {}))

    def sending(self, object_name: str) -> tuple[Message, ...]:
        """List the messages about an object."""
        return tuple(message for message in self.messages if message.object == object_name)
