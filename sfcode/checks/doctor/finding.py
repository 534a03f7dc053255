"""What the doctor says: one fact each, how bad it is, where, and what to do."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from sfcode.diagnostics import Position
from sfcode.mapping.place import Place

AREAS = {"1": "org", "2": "integration user", "3": "retired", "4": "relay", "5": "data"}
"""What a finding is about, by the first digit of its id."""

NAMES = {
    "D101": "api-version",
    "D102": "api-access",
    "D103": "api-requests",
    "D104": "deploy-right",
    "D105": "user-right",
    "D106": "assign-right",
    "D107": "config-fits-org",
    "D201": "profile",
    "D202": "profile-license",
    "D203": "user-license",
    "D204": "permission-set-license",
    "D205": "user",
    "D206": "user-active",
    "D207": "user-profile",
    "D208": "user-by-another-name",
    "D209": "user-email",
    "D210": "license-assignment",
    "D211": "permission-set-assignment",
    "D301": "workflow-rule",
    "D302": "deprecated-profile",
    "D401": "outbound-queue",
    "D402": "relay-address",
    "D403": "relay-connection",
    "D404": "relay-certificate",
    "D405": "relay-health",
    "D406": "two-carriers",
    "D501": "records",
    "D502": "user-id-field",
    "D503": "blank-ids",
    "D504": "duplicate-ids",
    "D505": "ids-in-two-cases",
    "D506": "slow-lookup",
    "D507": "org-wide-default",
    "D508": "seen-by-integration-user",
    "D509": "not-looked-at",
}
"""All findings there are, by id; docs/guide/doctor.md says of each what causes and what hints it."""


class Level(enum.Enum):
    """How bad it is, worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"


ORDER = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    id: str
    level: Level
    message: str
    hint: str = ""
    where: str = ""
    """The path in the config, the mapping, or what in the org."""
    position: Position | None = None
    records: tuple[str, ...] = ()
    """Ids of records that show it."""

    @property
    def name(self) -> str:
        """The id in words."""
        return NAMES[self.id]

    @property
    def area(self) -> str:
        """What it is about."""
        return AREAS[self.id[1]]


def at(id: str, level: Level, place: Place, message: str, hint: str = "") -> Finding:
    """Make a finding about a place in the config."""
    return Finding(id, level, message, hint, place.path, place.position)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings, the worst first."""
    return tuple(sorted(findings, key=lambda each: (ORDER[each.level], each.id, str(each.position), each.message)))


def count(findings: Iterable[Finding], level: Level) -> int:
    """Count the findings of one level."""
    return sum(each.level is level for each in findings)
