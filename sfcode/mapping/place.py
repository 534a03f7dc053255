"""Places in YAML files: a position and the path of the entry."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.diagnostics import Diagnostic, Position
from sfcode.lazy_dataclasses import dataclass

ConfigPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file and the path of the entry."""

    position: Position
    path: str

    def problem(self, message: str, hint: str = "") -> Diagnostic:
        """Return a problem at this place."""
        return Diagnostic.error(self.position, self.path, message, hint)

    def advice(self, message: str, hint: str = "") -> Diagnostic:
        """Return a note at this place."""
        return Diagnostic.advice(self.position, self.path, message, hint)


def nearest(positions: Mapping[ConfigPath, Position], path: ConfigPath) -> Position:
    """Return the position of a path, or of its nearest ancestor in the file."""
    while path and path not in positions:
        path = path[:-1]
    return positions[path]


def place_at(positions: Mapping[ConfigPath, Position], *path: str | int) -> Place:
    """Return the place of a key, or of its nearest ancestor in the file."""
    return Place(nearest(positions, path), ".".join(map(str, path)))
