"""A change: the body of one address before and after it, and at the last apply."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from functools import cached_property

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address, Component
from sfcode.metadata.diff import AttributeChange, Path, diff
from sfcode.metadata.normalize import normal_body


class Action(enum.Enum):
    """The action of a change, in Terraform's terms."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Cause(enum.Enum):
    """The cause of a different attribute: a change of the config, a change in the org, or both."""

    CONFIG = "config"
    DRIFT = "drift"
    BOTH = "both"


@dataclass(frozen=True)
class Change:
    """
    The observed and the desired value of an address.

    `before` is the observed body, `after` the desired body, and `applied` the body that the last apply left, if the
    org has drifted from it. Bodies are compared in normal form, so that defaults of the platform are no changes.
    """

    address: Address
    before: Component | None
    after: Component | None
    applied: Component | None = None
    adopted: bool = False
    """Whether the component was unmanaged before, and is adopted by --adopt."""
    replaced: bool = False
    """Whether the component is unmanaged, and is replaced by the relay (`replaces`)."""
    moved_from: Address | None = None
    """The former address if it is renamed in place; `before` and `applied` have the present names."""

    def __post_init__(self) -> None:
        # The applied body is relevant only if the org has drifted from it.
        if self.applied and not self.drift:
            object.__setattr__(self, "applied", None)

    @cached_property
    def attributes(self) -> tuple[AttributeChange, ...]:
        """The attributes that differ, sorted by path."""
        return _compare(self.before, self.after)

    @cached_property
    def drift(self) -> tuple[AttributeChange, ...]:
        """The attributes that were changed in the org since the last apply."""
        return _compare(self.applied, self.before) if self.applied else ()

    @property
    def is_addition(self) -> bool:
        """Whether the component was added in the org since the last apply."""
        return self.applied is not None and not self.applied.body

    @cached_property
    def action(self) -> Action:
        """The action."""
        if self.before is None:
            return Action.CREATE if self.after else Action.NO_OP
        if self.after is None:
            return Action.DELETE
        return Action.UPDATE if self.attributes or self.moved_from else Action.NO_OP

    @property
    def sort_key(self) -> tuple[int, Address]:
        """The sort key of reports: records before the deployment, metadata, assignments."""
        first = {
            "User": 0,
            "PermissionSetLicenseAssign": 1,
            "PermissionSetAssignment": 3,
            "Campaign": 4,
            "CampaignMemberStatus": 5,
        }
        return (first.get(self.address.type, 2), self.address)

    def cause(self, path: Path) -> Cause:
        """Return the cause of the difference at a path; the config if nothing was applied yet."""
        if not _touches(path, self.drift):
            return Cause.CONFIG
        return Cause.BOTH if _touches(path, self._requested) else Cause.DRIFT

    @cached_property
    def _requested(self) -> tuple[AttributeChange, ...]:
        return _compare(self.applied, self.after)


def _compare(old: Component | None, new: Component | None) -> tuple[AttributeChange, ...]:
    if old and new and old.canonical == new.canonical:
        return ()  # most components do not change, and comparing texts is fast
    return diff(normal_body(old), normal_body(new))


def _touches(path: Path, changes: Iterable[AttributeChange]) -> bool:
    """Return whether a change is at a path, above it or below it."""
    return any(change.path[: len(path)] == path[: len(change.path)] for change in changes)
