"""What would stop the integration from working, in the org and in its data: facts, checks, findings. Changes nothing."""

from __future__ import annotations

from sfcode.checks.doctor.checks import examine
from sfcode.checks.doctor.collect import gather
from sfcode.checks.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine", "gather"]
