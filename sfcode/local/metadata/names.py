"""Resolve references through the org's objects: `Account.Owner.Name` uses a field of each of three objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.standard import ACTIVITIES

ACTIVITY = "Activity"
Step = tuple[str, str]
"""An object and the name of one of its fields."""


def field_key(step: Step) -> Step:
    """Return the key of a field: in lower case, and the same for Activity, Event and Task."""
    object_name, field = step
    shared = object_name in ACTIVITIES and field.lower().endswith("__c")
    return (ACTIVITY if shared else object_name).lower(), field.lower()


def find_field(catalog: Catalog, object_name: str, field: str) -> FieldDef | None:
    """Find a field of an object; a field of Activity is looked up on Event, which also has the standard ones."""
    owner = find_object(catalog, object_name)
    return owner.field(field) if owner else None


def find_object(catalog: Catalog, name: str) -> ObjectDef | None:
    """Return an object; Activity has the fields of Event and of Task."""
    event, task = (catalog.object(name_of_activity) for name_of_activity in ACTIVITIES)
    if name.lower() != ACTIVITY.lower() or event is None or task is None:
        return catalog.object(name)
    return dataclasses.replace(
        event,
        name=ACTIVITY,
        fields={**task.fields, **event.fields},
        relationships={**task.relationships, **event.relationships},
    )


def walk_path(catalog: Catalog, object_name: str, path: Sequence[str]) -> Iterator[tuple[Step, FieldDef | None]]:
    """
    Resolve a path of relationships that ends in a field, and return each field on the way.

    The walk ends if a name is not found, or if the next object is unknown.
    """
    current = find_object(catalog, object_name)
    for index, part in enumerate(path):
        if current is None:
            return
        last = index == len(path) - 1
        name, _, target = part.partition(":")
        field = current.field(name) if last else current.relationship(name)
        yield (current.name, field.name if field else name), field
        if field is None or last:
            return
        current = _target(catalog, field, target, path[index + 1])


def _target(catalog: Catalog, field: FieldDef, object_name: str, following: str) -> ObjectDef | None:
    if object_name:
        return catalog.object(object_name)
    targets = [target for target in map(catalog.object, field.reference_to) if target is not None]
    name = following.partition(":")[0]
    fitting = (target for target in targets if target.field(name) or target.relationship(name))
    return next(fitting, targets[0] if targets else None)
