"""
Diagnostics: problems and advice, with positions and hints.

The loader, the generator, the linter, the doctor, a plan and a failed deployment all report diagnostics; the writers
in `sfcode.checks.writers` print them.
"""

from __future__ import annotations

import enum

from sfcode.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position in a file: path as the user would type it, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Level(enum.IntEnum):
    """The severity: an error breaks the integration, a warning needs a decision, a note is information."""

    OK = 0
    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The name in lower case, as in SARIF."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One result of a check: rule, level, place, message and hint."""

    rule: str
    """The rule's ID: SF203, D104."""
    level: Level
    position: Position | None
    path: str
    """The path in the document (`to_appcues.attributes.plan`), or an address in the org."""
    message: str
    hint: str = ""
    """What the user can do about the problem."""
    related: Position | None = None
    """A second position, such as that of the template that causes the problem."""
    records: tuple[str, ...] = ()
    """IDs of a few affected records."""

    @classmethod
    def error(cls, position: Position | None, path: str, message: str, hint: str = "") -> Diagnostic:
        """Return an error that prevents the config from loading (rule SF001)."""
        return cls("SF001", Level.ERROR, position, path, message, hint)

    @classmethod
    def advice(cls, position: Position | None, path: str, message: str, hint: str = "") -> Diagnostic:
        """Return a note about a valid config (rule SF002)."""
        return cls("SF002", Level.NOTE, position, path, message, hint)

    def __str__(self) -> str:
        location = ": ".join(str(part) for part in (self.position, self.path) if part)
        return f"{location}: {self.text}" if location else self.text

    @property
    def text(self) -> str:
        """Message and hint without the place."""
        examples = f" (such as {', '.join(self.records)})" if self.records else ""
        if not self.hint:
            return f"{self.message}{examples}"
        sentence = self.hint[0].isupper() and self.hint[-1] in ".?"
        return f"{self.message}{examples}{'.' if sentence else ';'} {self.hint}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The identity of a diagnostic, independent of its line."""
        return (self.rule, self.position.file if self.position else "", self.path, self.message)

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """The sort key: file, line and column, then path."""
        if self.position is None:
            return ("", 0, 0, self.path)
        return (self.position.file, self.position.line, self.position.column, self.path)
