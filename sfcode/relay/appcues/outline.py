"""A mapping as this writer sees it: which field becomes which attribute, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from sfcode.config import models
from sfcode.config.project import Project
from sfcode.generate.exchange import Exchange, exchange
from sfcode.generate.fields import ATTRIBUTE_TYPES, NUMERIC, fields_of
from sfcode.generate.messaging import message_version
from sfcode.metadata.objects import Field, standard
from sfcode.relay.appcues.values import Kind

_FITTING = cast(Mapping[str, Kind], ATTRIBUTE_TYPES)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: the field it comes from, and what it is sent as."""

    name: str
    field: str
    kind: Kind
    numeric: bool = False
    """Whether the field is known to be a number."""
    others: tuple[str, ...] = ()
    """The other mappings that write it to the same profiles."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A mapping whose records are sent to Appcues."""

    name: str
    match: str
    user_id: str
    version: str
    """Of the field list that its messages are made from."""
    attributes: tuple[Attribute, ...]


def outlines(project: Project) -> dict[str, Outline]:
    """List the mappings whose records the relay sends, by their names."""
    sending = [one for one in map(exchange, project.mappings) if one.sends and one.by_relay]
    return {one.name: _outline(one, sending) for one in sending}


def _outline(one: Exchange, sending: list[Exchange]) -> Outline:
    match = one.mapping.spec.match
    others = [other for other in sending if other.name != one.name and other.mapping.spec.match == match]
    known = fields_of(standard(), one.object, one.created())
    attributes = tuple(
        _attribute(
            name, given, known.get(given.field), tuple(other.name for other in others if name in _attributes(other))
        )
        for name, given in _attributes(one).items()
    )
    return Outline(one.name, match, one.user_id.field, message_version(one.message_fields), attributes)


def _attributes(one: Exchange) -> Mapping[str, models.Attribute]:
    spec = one.mapping.spec.to_appcues
    return spec.attributes if spec else {}


def _attribute(name: str, given: models.Attribute, known: Field | None, others: tuple[str, ...]) -> Attribute:
    described = known.type if known else ""
    return Attribute(name, given.field, given.type or _FITTING.get(described, "string"), described in NUMERIC, others)
