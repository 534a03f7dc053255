"""Writers: diagnostics as text, JSON, SARIF, GitHub annotations and Markdown."""

from __future__ import annotations

import posixpath
from pathlib import PurePath

from sfcode.diagnostics import Position


def in_repository(folder: str, position: Position | None, path: str) -> Position:
    """Return a place seen from the top of the repository, as GitHub names files; `folder` is where it starts."""
    if position is None:
        # A file that is missing or unreadable is named by the path, and has no lines.
        position = Position(path or "sfcode.yaml", 1, 1)
    file = PurePath(position.file).as_posix()
    return Position(posixpath.normpath(posixpath.join(folder, file)), position.line, position.column)
