"""Conditions joined by `and`, `or`, or a text such as `1 AND (2 OR NOT 3)`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sfcode.local.automation.compare import NotModeled

TOKEN = re.compile(r"\s*(\d+|and|or|not|[()])", re.IGNORECASE)


def combine(logic: str | None, met: Sequence[bool]) -> bool:
    """Return whether conditions are met under their logic; without logic all must be. Raises NotModeled for invalid logic."""
    if not logic or logic.strip().lower() == "and":
        return all(met)
    if logic.strip().lower() == "or":
        return any(met)
    reader = _Reader(logic, met)
    found = reader.either()
    if reader.rest:
        raise NotModeled(f"the condition logic {logic!r} cannot be read")
    return found


class _Reader:
    def __init__(self, logic: str, met: Sequence[bool]) -> None:
        self._logic = logic
        self._met = met
        self.rest = _tokens(logic)

    def either(self) -> bool:
        found = self._both()
        while self._next("or"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._next("and"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._next("not"):
            return not self._one()
        if self._next("("):
            found = self.either()
            if not self._next(")"):
                raise self._unreadable()
            return found
        if not self.rest or not self.rest[0].isdigit() or not 0 < int(self.rest[0]) <= len(self._met):
            raise self._unreadable()
        return self._met[int(self.rest.pop(0)) - 1]

    def _next(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest.pop(0)
            return True
        return False

    def _unreadable(self) -> NotModeled:
        return NotModeled(f"the condition logic {self._logic!r} cannot be read")


def _tokens(logic: str) -> list[str]:
    found, at = [], 0
    while logic[at:].strip():
        match = TOKEN.match(logic, at)
        if match is None:
            raise NotModeled(f"the condition logic {logic!r} cannot be read")
        found.append(match[1].lower())
        at = match.end()
    return found
