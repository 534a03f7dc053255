"""The part of a mapping that sends to Appcues: which field becomes which attribute, of which type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from sfcode.config.project import Project, add_former_names
from sfcode.config.recipe_models import ProgressRule
from sfcode.mapping.field_types import ATTRIBUTE_TYPES, NUMBER_TYPES
from sfcode.mapping.fields import fields_of
from sfcode.mapping.resolved import FieldUse, ResolvedMapping
from sfcode.mapping.value_map import AttributeValue, ValueMap
from sfcode.metadata.objects import Field, standard
from sfcode.relay.appcues.values import Kind

PROGRESS = "recipes.group_progress"
"""The view, and the kind of messages, of what events set in profiles of groups: no mapping has a name with a dot."""

_FITTING = cast(Mapping[str, Kind], ATTRIBUTE_TYPES)


@dataclass(frozen=True, slots=True)
class AttributeView:
    """An Appcues attribute, the field it comes from, and its type."""

    name: str
    field: str
    kind: Kind | None
    """None where only the org knows what fits the field, and has not been asked."""
    numeric: bool = False
    """Whether the field is known to be a number."""
    others: tuple[str, ...] = ()
    """The other objects, in lower case, whose mappings write it to the same profiles."""
    asked: bool = False
    """Whether the field's type, as far as it matters, is known by the org alone."""
    values: ValueMap | None = None
    """The translation of the field's values; without one they are converted to `kind`."""


@dataclass(frozen=True, slots=True)
class MappingView:
    """A mapping whose records are sent to Appcues."""

    name: str
    object: str
    match: str
    user_id: str
    version: str
    """Of the field list that its messages are made from."""
    attributes: tuple[AttributeView, ...]


def mapping_views(project: Project) -> dict[str, MappingView]:
    """Return the mappings whose records the relay sends, by name in lower case, and by their former names."""
    sending = [one for one in project.resolved if one.sends and one.by_relay]
    views = {one.name.lower(): _outline(one, sending) for one in sending}
    if project.recipes.group_progress:
        views[PROGRESS] = _outline_progress(project.recipes.group_progress)
    return add_former_names(views, project)


def progress_field(attribute: str) -> str:
    """Return the key of an attribute in a message of `PROGRESS`, which is never that of a record's id or time."""
    return f"set.{attribute}"


def apply_field_types(
    mapping_views: Mapping[str, MappingView], types: Mapping[tuple[str, str], str]
) -> dict[str, MappingView]:
    """Return the views with attribute types filled in from describe types, by object and field."""

    def attribute(view: MappingView, each: AttributeView) -> AttributeView:
        described = types.get((view.object, each.field))
        if not each.asked or described is None:
            return each
        return replace(each, kind=each.kind or _attribute_type(described), numeric=described in NUMBER_TYPES)

    return {
        name: replace(view, attributes=tuple(attribute(view, each) for each in view.attributes))
        for name, view in mapping_views.items()
    }


def _outline(one: ResolvedMapping, sending: list[ResolvedMapping]) -> MappingView:
    match = one.match
    others = [other for other in sending if other.object.lower() != one.object.lower() and other.match == match]
    known = fields_of(standard(), one.object, one.created_fields())
    attributes = tuple(
        _attribute(use, known.get(use.field), _list_objects(others, use.attribute)) for use in one.attributes
    )
    return MappingView(one.name, one.object, match, one.user_id.field, one.message_version, attributes)


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
    found = {one.object.lower() for one in mappings if attribute in {use.attribute for use in one.attributes}}
    return tuple(sorted(found))


def _attribute(use: FieldUse, known: Field | None, others: tuple[str, ...]) -> AttributeView:
    type_ = "string" if use.values else use.type
    if known is None:
        # The sort of a field matters to a text as well: a number's is written without its `.0`.
        asked = type_ in (None, "string")
        return AttributeView(use.attribute, use.field, type_, others=others, asked=asked, values=use.values)
    kind = type_ or _attribute_type(known.type)
    return AttributeView(use.attribute, use.field, kind, known.type in NUMBER_TYPES, others, values=use.values)


def _attribute_type(described: str) -> Kind:
    return _FITTING.get(described, "string")
