"""All objects of one org, or what one user sees of them: the standard ones, and what has been deployed on top."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property

from sfcode.local.sobjects.access import Access
from sfcode.local.sobjects.custom import custom_field, custom_object
from sfcode.local.sobjects.model import ChildRelationship, FieldDef, ObjectDef
from sfcode.local.sobjects.standard import ACTIVITIES, standard_objects
from sfcode.local.store import Tx


class Catalog:
    """The objects as one transaction sees them, each read when it is asked for."""

    def __init__(self, tx: Tx, access: Access | None = None) -> None:
        self._tx = tx
        self.access = access
        """Whose view this is; None sees everything."""
        self._known: dict[str, ObjectDef | None] = {}

    def object(self, name: str) -> ObjectDef | None:
        """Find an object by name, whatever its case."""
        key = name.lower()
        if key not in self._known:
            found = self._read(name)
            self._known[key] = found if found is None or self.access is None else self.access.seen(found)
        return self._known[key]

    @cached_property
    def whole(self) -> Catalog:
        """All of it, whoever is looking."""
        return self if self.access is None else Catalog(self._tx)

    def names(self) -> list[str]:
        """List the names of all objects."""
        custom = (stored.component.full_name for stored in self._tx.components("CustomObject"))
        return sorted({*standard_objects(), *(name for name in custom if name.endswith("__c"))})

    def children(self, name: str) -> list[ChildRelationship]:
        """List the relationships that lead to an object from its children."""
        return self._children.get(name.lower(), [])

    def child(self, name: str, relationship: str) -> ChildRelationship | None:
        """Find one of an object's child relationships by its name."""
        wanted = relationship.lower()
        return next((each for each in self.children(name) if each.name.lower() == wanted), None)

    def of_record(self, record_id: str) -> ObjectDef | None:
        """Find the object of an existing record, or of a row made from metadata."""
        name = self._tx.object_of(record_id)
        if name is not None:
            return self.object(name)
        prefix = record_id[:3]
        return next((each for each in standard_objects().values() if each.key_prefix == prefix), None)

    @cached_property
    def _children(self) -> dict[str, list[ChildRelationship]]:
        found: dict[str, list[ChildRelationship]] = {}
        for child, field in self._references():
            if field.child_relationship:
                for target in field.reference_to:
                    relationship = ChildRelationship(field.child_relationship, child, field.name)
                    found.setdefault(target.lower(), []).append(relationship)
        return found

    def _references(self) -> Iterator[tuple[str, FieldDef]]:
        for name in self.names():
            definition = self.object(name)
            for field in definition.fields.values() if definition else ():
                if field.reference_to:
                    yield name, field

    def _read(self, name: str) -> ObjectDef | None:
        found = _standard(name)
        if found is None:
            stored = self._tx.component("CustomObject", name) if name.lower().endswith("__c") else None
            if stored is None:
                return None
            full_name = stored.component.full_name
            # Reading never writes: an object without records may still be without a prefix.
            prefix = self._tx.known_prefix(full_name) or ""
            return custom_object(stored.component, prefix, self._custom_fields(full_name))
        parents = (found.name, "Activity") if found.name in ACTIVITIES else (found.name,)
        custom = [field for parent in parents for field in self._custom_fields(parent)]
        if found.name in ACTIVITIES:
            custom += self._about(found)
        if not custom:
            return found
        return dataclasses.replace(
            found,
            fields={**found.fields, **{field.name.lower(): field for field in custom}},
            relationships={
                **found.relationships,
                **{field.relationship.lower(): field for field in custom if field.relationship},
            },
        )

    def _about(self, activity: ObjectDef) -> list[FieldDef]:
        """Let activities be about the custom objects that allow it."""
        stored = self._tx.components("CustomObject")
        names = [each.component.full_name for each in stored if each.component.body.get("enableActivities") is True]
        what = activity.field("WhatId")
        return [dataclasses.replace(what, reference_to=(*what.reference_to, *names))] if what and names else []

    def _custom_fields(self, parent: str) -> list[FieldDef]:
        # What is deployed of a standard field is kept, but the field stays what it is.
        deployed = (stored.component for stored in self._tx.child_components("CustomField", parent))
        return [custom_field(component) for component in deployed if component.full_name.lower().endswith("__c")]


def _standard(name: str) -> ObjectDef | None:
    objects = standard_objects()
    found = objects.get(name)
    if found is not None:
        return found
    return next((each for each in objects.values() if each.name.lower() == name.lower()), None)
