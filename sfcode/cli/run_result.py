"""What a verb comes to, for those who tell it once more: the summary and the outputs of a workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfcode.plan.plan import Plan
    from sfcode.review.model import Review


@dataclass
class Outcome:
    """Filled in on the way, so that a verb that fails has told what it knew."""

    verb: str = ""
    plan: Plan | None = None
    saved: Path | None = None
    """Where the plan was saved."""
    review: Review | None = None
    annotated: bool = False
    """Its findings were printed as annotations already."""
    done: str = ""
    """What was carried out, in one line."""
    next_steps: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    """What only this verb has to hand on."""
    error: BaseException | None = None
