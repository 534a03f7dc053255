"""The doctor: checks of the org and its data. It changes nothing."""

from __future__ import annotations

from sfcode.checks.doctor.checks import examine
from sfcode.checks.doctor.collect import collect_facts

__all__ = ["collect_facts", "examine"]
