"""The modes of a plan, and the options of the user."""

from __future__ import annotations

import enum

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address


class Mode(enum.Enum):
    """The purpose of a plan."""

    APPLY = "apply"
    """Make the org match the config."""
    DESTROY = "destroy"
    """Delete the integration from the org."""
    ROLLBACK = "rollback"
    """Restore what an apply replaced."""
    REFRESH = "refresh"
    """Show only changes in the org since the last apply."""


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
    """Adopt components whose description marks them as managed, for example after the state was lost."""
    allow_delete: tuple[Address, ...] = ()
    targets: tuple[Address, ...] = ()
    """Limit the plan to these addresses; all addresses if empty."""
    limits: Limits = NO_LIMITS
    apply_id: str | None = None
    """The ID of the apply to roll back; None for the last one."""


WHOLE_PLAN = PlanRequest()
