"""
Fault injection: errors between a client and an org, on request.

A fault is armed through the control route or an option of `sfcode local serve`. It applies a number of times or with a
probability, and is removed when the server ends.
"""

from __future__ import annotations

from sfcode.local.faults.fault import KINDS, BadFault, InjectedFault, from_json, from_text
from sfcode.local.faults.registry import Armed, Faults

__all__ = ["KINDS", "Armed", "BadFault", "Faults", "InjectedFault", "from_json", "from_text"]
