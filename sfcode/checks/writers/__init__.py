"""Writers: diagnostics as text, JSON, SARIF, GitHub annotations and Markdown."""

from __future__ import annotations

import posixpath
from pathlib import PurePath

from sfcode.diagnostics import Position


def in_repository(folder: str, position: Position | None, path: str) -> Position:
    """Convert a position to one relative to the repository, as GitHub requires; `folder` is the base of the position."""
    if position is None:
        # A missing or unreadable file has no position.
        position = Position(path or "sfcode.yaml", 1, 1)
    file = PurePath(position.file).as_posix()
    return Position(posixpath.normpath(posixpath.join(folder, file)), position.line, position.column)
