"""The parts of an org that concern an integration that was configured by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.metadata.component import Address, Body, Value
from sfcode.metadata.objects import Field
from sfcode.plan.snapshot import Target

INTEGRATION_LICENSE = "Salesforce Integration"
"""The user license of Appcues' help page."""


@dataclass(frozen=True, slots=True)
class MessageTrigger:
    """A workflow rule or flow that sends a message."""

    address: Address
    alone: bool
    """Whether the rule or flow does nothing but send messages to Appcues."""


@dataclass(frozen=True, slots=True)
class Message:
    """An outbound message to Appcues."""

    address: Address
    host: str
    by_connector: bool
    """Whether Appcues' own connector created the message, and not a person."""
    user: str
    fields: tuple[str, ...]
    fired_by: tuple[MessageTrigger, ...] = ()

    @property
    def object(self) -> str:
        """The object whose records the message sends."""
        return self.address.full_name.partition(".")[0]

    @property
    def shown_host(self) -> str:
        """The host for display, without its first label, which works like a secret for the connector."""
        return f"*.{self.host.partition('.')[2]}" if self.by_connector else self.host


@dataclass(frozen=True, slots=True)
class CandidateUser:
    """An active user who may be the integration user."""

    username: str
    last_name: str
    email: str
    profile: str
    license: str
    set_licenses: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    """Assigned permission sets, without those of profiles."""


@dataclass(frozen=True)
class PermissionSetGrants:
    """A permission set, and the rights that its body grants."""

    name: str
    body: Body

    def objects(self, right: str) -> frozenset[str]:
        """Return the objects on which the permission set grants a right, such as `modifyAllRecords`."""
        return _granted_names(self.body.get("objectPermissions"), right)

    def fields(self, object_name: str) -> tuple[str, ...]:
        """Return the readable fields of an object, sorted."""
        return self._readable_fields.get(object_name, ())

    @cached_property
    def _readable_fields(self) -> dict[str, tuple[str, ...]]:
        """The readable fields by object, cached since they are needed several times."""
        fields = defaultdict[str, list[str]](list)
        for name in sorted(_granted_names(self.body.get("fieldPermissions"), "readable")):
            object_name, _, field_name = name.partition(".")
            fields[object_name].append(field_name)
        return {object_name: tuple(names) for object_name, names in fields.items()}


def _granted_names(rows: Value, right: str) -> frozenset[str]:
    entries = rows.items() if isinstance(rows, Mapping) else ()
    return frozenset(name for name, row in entries if isinstance(row, Mapping) and row.get(right) is True)


@dataclass(frozen=True, slots=True)
class Formula:
    """The formula of a text field."""

    text: str
    blank_as_zero: bool
    source: str = ""
    """The number field, if the formula only converts it to text; else ""."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Everything that was read from the org. Fields are keyed by object, formulas by `Object.Field`."""

    target: Target
    email: str
    """The e-mail address of the signed-in user."""
    is_sandbox: bool
    messages: tuple[Message, ...] = ()
    people: tuple[CandidateUser, ...] = ()
    sets: Mapping[str, PermissionSetGrants] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    formulas: Mapping[str, Formula] = field(default_factory=dict)
    events: int | None = None
    """The number of events with a subject that begins with Appcues; None if the signed-in user cannot read events."""
    event_id: bool = False
    """Whether the external ID field of activities for the relay already exists."""

    def grants(self, name: str | None) -> PermissionSetGrants:
        """Return the grants of a permission set; empty if it does not exist."""
        return self.sets.get(name or "", PermissionSetGrants("", {}))

    def sending(self, object_name: str) -> tuple[Message, ...]:
        """List the messages of an object."""
        return tuple(message for message in self.messages if message.object == object_name)
