"""What is wrong with a metadata file, and where."""

from __future__ import annotations

from sfcode.errors import SfcodeError


class MetadataError(SfcodeError):
    """A metadata file or package cannot be read; line and column count from 1, 0 where they are not known."""

    def __init__(self, message: str, hint: str = "", *, file: str = "", line: int = 0, column: int = 0) -> None:
        place = ":".join([file or "<xml>", *(str(number) for number in (line, column) if number)])
        super().__init__(f"{place}: {message}" if file or line else message, hint)
        self.problem = message
        self.file = file
        self.line = line
        self.column = column
