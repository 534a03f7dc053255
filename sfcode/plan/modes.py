"""The modes of a plan, and the options of the user."""

from __future__ import annotations

import enum

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address


class Mode(enum.Enum):
    """The purpose of a plan."""

    APPLY = "apply"
    """Make the org what the config asks for."""
    DESTROY = "destroy"
    """Take the integration down."""
    ROLLBACK = "rollback"
    """Put back what an apply replaced."""
    REFRESH = "refresh"
    """Show only the changes in the org since the last apply."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that the user passed, `3` or `25%` each; they override the config's."""

    max_destroy: str | None = None
    max_change: str | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """The mode of a plan, and the addresses and limits that the user passed."""

    mode: Mode = Mode.APPLY
    adopt: tuple[Address, ...] = ()
    adopt_managed: bool = False
    """Adopt what says of itself that sfcode manages it, such as after the state was lost."""
    allow_delete: tuple[Address, ...] = ()
    targets: tuple[Address, ...] = ()
    """Limit the plan to these addresses; all of them when empty."""
    limits: Limits = NO_LIMITS
    apply_id: str | None = None
    """The apply to roll back; the last one when None."""


WHOLE_PLAN = PlanRequest()
