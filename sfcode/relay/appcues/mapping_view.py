"""The part of a mapping that sends to Appcues: which field becomes which attribute, of which type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sfcode.config.project import Project, add_former_names
from sfcode.config.recipe_models import ProgressRule
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.mapping.field_types import ATTRIBUTE_TYPES, NUMBER_TYPES
from sfcode.mapping.fields import fields_of
from sfcode.mapping.resolved import FieldUse, ResolvedMapping
from sfcode.mapping.value_map import AttributeValue, ValueMap
from sfcode.metadata.objects import Field, standard
from sfcode.relay.appcues.values import Kind

PROGRESS = "recipes.group_progress"
"""The name of the view for group attributes that events set, and the kind of its messages. No mapping name has a dot."""

_FITTING = cast(Mapping[str, Kind], ATTRIBUTE_TYPES)


@dataclass(frozen=True, slots=True)
class AttributeView:
    """An Appcues attribute, the field it comes from, and its type."""

    name: str
    field: str
    kind: Kind | None
    """The type of the attribute; None until the org has returned the type of the field."""
    numeric: bool = False
    """Whether the field is known to have a number type."""
    other_objects: tuple[str, ...] = ()
    """The other objects, in lower case, whose mappings write the attribute to the same profiles."""
    needs_type: bool = False
    """Whether the field's type is needed and must be read from the org."""
    values: ValueMap | None = None
    """The translation of the field's values (`map`); without it they are converted to `kind`."""


@dataclass(frozen=True, slots=True)
class MappingView:
    """A mapping whose records are sent to Appcues."""

    name: str
    object: str
    match: str
    user_id: str
    version: str
    """The version of the field list in the messages of this mapping."""
    attributes: tuple[AttributeView, ...]

    @property
    def object_key(self) -> str:
        """The object in lower case, as in the delivered state of a profile."""
        return self.object.lower()


def mapping_views(project: Project) -> dict[str, MappingView]:
    """Return the mappings whose records the relay sends, by their present and former names in lower case."""
    sending = [mapping for mapping in project.resolved if mapping.sends and mapping.by_relay]
    views = {mapping.name.lower(): _outline(mapping, sending) for mapping in sending}
    if project.recipes.group_progress:
        views[PROGRESS] = _outline_progress(project.recipes.group_progress)
    return add_former_names(views, project)


def progress_field(attribute: str) -> str:
    """Return the key of an attribute in a message of `PROGRESS`; it never equals the key of a record's ID or time."""
    return f"set.{attribute}"


def apply_field_types(
    mapping_views: Mapping[str, MappingView], types: Mapping[tuple[str, str], str]
) -> dict[str, MappingView]:
    """Return the views with attribute types filled in from describe types, by object and field."""

    def attribute(view: MappingView, attribute_view: AttributeView) -> AttributeView:
        described = types.get((view.object, attribute_view.field))
        if not attribute_view.needs_type or described is None:
            return attribute_view
        return replace(
            attribute_view, kind=attribute_view.kind or _attribute_type(described), numeric=described in NUMBER_TYPES
        )

    return {
        name: replace(view, attributes=tuple(attribute(view, attribute_view) for attribute_view in view.attributes))
        for name, view in mapping_views.items()
    }


def _outline(mapping: ResolvedMapping, sending: list[ResolvedMapping]) -> MappingView:
    match = mapping.match
    peers = [peer for peer in sending if peer.object.lower() != mapping.object.lower() and peer.match == match]
    fields = fields_of(standard(), mapping.object, mapping.created_fields())
    attributes = tuple(
        _attribute(use, fields.get(use.field), _list_objects(peers, use.attribute)) for use in mapping.attributes
    )
    return MappingView(mapping.name, mapping.object, match, mapping.user_id.field, mapping.message_version, attributes)


def _outline_progress(rules: Iterable[ProgressRule]) -> MappingView:
    values = {name: value for rule in rules for name, value in rule.set_.items()}
    attributes = (AttributeView(name, progress_field(name), _kind_of(value)) for name, value in sorted(values.items()))
    return MappingView(PROGRESS, "", "group", "", "", tuple(attributes))


def _kind_of(value: AttributeValue) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _list_objects(mappings: Iterable[ResolvedMapping], attribute: str) -> tuple[str, ...]:
    """List the objects of the mappings that have an attribute, in lower case."""
    objects = {
        mapping.object.lower() for mapping in mappings if attribute in {use.attribute for use in mapping.attributes}
    }
    return tuple(sorted(objects))


def _attribute(use: FieldUse, field: Field | None, peers: tuple[str, ...]) -> AttributeView:
    type_ = "string" if use.values else use.type
    if field is None:
        # The type of the field also matters for an attribute of type string: a number is sent without its `.0`.
        needs_type = type_ in (None, "string")
        return AttributeView(
            use.attribute, use.field, type_, other_objects=peers, needs_type=needs_type, values=use.values
        )
    kind = type_ or _attribute_type(field.type)
    return AttributeView(use.attribute, use.field, kind, field.type in NUMBER_TYPES, peers, values=use.values)


def _attribute_type(described: str) -> Kind:
    return _FITTING.get(described, "string")
