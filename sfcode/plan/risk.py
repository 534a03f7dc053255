"""The risk of a change."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Risk(enum.IntEnum):
    """The risk of a change; docs/guide/review.md lists the rules."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def word(self) -> str:
        """Return the label."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Judgment:
    """A risk, and the rule that gives it."""

    risk: Risk
    because: str = ""
