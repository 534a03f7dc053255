"""
What the fields of attributes are of which only the org knows the type: asked there, and remembered.

A message holds texts alone, and a value of the wrong type is hard to undo in Appcues. So who needs a type that was never
learnt waits for it; what was learnt once stands until the org says otherwise, also while it is down or hides the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from sfcode.config.project import Project
from sfcode.metadata.objects import OrgSchema
from sfcode.relay.alarms import SettingStore
from sfcode.relay.appcues.mapping_view import MappingView, apply_field_types, mapping_views

FieldName = tuple[str, str]
"""Object and field."""


class DescribeSource(Protocol):
    """An org, as the user who is signed in sees it."""

    def describe(self, names: Iterable[str]) -> OrgSchema:
        """Describe objects with their fields; one that the org does not have or show is left out."""


class FieldTypeCache:
    """The outlines of a project's mappings, with all types that are known."""

    def __init__(self, project: Project, memory: SettingStore) -> None:
        self._bare = mapping_views(project)
        self._memory = memory
        self._asked = frozenset(
            (view.object, attribute.field)
            for view in self._bare.values()
            for attribute in view.attributes
            if attribute.asked
        )
        self._types: dict[FieldName, str] = {}
        self._needed: set[FieldName] = set()
        self.mapping_views: Mapping[str, MappingView] = self._bare

    @property
    def asks(self) -> bool:
        """Whether there is anything that only the org knows."""
        return bool(self._asked)

    @property
    def missing(self) -> frozenset[FieldName]:
        """The fields that messages wait for."""
        return frozenset(self._needed - self._types.keys())

    def need(self, name: str, fields: Iterable[str]) -> None:
        """Hear that a message holds values of an object's fields, and waits for their types."""
        self._needed |= {(name, field) for field in fields}

    def recall(self) -> None:
        """Take up what was learnt before."""
        found = {each: self._memory.recall(_setting(each)) for each in self._asked}
        self._know({each: kind for each, kind in found.items() if kind is not None})

    def learn(self, org: DescribeSource) -> None:
        """Ask the org, and remember what it shows."""
        schema = org.describe({name for name, _ in self._asked})
        found = {
            (name, field): known.type
            for name, field in self._asked
            if name in schema.objects and (known := schema.objects[name].fields.get(field))
        }
        for each, kind in sorted(found.items()):
            if self._types.get(each) != kind:
                self._memory.remember(_setting(each), kind)
        self._know(found)

    def _know(self, found: Mapping[FieldName, str]) -> None:
        self._types = {**self._types, **found}
        self.mapping_views = apply_field_types(self._bare, self._types)


def _setting(each: FieldName) -> str:
    return f"field_type:{'.'.join(each)}"
