"""The doctor: what would stop the integration from working, in the org and in its data. Changes nothing."""

from __future__ import annotations

from sfcode.checks.doctor.checks import examine
from sfcode.checks.doctor.collect import collect_facts

__all__ = ["collect_facts", "examine"]
