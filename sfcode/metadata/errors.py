"""Errors in metadata files, with their positions."""

from __future__ import annotations

from sfcode.errors import SfcodeError


class MetadataError(SfcodeError):
    """Raised for an unreadable metadata file or package; line and column count from 1, 0 if unknown."""

    def __init__(self, message: str, hint: str = "", *, file: str = "", line: int = 0, column: int = 0) -> None:
        place = ":".join([file or "<xml>", *(str(number) for number in (line, column) if number)])
        super().__init__(f"{place}: {message}" if file or line else message, hint)
        self.problem = message
        self.file = file
        self.line = line
        self.column = column
