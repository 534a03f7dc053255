"""How carefully a change should be read."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Risk(enum.IntEnum):
    """How carefully a change should be read; the rules are in docs/guide/review.md."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def word(self) -> str:
        """The label as it is printed."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A risk, and the rule that gives it."""

    risk: Risk
    because: str = ""
