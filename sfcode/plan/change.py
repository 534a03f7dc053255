"""One address, before and after."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property

from sfcode.metadata.component import Address, Component
from sfcode.metadata.diff import AttributeChange, diff
from sfcode.metadata.normal import normal


class Action(enum.Enum):
    """What is done to an address, in Terraform's words."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """
    What the org has at an address and what it shall have.

    `before` is what was observed, `after` what the project asks for and what is sent. They are
    compared in normal form, so what the platform adds by itself is never a change.
    """

    address: Address
    before: Component | None
    after: Component | None
    adopted: bool = False
    """The org had it before sfcode did, and the user said to take it on."""

    @cached_property
    def attributes(self) -> tuple[AttributeChange, ...]:
        """The attributes that differ, sorted by path."""
        before = normal(self.before).body if self.before else None
        after = normal(self.after).body if self.after else None
        return diff(before, after)

    @property
    def action(self) -> Action:
        """What has to be done."""
        if self.before is None:
            return Action.CREATE
        if self.after is None:
            return Action.DELETE
        return Action.UPDATE if self.attributes else Action.NO_OP

    @property
    def sort_key(self) -> tuple[int, Address]:
        """Order as a reader wants it: records that come before the deployment, metadata, assignments."""
        first = {"User": 0, "PermissionSetLicenseAssign": 1, "PermissionSetAssignment": 3}
        return (first.get(self.address.type, 2), self.address)
