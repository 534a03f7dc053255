"""The input of all statements: both sides, and their paired mappings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from sfcode.checks.access_changes import Access
from sfcode.checks.personal_data import is_personal
from sfcode.checks.snapshot import Snapshot
from sfcode.config.models import PersonalData
from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.resolved import FieldUse, ResolvedMapping
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan


@dataclass(frozen=True)
class Half:
    """A mapping on one side."""

    project: Project
    mapping: ResolvedMapping

    @property
    def attributes(self) -> dict[str, FieldUse]:
        """The sent fields by attribute name."""
        return {use.attribute: use for use in self.mapping.attributes}

    @property
    def activity(self) -> str:
        """The object of activities: Event, Task or the project's own; "" without activities."""
        return self.mapping.activity_object or ""

    @property
    def file(self) -> str:
        """The mapping's file."""
        return self.mapping.file


@dataclass(frozen=True)
class Pair:
    """One mapping before and after; one of them may be missing."""

    before: Half | None
    after: Half | None

    @property
    def object(self) -> str:
        """The mapping's Salesforce object."""
        half = self.after or self.before
        return half.mapping.object if half else ""


@dataclass(frozen=True)
class Context:
    """Both sides of one environment."""

    before: Snapshot | None
    after: Snapshot
    plan: Plan
    """The plan of the change for an org to which the base was applied."""
    access: tuple[Access, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes with an action, in the order of a plan."""
        return self.plan.effective

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The mappings of both sides, paired by their records and not by file name."""
        return tuple(_pairs(self.before.project if self.before else None, self.after.project))

    @property
    def personal_data(self) -> PersonalData:
        """The settings of personal data after the change."""
        return self.after.project.settings.review.personal_data

    def personal(self, object_name: str, field: str) -> bool:
        """Return whether a field is personal data."""
        return is_personal(object_name, field, self.personal_data)

    def is_role(self, attribute: str) -> bool:
        """Return whether segments select people by an attribute (the recipe `role_onboarding`)."""
        recipe = self.after.project.recipes.role_onboarding
        return recipe is not None and recipe.attribute == attribute

    def list_deleted(self) -> Iterator[Component]:
        """Return the deleted components."""
        for change in self.changes:
            if change.action is Action.DELETE and change.before:
                yield change.before

    def made_by(self, side: Snapshot, file: str) -> frozenset[Address]:
        """Return the components from a file."""
        return frozenset(
            origin.address for origin in side.desired.origins if not origin.token and origin.position.file == file
        )


def holds_values(component: Component) -> bool:
    """Return whether deleting a component loses data, which is the case for fields that are not formulas."""
    return component.type == "CustomField" and "formula" not in component.body


def _pairs(before: Project | None, after: Project) -> Iterator[Pair]:
    halves = [Half(before, mapping) for mapping in before.resolved] if before else []
    for mapping in after.resolved:
        new = Half(after, mapping)
        alike = [half for half in halves if _key(half.mapping) == _key(mapping)]
        # Several mappings of one object are paired by name, the rest in order.
        names = {peer.name for peer in after.resolved if peer.name != mapping.name}
        old = next((half for half in alike if half.mapping.name == mapping.name), None) or next(
            (half for half in alike if half.mapping.name not in names),
            next(
                (half for half in halves if half.mapping.object == new.mapping.object and not _is_claimed(half, after)),
                None,
            ),
        )
        if old:
            halves.remove(old)
        yield Pair(old, new)
    for half in halves:
        yield Pair(half, None)


def _key(mapping: ResolvedMapping) -> tuple[str, str]:
    return (mapping.object.lower(), mapping.match)


def _is_claimed(half: Half, after: Project) -> bool:
    """Return whether a mapping of the other side has the same records."""
    return any(_key(mapping) == _key(half.mapping) for mapping in after.resolved)
