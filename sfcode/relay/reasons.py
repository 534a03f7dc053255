"""Why messages are parked: what it means, and what makes a replay worth while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason, as people read it."""

    what: str
    cure: str


REASONS: dict[str, Reason] = {}


def cure(name: str) -> str:
    """Say what to do about a reason; nothing for one that this version does not know."""
    return REASONS[name].cure if name in REASONS else ""
