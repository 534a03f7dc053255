"""Resolve a mapping: its directions, its defaults, and its names in Salesforce."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf

from sfcode.config.mapping_models import Attribute, EventFilter, FieldCondition, Mapping, ToAppcues, ToSalesforce
from sfcode.config.models import Settings
from sfcode.diagnostics import Position
from sfcode.mapping import conditions, naming
from sfcode.mapping.place import ConfigPath, Place, nearest, place_at
from sfcode.mapping.resolved import EventUse, FieldTarget, FieldUse, ResolvedMapping
from sfcode.mapping.value_map import ValueMap

_ACTIVITY_OBJECTS = {"event": "Event", "task": "Task"}
_PEOPLE = ("Contact", "Lead")


def resolve_mapping(
    name: str,
    spec: Mapping,
    positions: MappingOf[ConfigPath, Position],
    settings: Settings,
    *,
    logs_items: bool = False,
    former_names: tuple[str, ...] = (),
) -> ResolvedMapping:
    """Return the resolved mapping; `positions` are those of its file, `logs_items` whether recipes need items of activities."""
    out = spec.to_appcues if spec.direction in ("both", "to_appcues") else None
    back = spec.to_salesforce if spec.direction in ("both", "to_salesforce") else None
    # Appcues' own connector always writes Events.
    kind = settings.relay.activities_as if spec.delivery == "relay" else "event"
    logs_activities = back is not None and bool(back.activities or back.click_to_track)
    return ResolvedMapping(
        name,
        nearest(positions, ()).file,
        spec.object,
        spec.match,
        spec.direction,
        spec.delivery,
        naming.mapping_name(settings.name, name),
        user_id=FieldUse(spec.user_id.field, place_at(positions, "user_id", "field")),
        source=FieldUse(spec.user_id.from_, place_at(positions, "user_id", "from")) if spec.user_id.from_ else None,
        former_names=former_names,
        attributes=tuple(_attributes(out, positions)) if out else (),
        targets=tuple(_targets(back, positions)) if back else (),
        activities=tuple(_activities(back, positions)) if back else (),
        click_to_track=tuple(
            EventUse(event, place_at(positions, "to_salesforce", "click_to_track", index))
            for index, event in enumerate(back.click_to_track if back else ())
        ),
        activity_object=(_ACTIVITY_OBJECTS.get(kind) or naming.activities(settings.name)) if logs_activities else None,
        link_field=_link_field(spec.object, kind),
        logs_items=logs_items and spec.delivery == "relay",
        several=spec.several,
        follows_conversion=spec.converted == "follow",
        where=resolve_conditions(spec, positions),
        on=frozenset(out.on) if out else frozenset(),
        trigger=out.trigger if out else "flow",
        sends=out is not None,
        receives=back is not None,
        endpoint=f"{settings.relay.url.rstrip('/')}/outbound-messages/{name}/{settings.relay.outbound_secret}",
        positions=positions,
    )


def _field_place(positions: MappingOf[ConfigPath, Position], *path: str) -> Place:
    """Return the place of a field, which has a short form (`role: Title`) and a long one (`role: {field: Title, ...}`)."""
    return Place(nearest(positions, (*path, "field")), ".".join(path))


def _attributes(out: ToAppcues, positions: MappingOf[ConfigPath, Position]) -> Iterator[FieldUse]:
    for name, attribute in out.attributes.items():
        place = _field_place(positions, "to_appcues", "attributes", name)
        yield FieldUse(attribute.field, place, name, attribute.type, _value_map(attribute))


def _targets(back: ToSalesforce, positions: MappingOf[ConfigPath, Position]) -> Iterator[FieldTarget]:
    for value, target in back.targets:
        place = _field_place(positions, "to_salesforce", *value.path)
        yield FieldTarget(value, target.field, target.create, place, if_blank=target.write == "if_blank")


def _activities(back: ToSalesforce, positions: MappingOf[ConfigPath, Position]) -> Iterator[EventUse]:
    for index, activity in enumerate(back.activities):
        for event, event_filter in activity.items():
            yield EventUse(event, place_at(positions, "to_salesforce", "activities", index), _items(event_filter))


def _link_field(object_name: str, activities_as: str) -> str:
    """Return the field of an activity that refers to the record."""
    if activities_as == "custom_object":
        return naming.lookup_field(object_name)
    return "WhoId" if object_name in _PEOPLE else "WhatId"


def resolve_conditions(spec: Mapping, positions: MappingOf[ConfigPath, Position]) -> tuple[conditions.Condition, ...]:
    """Return the conditions of a mapping's `where`."""
    return tuple(
        _condition(name, condition, place_at(positions, "where", name)) for name, condition in spec.where.items()
    )


def _condition(name: str, condition: FieldCondition, place: Place) -> conditions.Condition:
    values = condition.is_ or condition.not_ or ()
    return conditions.Condition(name, place, values, condition.not_ is not None, condition.blank)


def _value_map(attribute: Attribute) -> ValueMap | None:
    return ValueMap(tuple(attribute.map_.items()), attribute.default) if attribute.map_ else None


def _items(event_filter: EventFilter) -> frozenset[str]:
    return frozenset(name for names in event_filter.items().values() for name in names)
