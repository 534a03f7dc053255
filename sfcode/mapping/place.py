"""Places in YAML files: a position together with the path of the document that stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sfcode.diagnostics import Diagnostic, Position

ConfigPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file and the path of the document that stands there."""

    position: Position
    path: str

    def problem(self, message: str, hint: str = "") -> Diagnostic:
        """Make a problem at this place."""
        return Diagnostic.error(self.position, self.path, message, hint)


def nearest(positions: Mapping[ConfigPath, Position], path: ConfigPath) -> Position:
    """Return the position of a path, or of its nearest ancestor that is written in the file."""
    while path and path not in positions:
        path = path[:-1]
    return positions[path]


def place_at(positions: Mapping[ConfigPath, Position], *path: str | int) -> Place:
    """Return the place of a key; of the nearest one above it where it is not written."""
    return Place(nearest(positions, path), ".".join(map(str, path)))
