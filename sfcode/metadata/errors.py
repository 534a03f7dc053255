"""Errors in metadata files, with their positions."""

from __future__ import annotations

from sfcode.errors import SfcodeError
from sfcode.lazy_dataclasses import dataclass


class MetadataError(SfcodeError):
    """Raised for an unreadable metadata file or package; line and column count from 1, 0 if unknown."""

    def __init__(self, message: str, hint: str = "", *, file: str = "", line: int = 0, column: int = 0) -> None:
        place = ":".join([file or "<xml>", *(str(number) for number in (line, column) if number)])
        super().__init__(f"{place}: {message}" if file or line else message, hint)
        self.problem = message
        self.file = file
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, order=True)
class SchemaProblem:
    """One problem of a file, with line and column from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.message} ({self.line}:{self.column})"
