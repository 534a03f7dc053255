"""Resolve the names of a query to fields, and read their values from rows."""

from __future__ import annotations

from collections.abc import Callable

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.errors import ApiError, make_error, query_error
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.rows import Rows
from sfcode.local.soql.ast import FieldRef
from sfcode.local.store import Record, Scalar

MAX_STEPS = 5
"""The maximum number of relationships in a path."""


@dataclass(frozen=True)
class Bound:
    """A resolved field: the references to follow, and the field."""

    steps: tuple[FieldDef, ...]
    field: FieldDef
    ref: FieldRef


@dataclass(frozen=True)
class World:
    """The data of a query: objects, rows, and the text of the query for error messages."""

    catalog: Catalog
    rows: Rows
    text: str

    def object(self, name: str, at: int) -> ObjectDef:
        """Find an object that the query names."""
        definition = self.catalog.object(name)
        if definition is None:
            if not name.lower().endswith("__c") and self.catalog.exists_elsewhere(name):
                raise make_error("not_in_this_api", name=name)
            raise query_error("no_such_object", self.text, at, name=name)
        return definition

    def no_such_relationship(self, name: str, clause: str, at: int) -> ApiError:
        """Return the error for a relationship that an object does not have; `clause` is the part of the query."""
        return query_error("no_such_relationship", self.text, at, name=name, where=clause)

    def bind(self, target: ObjectDef, alias: str, ref: FieldRef) -> Bound:
        """Resolve a path from an object."""
        path = ref.path
        if len(path) > 1 and path[0].lower() in (alias.lower(), target.name.lower()):
            path = path[1:]
        steps: list[FieldDef] = []
        candidates = [target]
        for name in path[:-1]:
            reference = next((owner.relationship(name) for owner in candidates if owner.relationship(name)), None)
            if reference is None or len(steps) == MAX_STEPS:
                raise self.no_such_relationship(name, "field path", ref.at)
            steps.append(reference)
            candidates = [owner for target in reference.reference_to if (owner := self.catalog.object(target))]
            if not candidates:
                raise self.no_such_relationship(name, "field path", ref.at)
        field = next((candidate.field(path[-1]) for candidate in candidates if candidate.field(path[-1])), None)
        if field is None:
            entity = candidates[0].name if len(candidates) == 1 else "Name"
            raise query_error("no_such_column_on_entity", self.text, ref.at, name=path[-1], entity=entity)
        return Bound(tuple(steps), field, ref)

    def parent(self, reference: FieldDef, row: Record) -> tuple[str, Record] | None:
        """Follow a reference to its row and return it with its object."""
        record_id = row.get(reference.name)
        if record_id is None:
            return None
        for name in reference.reference_to:
            parent_row = self.rows.get(name, str(record_id))
            if parent_row is not None:
                return name, parent_row
        return None

    def reader(self, bound: Bound) -> Callable[[Record], Scalar]:
        """Return a function that reads a resolved field from a row."""
        name, field, steps = bound.field.name, bound.field, bound.steps

        def read(row: Record) -> Scalar:
            for step in steps:
                parent_pair = self.parent(step, row)
                if parent_pair is None:
                    return None
                row = parent_pair[1]
            value = row.get(name)
            return False if value is None and field.type == "boolean" else value

        return read
