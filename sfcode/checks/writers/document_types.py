"""The shapes of diagnostics as JSON values."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from sfcode.plan.document_types import described

LevelName = Literal["ok", "note", "warning", "error"]


@described
class FilePosition(TypedDict):
    """A position in a file of the config; line and column start at 1."""

    file: str
    line: int
    column: int


@described
class ReportedDiagnostic(TypedDict):
    """A diagnostic."""

    rule: str
    name: str
    level: LevelName
    message: str
    hint: str
    path: str
    """The path in the document: `to_appcues.attributes.plan`."""
    position: FilePosition | None
    related: FilePosition | None
    """A second position, such as that of the template."""
