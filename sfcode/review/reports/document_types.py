"""
The JSON document of a review, for `sfcode schema review`.

Programs depend on it: a new key raises the minor format version, any other change the major one.
"""

from __future__ import annotations

from typing_extensions import TypedDict

from sfcode.checks.writers.document_types import FilePosition, ReportedDiagnostic
from sfcode.plan.document_types import ActionCounts, PlannedChange, described
from sfcode.plan.risk import RiskName


@described
class ReviewedRevision(TypedDict):
    """One side of the comparison."""

    name: str
    commit: str | None
    """The commit; null for the work tree."""
    how: str
    """The description of the commit: `the merge base of main and HEAD`."""


@described
class ReviewStatement(TypedDict):
    """One consequence of the change, in plain words."""

    group: str
    """The topic: leaving, written, access, when or setup."""
    text: str
    risk: RiskName
    because: str
    """The rule that gives the risk."""
    position: FilePosition | None
    environments: list[str]
    """The environments that it concerns; empty for all of them."""


@described
class ReviewedAccess(TypedDict):
    """The access of the integration user to one object or field."""

    kind: str
    name: str
    before: list[str]
    after: list[str]
    changed: bool
    why: str
    """The path in the config that requires the access."""
    position: FilePosition | None


@described
class EnvironmentEffect(TypedDict):
    """The changes in environments that have the same changes."""

    environments: list[str]
    protected: bool
    resource_changes: list[PlannedChange]
    access: list[ReviewedAccess]


@described
class ReviewFinding(ReportedDiagnostic):
    """A diagnostic of lint."""

    new: bool
    """Whether the base does not have it."""


@described
class ReviewDocument(TypedDict):
    """A review, as `review --format json` prints it."""

    format_version: str
    sfcode_version: str
    base: ReviewedRevision
    head: ReviewedRevision
    environments: list[str]
    protected: list[str]
    """Protected environments in which something changes."""
    changes: bool
    risk: RiskName
    summary: ActionCounts
    statements: list[ReviewStatement]
    effects: list[EnvironmentEffect]
    findings: list[ReviewFinding]
    notes: list[str]
    problems: list[str]
    """Problems that prevent the head from loading."""
    base_problems: list[str]
    """Problems that prevent the base from loading."""
