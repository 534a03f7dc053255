"""A loaded project: typed values with their positions."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sfcode.config.event_models import Events
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Environment, Settings
from sfcode.config.recipe_models import NO_RECIPES, Recipes
from sfcode.config.resolve import resolve_mapping
from sfcode.diagnostics import Diagnostic, Position
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping import naming
from sfcode.mapping.place import ConfigPath, Place, nearest, place_at
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Address

V = TypeVar("V")


@dataclass(frozen=True)
class NamedMapping:
    """A mapping as in its file, and its name, which is the name of the file."""

    name: str
    spec: Mapping
    positions: MappingOf[ConfigPath, Position]

    def at(self, *path: str | int) -> Position:
        """Return the position of a key, or of its nearest ancestor in the file."""
        return nearest(self.positions, path)


@dataclass(frozen=True)
class SecretRef:
    """A `${secret:NAME}` of the project, and its position."""

    name: str
    path: str
    position: Position | None


@dataclass(frozen=True)
class Project:
    """A project loaded for one environment, with variables replaced and secrets as placeholders."""

    root: Path
    settings: Settings
    mappings: tuple[NamedMapping, ...]
    """The mappings as in their files; `resolved` has the resolved mappings."""
    events: Events
    environment: str
    target: Environment
    secrets: tuple[SecretRef, ...]
    digest: str
    templates: Path | None = None
    warnings: tuple[str, ...] = ()
    positions: MappingOf[ConfigPath, Position] = field(default_factory=dict)
    """The positions in `sfcode.yaml`."""
    advice: tuple[Diagnostic, ...] = ()
    """The warnings, with their places."""
    recipes: Recipes = NO_RECIPES
    recipe_positions: MappingOf[ConfigPath, Position] = field(default_factory=dict)
    """The positions in `recipes.yaml`."""

    @cached_property
    def resolved(self) -> tuple[ResolvedMapping, ...]:
        """The resolved mappings, in the order of `mappings`."""
        return tuple(
            resolve_mapping(
                mapping.name,
                mapping.spec,
                mapping.positions,
                self.settings,
                logs_items=self.recipes.completed_flows is not None,
                former_names=self._list_former_names(mapping.name),
            )
            for mapping in self.mappings
        )

    @cached_property
    def adopted(self) -> frozenset[Address]:
        """The addresses of existing components that are adopted unchanged (`as_is`)."""
        return frozenset(map(Address.parse, self.settings.as_is))

    @cached_property
    def replaced(self) -> dict[Address, str]:
        """The components that the relay replaces (`replaces`), each with the name of its mapping."""
        return {
            Address.parse(address): mapping.name
            for mapping in self.mappings
            for address in (mapping.spec.replaces if mapping.spec.delivery == "relay" else ())
        }

    @property
    def identity(self) -> str:
        """The identity by which state and lock in an org are found, independent of the project's name."""
        return self.settings.id or self.settings.name

    @property
    def identities(self) -> tuple[str, ...]:
        """The present identity and, during a rename, the former one."""
        former = self.settings.moved.name
        names = (self.identity, *([former] if former else []))
        return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]

    @property
    def creates_fields(self) -> bool:
        """Whether the project creates fields, which only the viewers' permission set makes visible to people."""
        return any(
            any(mapping.created_fields()) or (mapping.by_relay and mapping.activity_object) for mapping in self.resolved
        )

    def _list_former_names(self, mapping: str) -> tuple[str, ...]:
        """List the former names of a mapping (`moved.mappings`), except those that another mapping has now."""
        names = self.present_names
        return tuple(former for former in self.settings.moved.mappings if names.get(former.lower()) == mapping)

    @cached_property
    def present_names(self) -> MappingOf[str, str]:
        """The name of each mapping, by its present and its former names in lower case."""
        return add_former_names({mapping.name.lower(): mapping.name for mapping in self.mappings}, self)

    @property
    def integration_set(self) -> str:
        """The name of the integration user's permission set: the configured one, or the project's own."""
        return self.settings.integration_user.permission_set or naming.integration_set(self.settings.name)

    def at(self, *path: str | int) -> Position:
        """Return the position of a key of `sfcode.yaml`, or of its nearest ancestor in the file."""
        return nearest(self.positions, path)

    def place(self, *path: str | int) -> Place:
        """Return the place of a key of `sfcode.yaml`."""
        return place_at(self.positions, *path)

    def recipe_place(self, *path: str | int) -> Place:
        """Return the place of a key of `recipes.yaml`."""
        return place_at(self.recipe_positions or self.positions, *path)


def add_former_names(by_name: dict[str, V], project: Project) -> dict[str, V]:
    """Add the former names of mappings (`moved.mappings`) to a table by their names in lower case."""
    former = {old.lower(): new.lower() for old, new in project.settings.moved.mappings.items()}
    return {**{old: by_name[new] for old, new in former.items() if new in by_name}, **by_name}
