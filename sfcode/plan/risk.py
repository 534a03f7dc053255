"""The risk of a change."""

from __future__ import annotations

import enum
from typing import Literal, cast

from sfcode.lazy_dataclasses import dataclass

RiskName = Literal["low", "medium", "high"]


class Risk(enum.IntEnum):
    """The risk of a change; docs/guide/review.md lists the rules."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def word(self) -> RiskName:
        """The label."""
        return cast(RiskName, self.name.lower())


@dataclass(frozen=True, slots=True)
class Judgment:
    """The risk of a change, its rule, and the changes of access."""

    risk: Risk
    because: str = ""
    access: tuple[str, ...] = ()
    """Sentences about the rights that a change of a permission set grants and revokes."""
