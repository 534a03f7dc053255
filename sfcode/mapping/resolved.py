"""A mapping as generation sees it: which fields go where, each with its place in the YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sfcode.config.models import TargetField
from sfcode.config.project import NamedMapping, Project
from sfcode.diagnostics import Diagnostic, Position
from sfcode.mapping import naming
from sfcode.metadata.objects import Field


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file and the path of the document that stands there."""

    position: Position
    path: str

    def problem(self, message: str, hint: str = "") -> Diagnostic:
        """Say that something is wrong here."""
        return Diagnostic.error(self.position, self.path, message, hint)


@dataclass(frozen=True, slots=True)
class Use:
    """A Salesforce field that the mapping names, and where it does."""

    field: str
    place: Place
    type: str | None = None
    """The type an attribute is sent as, when it is given."""


@dataclass(frozen=True, slots=True)
class Target:
    """A Salesforce field that the relay writes, for an NPS `score` or `feedback`."""

    kind: str
    field: str
    create: bool
    place: Place


@dataclass(frozen=True)
class Exchange:
    """One mapping, with directions and defaults worked out."""

    mapping: NamedMapping
    object: str
    user_id: Use
    source: Use | None
    """The number field behind a user id that is generated."""
    attributes: tuple[Use, ...] = ()
    targets: tuple[Target, ...] = ()
    on: frozenset[str] = field(default_factory=frozenset)
    trigger: str = "flow"
    sends: bool = False
    receives: bool = False
    activities: Place | None = None
    """Where activities are asked for; None when there are none."""

    @property
    def name(self) -> str:
        """The mapping's name."""
        return self.mapping.name

    @property
    def by_relay(self) -> bool:
        """Whether the relay carries the data, not Appcues' connector."""
        return self.mapping.spec.delivery == "relay"

    @property
    def message_fields(self) -> tuple[str, ...]:
        """What the outbound message holds, sorted and each once."""
        fields = {"Id", "SystemModstamp", self.user_id.field, *(use.field for use in self.attributes)}
        return tuple(sorted(fields))

    def place(self, *path: str | int) -> Place:
        """Find the place of a key of this mapping."""
        return Place(self.mapping.at(*path), ".".join(str(part) for part in path))

    def created(self) -> Iterator[Field]:
        """List the fields of the object that this mapping generates."""
        if self.source is not None:
            yield Field(self.user_id.field, "string", custom=True, calculated=True, updateable=False)
        for target in self.targets:
            if target.create:
                yield Field(target.field, "double" if target.kind == "score" else "textarea", custom=True)


def settings_place(project: Project, *path: str | int) -> Place:
    """Find the place of a key of `sfcode.yaml`."""
    return Place(project.at(*path), ".".join(str(part) for part in path))


def exchange(mapping: NamedMapping) -> Exchange:
    """Work out what a mapping exchanges, in which directions."""
    spec = mapping.spec
    out = spec.to_appcues if spec.direction in ("both", "to_appcues") else None
    back = spec.to_salesforce if spec.direction in ("both", "to_salesforce") else None

    def place(*path: str) -> Place:
        # A field may be written alone (`role: Title`) or as one of several keys (`role: {field: Title, ...}`).
        return Place(mapping.at(*path, "field"), ".".join(path))

    attributes = tuple(
        Use(attribute.field, place("to_appcues", "attributes", name), attribute.type)
        for name, attribute in (out.attributes.items() if out else ())
    )
    asked: list[tuple[str, TargetField | None]] = (
        [("score", back.nps.score), ("feedback", back.nps.feedback)] if back else []
    )
    activities = None
    if back and (back.activities or back.click_to_track):
        path = ("to_salesforce", "activities" if back.activities else "click_to_track")
        activities = Place(mapping.at(*path), ".".join(path))
    source = spec.user_id.from_
    return Exchange(
        mapping,
        spec.object,
        user_id=Use(spec.user_id.field, Place(mapping.at("user_id", "field"), "user_id.field")),
        source=Use(source, Place(mapping.at("user_id", "from"), "user_id.from")) if source else None,
        attributes=attributes,
        targets=tuple(
            Target(kind, target.field, target.create, place("to_salesforce", "nps", kind))
            for kind, target in asked
            if target is not None
        ),
        on=frozenset(out.on) if out else frozenset(),
        trigger=out.trigger if out else "flow",
        sends=out is not None,
        receives=back is not None,
        activities=activities,
    )


def activity_object(project: Project, one: Exchange) -> str | None:
    """Name the object that a mapping's activities become: Event, Task or the project's own; None without activities."""
    if one.activities is None:
        return None
    # Appcues' own connector always writes Events.
    kind = project.settings.relay.activities_as if one.by_relay else "event"
    return {"event": "Event", "task": "Task"}.get(kind) or naming.activities(project.settings.name)


def link_field(project: Project, one: Exchange) -> str:
    """Name the field of an activity that links it to the record: people are Who, everything else is What."""
    if one.by_relay and project.settings.relay.activities_as == "custom_object":
        return naming.lookup_field(one.object)
    return "WhoId" if one.object in ("Contact", "Lead") else "WhatId"
