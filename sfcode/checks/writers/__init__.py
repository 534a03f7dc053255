"""Writers: diagnostics as text, JSON, SARIF, GitHub annotations and Markdown."""

from __future__ import annotations

import posixpath
from pathlib import PurePath

from sfcode.diagnostics import Position


def in_repository(folder: str, position: Position | None, path: str) -> Position:
    """Convert a position to one relative to the repository's top, as GitHub names files; `folder` is its base."""
    if position is None:
        # A file that is missing or unreadable is named by the path, and has no lines.
        position = Position(path or "sfcode.yaml", 1, 1)
    file = PurePath(position.file).as_posix()
    return Position(posixpath.normpath(posixpath.join(folder, file)), position.line, position.column)
