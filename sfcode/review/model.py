"""What a review says: statements, components, access and findings, as values that reports print."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property

from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.plan.change import Action, Change
from sfcode.plan.risk import Risk

__all__ = ["Access", "Effect", "Group", "Review", "Revision", "Risk", "Statement"]


class Group(enum.Enum):
    """What a statement is about, in the order in which a reader asks."""

    LEAVING = "Data leaving Salesforce"
    WRITTEN = "Data written to Salesforce"
    ACCESS = "Access"
    WHEN = "When it is sent"
    SETUP = "Set-up"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that the change means, in plain words; values of the config stand in `backticks`."""

    group: Group
    text: str
    risk: Risk = Risk.LOW
    because: str = ""
    """The rule that gives the risk."""
    position: Position | None = None
    environments: tuple[str, ...] = ()
    """Where it holds; empty: in every environment that was reviewed."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the integration user may do with one thing, before and after, and the line that asks for it."""

    kind: str
    """object, field or permission."""
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    why: str = ""
    """The path in the document: `to_appcues.attributes.plan`."""
    position: Position | None = None

    @property
    def changed(self) -> bool:
        """Tell whether the change grants or takes anything here."""
        return self.before != self.after


@dataclass(frozen=True)
class Effect:
    """What the change does in one environment, or in several where it is the same."""

    environments: tuple[str, ...]
    changes: tuple[Change, ...]
    access: tuple[Access, ...]
    protected: bool = False

    def count(self, action: Action) -> int:
        """Count the components and records of one action."""
        return sum(change.action is action for change in self.changes)


@dataclass(frozen=True, slots=True)
class Revision:
    """One side of the comparison: what the user called it, and the commit that this is."""

    name: str
    commit: str = ""
    """Empty for the work tree."""
    how: str = ""
    """Why this commit: `the merge base of main and HEAD`."""

    def __str__(self) -> str:
        short = self.commit[:10]
        return f"{self.name} ({short})" if short and not self.commit.startswith(self.name) else short or self.name


@dataclass(frozen=True)
class Review:
    """The whole answer: what changes from base to head, in all environments that were looked at."""

    base: Revision
    head: Revision
    environments: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    effects: tuple[Effect, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    """What the linter says of the head."""
    older: frozenset[Diagnostic] = frozenset()
    """Those of the findings that the base has too."""
    notes: tuple[str, ...] = ()
    """What to know about the comparison itself."""
    problems: tuple[Diagnostic, ...] = ()
    """Why the head does not load; then nothing else is known about it."""
    base_problems: tuple[Diagnostic, ...] = ()
    """Why the base does not load; then everything is shown as if it were new."""
    folder: str = ""
    """Where positions start, seen from the top of the repository."""
    touched: tuple[str, ...] = field(default=(), compare=False)
    """Protected environments in which something changes."""

    @property
    def is_empty(self) -> bool:
        """Tell whether head means the same as base."""
        return not (self.statements or any(effect.changes for effect in self.effects) or self.problems)

    @cached_property
    def risk(self) -> Risk:
        """The highest risk of all; changes in a protected environment are never low."""
        floor = Risk.MEDIUM if self.touched else Risk.LOW
        return max([floor, *(statement.risk for statement in self.statements)])

    @property
    def news(self) -> tuple[Diagnostic, ...]:
        """The findings that the change brought, and errors whoever brought them."""
        return tuple(finding for finding in self.findings if finding not in self.older or finding.level is Level.ERROR)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings, and what keeps the head from loading."""
        return (*self.problems, *self.findings)

    def fails(self, fail_on: str) -> bool:
        """Tell whether a pipeline is to stop: at `error`, `warning` or `high` risk; `never` only where the config does not load."""
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
        """Count the components of one action, where environments differ those of the one with most."""
        return max((effect.count(action) for effect in self.effects), default=0)

    def grouped(self) -> tuple[tuple[Group, tuple[Statement, ...]], ...]:
        """Give the statements by group: the group and within it the statement with the highest risk first."""
        groups = []
        for group in Group:
            inside = [statement for statement in self.statements if statement.group is group]
            if inside:
                groups.append((group, tuple(sorted(inside, key=lambda statement: -statement.risk))))
        return tuple(sorted(groups, key=lambda pair: -pair[1][0].risk))
