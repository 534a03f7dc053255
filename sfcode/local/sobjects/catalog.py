"""The objects of an org, standard and deployed, for one user or without restrictions."""

from __future__ import annotations

import functools
from functools import cached_property

from sfcode.local.errors import require
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.custom import custom_field
from sfcode.local.sobjects.model import ChildRelationship, FieldDef, ObjectDef
from sfcode.local.sobjects.object_reader import ObjectReader, standard_object
from sfcode.local.sobjects.setup_objects import object_blocks
from sfcode.local.sobjects.standard import ACTIVITIES, data_object_names, standard_objects
from sfcode.local.store import OrgTransaction


class Catalog:
    """The objects as one transaction sees them, each read on demand."""

    def __init__(self, tx: OrgTransaction, access: UserAccess | None = None) -> None:
        self._tx = tx
        self._reader = ObjectReader(tx)
        self.access = access
        """The permissions of the user; None for no restrictions."""
        self._known: dict[str, ObjectDef | None] = {}

    def object(self, name: str) -> ObjectDef | None:
        """Find an object by name, ignoring case."""
        key = name.lower()
        if key not in self._known:
            definition = self._reader.object(name)
            self._known[key] = definition if definition is None or self.access is None else self.access.view(definition)
        return self._known[key]

    def require(self, name: str) -> ObjectDef:
        """Find an object by name. Raises ApiError (not found) for one that does not exist."""
        return require(self.object(name))

    def exists_elsewhere(self, name: str) -> bool:
        """Return whether an object outside this catalog exists: in the Tooling API, or hidden from the user."""
        return name.lower() in _tooling_names() or self._reader.object(name) is not None

    @cached_property
    def unrestricted(self) -> Catalog:
        """The catalog without a user's restrictions."""
        return self if self.access is None else Catalog(self._tx)

    def names(self) -> list[str]:
        """List the names of all objects."""
        custom = (stored.component.full_name for stored in self._tx.components.list_all("CustomObject"))
        return sorted({*standard_objects(), *data_object_names(), *(name for name in custom if name.endswith("__c"))})

    def children(self, name: str) -> list[ChildRelationship]:
        """List the child relationships of an object."""
        return [
            ChildRelationship(field.child_relationship, child, field.name)
            for child, field in self.referring(name)
            if field.child_relationship
        ]

    def referring(self, name: str) -> list[tuple[str, FieldDef]]:
        """List the fields that refer to an object, each after its object, without the system fields of custom objects."""
        # Only fields that refer to the object are read: if all fields of all objects were, each object would slow down
        # each describe.
        key = name.lower()
        references = [
            (owner, field)
            for owner in (*_standard_owners(key), *(ACTIVITIES if self._tx.components.has_activities(name) else ()))
            if (target := self.object(owner))
            for field in target.fields.values()
            if not field.custom and key in (target_name.lower() for target_name in field.reference_to)
        ]
        for full_name in self._tx.components.lookups_to(name):
            stored, (parent, _, _) = self._tx.components.get("CustomField", full_name), full_name.partition(".")
            field = custom_field(stored.component) if stored and full_name.lower().endswith("__c") else None
            if field:
                owners = ACTIVITIES if parent == "Activity" else (parent,)
                references += [(owner, field) for owner in owners if self._is_seen(owner, field)]
        return sorted(references, key=lambda pair: pair[0])

    def _is_seen(self, owner: str, field: FieldDef) -> bool:
        if standard_object(owner) is None and self._tx.components.get("CustomObject", owner) is None:
            return False
        return self.access is None or (self.access.object(owner).read and self.access.field(owner, field)[0])

    def child(self, name: str, relationship: str) -> ChildRelationship | None:
        """Find a child relationship of an object by its name."""
        lower_name = relationship.lower()
        return next((candidate for candidate in self.children(name) if candidate.name.lower() == lower_name), None)

    def of_record(self, record_id: str) -> ObjectDef | None:
        """Find the object of an existing record, or of a row that is computed from metadata."""
        name = self._tx.records.object_of(record_id)
        if name is not None:
            return self.object(name)
        prefix = record_id[:3]
        return next((definition for definition in standard_objects().values() if definition.key_prefix == prefix), None)


@functools.cache
def _tooling_names() -> frozenset[str]:
    return frozenset(name.lower() for name in object_blocks("tooling_objects.txt"))


@functools.lru_cache(1024)
def _standard_owners(name: str) -> tuple[str, ...]:
    return tuple(
        owner
        for owner, target in standard_objects().items()
        if any(name in (target_name.lower() for target_name in field.reference_to) for field in target.fields.values())
    )
