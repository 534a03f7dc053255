"""Who receives Appcues' events: the mappings whose data the relay writes to Salesforce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sfcode.config.project import Project
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.objects import OrgSchema

CREATED_FEEDBACK = 32_768
"""Length of the feedback fields that sfcode makes."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One mapping, as far as writing to its object is concerned. Every name in it is the config's."""

    name: str
    object: str
    match: Literal["user", "group"]
    key: str
    """The text field that equals the user's or the group's id."""
    number: str = ""
    """The number field that `key` is a formula over: formulas have no index, so this one is asked for."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Where `score` and `feedback` go."""
    feedback_limit: int | None = None
    """How long a feedback may be, where that is known."""
    activities: frozenset[str] = frozenset()
    click_to_track: frozenset[str] = frozenset()
    link: str = ""
    """The field of an activity that links it to the record."""

    @property
    def unsure(self) -> bool:
        """Whether the org has to be asked how long a feedback may be."""
        return "feedback" in self.fields and self.feedback_limit is None

    @property
    def fields_to_read(self) -> tuple[str, ...]:
        """What a lookup selects."""
        converted = ("IsConverted",) if self.object == "Lead" else ()
        return ("Id", self.key, *converted)


def with_lengths(every: tuple[Destination, ...], schema: OrgSchema) -> tuple[Destination, ...]:
    """Take over from a describe how long the fields are that were there before."""
    return tuple(replace(one, feedback_limit=_length(one, schema)) if one.unsure else one for one in every)


def _length(one: Destination, schema: OrgSchema) -> int | None:
    known = schema.objects.get(one.object)
    field = known.fields.get(one.fields["feedback"]) if known else None
    return (field.length or None) if field else None


def destinations(project: Project) -> tuple[Destination, ...]:
    """List the mappings that receive through the relay."""
    return tuple(_receiver(one) for one in project.resolved if one.receives and one.by_relay)


def _receiver(one: ResolvedMapping) -> Destination:
    made = any(target.kind == "feedback" and target.create for target in one.targets)
    return Destination(
        one.name,
        one.object,
        one.match,
        one.user_id.field,
        one.source.field if one.source else "",
        {target.kind: target.field for target in one.targets},
        CREATED_FEEDBACK if made else None,
        frozenset(event.name for event in one.activities),
        frozenset(event.name for event in one.click_to_track),
        one.link_field,
    )
