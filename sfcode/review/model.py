"""The content of a review: statements, components, access and diagnostics."""

from __future__ import annotations

import enum
from functools import cached_property

from sfcode.checks.access_changes import Access
from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan
from sfcode.plan.risk import Risk

__all__ = ["Effect", "Group", "ReviewReport", "Revision", "Risk", "Statement"]


class Group(enum.Enum):
    """The topic of a statement, in display order."""

    LEAVING = "Data leaving Salesforce"
    WRITTEN = "Data written to Salesforce"
    ACCESS = "Access"
    WHEN = "When it is sent"
    SETUP = "Set-up"


@dataclass(frozen=True, slots=True)
class Statement:
    """One consequence of the change, in plain words; values of the config are in `backticks`."""

    group: Group
    text: str
    risk: Risk = Risk.LOW
    because: str = ""
    """The rule that gives the risk."""
    position: Position | None = None
    environments: tuple[str, ...] = ()
    """The environments in which the statement holds; all reviewed ones if empty."""


@dataclass(frozen=True)
class Effect:
    """The changes in one environment, or in several with the same changes."""

    environments: tuple[str, ...]
    plan: Plan
    access: tuple[Access, ...]
    protected: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes with an action."""
        return self.plan.effective

    def count(self, action: Action) -> int:
        """Count the components and records of one action."""
        return sum(change.action is action for change in self.changes)


@dataclass(frozen=True, slots=True)
class Revision:
    """One side of the comparison: its name, and its commit."""

    name: str
    commit: str = ""
    """The commit; empty for the work tree."""
    how: str = ""
    """The description of the commit: `the merge base of main and HEAD`."""

    def __str__(self) -> str:
        short = self.commit[:10]
        return f"{self.name} ({short})" if short and not self.commit.startswith(self.name) else short or self.name


@dataclass(frozen=True)
class ReviewReport:
    """The complete review: all changes from base to head, in all environments."""

    base: Revision
    head: Revision
    environments: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    effects: tuple[Effect, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    """The linter's diagnostics of the head."""
    older: frozenset[Diagnostic] = frozenset()
    """The diagnostics that the base has too."""
    notes: tuple[str, ...] = ()
    """Notes about the comparison itself."""
    problems: tuple[Diagnostic, ...] = ()
    """Problems that prevent the head from loading; then the review has no other content."""
    base_problems: tuple[Diagnostic, ...] = ()
    """Problems that prevent the base from loading; then everything is shown as new."""
    folder: str = ""
    """The base of positions, relative to the repository."""
    touched: tuple[str, ...] = field(default=(), compare=False)
    """Protected environments in which something changes."""

    @property
    def is_empty(self) -> bool:
        """Whether head has the same effect as base."""
        return not (self.statements or any(effect.changes for effect in self.effects) or self.problems)

    @cached_property
    def risk(self) -> Risk:
        """The highest risk; changes in a protected environment are never low."""
        floor = Risk.MEDIUM if self.touched else Risk.LOW
        return max([floor, *(statement.risk for statement in self.statements)])

    @property
    def news(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that the change introduced, and all errors."""
        return tuple(finding for finding in self.findings if finding not in self.older or finding.level is Level.ERROR)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All diagnostics, including those that prevent the head from loading."""
        return (*self.problems, *self.findings)

    def fails(self, fail_on: str) -> bool:
        """
        Return whether a pipeline should stop.

        A pipeline always stops for a config that does not load, and for an error unless `fail_on` is `never`; `warning` adds
        new warnings, and `high` adds a high risk.
        """
        if self.problems:
            return True
        if fail_on == "never":
            return False
        if any(finding.level is Level.ERROR for finding in self.findings):
            return True
        if fail_on == "high":
            return self.risk is Risk.HIGH
        return fail_on == "warning" and any(finding.level is Level.WARNING for finding in self.news)

    def count(self, action: Action) -> int:
        """Count the components of one action; if environments differ, the highest number."""
        return max((effect.count(action) for effect in self.effects), default=0)

    def group_statements(self) -> tuple[tuple[Group, tuple[Statement, ...]], ...]:
        """Return the statements by group, sorted by risk within a group and between groups."""
        groups = []
        for group in Group:
            inside = [statement for statement in self.statements if statement.group is group]
            if inside:
                groups.append((group, tuple(sorted(inside, key=lambda statement: -statement.risk))))
        return tuple(sorted(groups, key=lambda pair: -pair[1][0].risk))
