"""What would stop the integration from working, in the org and in its data: facts, checks, findings. Changes nothing."""

from __future__ import annotations

from sfcode.doctor.checks import examine
from sfcode.doctor.finding import Finding, Level
from sfcode.doctor.gather import gather

__all__ = ["Finding", "Level", "examine", "gather"]
