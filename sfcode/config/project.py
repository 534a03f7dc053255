"""What a loaded project is: typed values, and for each of them the place it came from."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path

from sfcode.config.event_models import Events
from sfcode.config.models import Environment, Mapping, Settings
from sfcode.diagnostics import Diagnostic, Position

ConfigPath = tuple[str | int, ...]


@dataclass(frozen=True)
class NamedMapping:
    """A mapping and its name, which is its file's."""

    name: str
    spec: Mapping
    positions: MappingOf[ConfigPath, Position]

    def at(self, *path: str | int) -> Position:
        """Find the place of a key; of the nearest one above it where it is not written."""
        return nearest(self.positions, path)


@dataclass(frozen=True)
class SecretRef:
    """A `${secret:NAME}` in the project, and where it stands."""

    name: str
    path: str
    position: Position | None


@dataclass(frozen=True)
class Project:
    """A project as loaded for one environment: variables put in, secrets left as placeholders."""

    root: Path
    settings: Settings
    mappings: tuple[NamedMapping, ...]
    events: Events
    environment: str
    target: Environment
    secrets: tuple[SecretRef, ...]
    digest: str
    templates: Path | None = None
    warnings: tuple[str, ...] = ()
    positions: MappingOf[ConfigPath, Position] = field(default_factory=dict)
    """Of `sfcode.yaml`."""
    advice: tuple[Diagnostic, ...] = ()
    """The warnings, with their places."""

    def at(self, *path: str | int) -> Position:
        """Find the place of a key of `sfcode.yaml`; of the nearest one above it where it is not written."""
        return nearest(self.positions, path)


def nearest(positions: MappingOf[ConfigPath, Position], path: ConfigPath) -> Position:
    """Find the position of a path, or of its nearest ancestor."""
    while path and path not in positions:
        path = path[:-1]
    return positions[path]
