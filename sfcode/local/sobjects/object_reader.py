"""Read object definitions: standard ones extended by deployed fields, and custom ones."""

from __future__ import annotations

import dataclasses

from sfcode.local.sobjects.custom import custom_field, custom_object, location_parts, record_type_field
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.standard import ACTIVITIES, data_object, standard_objects
from sfcode.local.store import OrgTransaction


class ObjectReader:
    """Reads the object definitions of one transaction and caches them."""

    def __init__(self, tx: OrgTransaction) -> None:
        self._tx = tx
        self._known: dict[str, ObjectDef | None] = {}

    def object(self, name: str) -> ObjectDef | None:
        """Return an object by name, ignoring case."""
        key = name.lower()
        if key not in self._known:
            self._known[key] = self._read(name)
        return self._known[key]

    def _read(self, name: str) -> ObjectDef | None:
        definition = standard_object(name)
        if definition is None:
            stored = self._tx.components.get("CustomObject", name) if name.lower().endswith("__c") else None
            if stored is None:
                return None
            full_name = stored.component.full_name
            # The prefix is not created here, since reading must not write; an object without records may have none.
            prefix = self._tx.records.known_prefix(full_name) or ""
            return custom_object(
                stored.component, prefix, self._record_type(full_name) + self._custom_fields(full_name)
            )
        parents = (definition.name, "Activity") if definition.name in ACTIVITIES else (definition.name,)
        custom = [field for parent in parents for field in self._custom_fields(parent)]
        custom += self._record_type(definition.name)
        if definition.name in ACTIVITIES:
            custom += self._about(definition)
        if not custom:
            return definition
        return dataclasses.replace(
            definition,
            fields={**definition.fields, **{field.name.lower(): field for field in custom}},
            relationships={
                **definition.relationships,
                **{field.relationship.lower(): field for field in custom if field.relationship},
            },
        )

    def _about(self, activity: ObjectDef) -> list[FieldDef]:
        """Return the WhatId field with the custom objects that allow activities added to its targets."""
        names = self._tx.components.objects_with_activities()
        what_id = activity.field("WhatId")
        return [dataclasses.replace(what_id, reference_to=(*what_id.reference_to, *names))] if what_id and names else []

    def _record_type(self, name: str) -> list[FieldDef]:
        """Return the field for the record type, for objects with record types."""
        return [record_type_field()] if self._tx.components.children("RecordType", name) else []

    def _custom_fields(self, parent: str) -> list[FieldDef]:
        # The deployed metadata of a standard field is stored, but does not change the field.
        deployed = (stored.component for stored in self._tx.components.children("CustomField", parent))
        fields = [custom_field(component) for component in deployed if component.full_name.lower().endswith("__c")]
        return fields + [part for field in fields if field.type == "location" for part in location_parts(field)]


def standard_object(name: str) -> ObjectDef | None:
    """Return a standard object by name, ignoring case."""
    objects = standard_objects()
    definition = objects.get(name)
    if definition is not None:
        return definition
    key = name.lower()
    return next((row for row in objects.values() if row.name.lower() == key), None) or data_object(key)
