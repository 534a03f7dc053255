"""The org as a check sees it: including the package, inside the deploy's own transaction."""

from __future__ import annotations

from functools import cached_property

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.auth import find_active_user
from sfcode.local.metadata import names
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Body, Component


class DeployView:
    """Objects, components and users, each read once; create a new view after a write."""

    def __init__(self, tx: OrgTransaction) -> None:
        self.tx = tx
        self._users: dict[str, Record | None] = {}

    @cached_property
    def catalog(self) -> Catalog:
        """All objects, including the fields of the package."""
        return Catalog(self.tx)

    def object(self, name: str) -> ObjectDef | None:
        """Find an object."""
        return self.catalog.object(name)

    def field(self, object_name: str, field: str) -> FieldDef | None:
        """Find a field of an object."""
        return names.find_field(self.catalog, object_name, field)

    def has(self, type_: str, full_name: str) -> bool:
        """Return whether a component exists."""
        return self.tx.components.get(type_, full_name) is not None

    def active_user(self, username: str) -> Record | None:
        """Find an active user."""
        if username not in self._users:
            self._users[username] = find_active_user(self.tx, username)
        return self._users[username]


@dataclass(frozen=True)
class Subject:
    """A component to check: new body, old body, and the org."""

    component: Component
    before: Body | None
    view: DeployView
    api_version: float

    @property
    def body(self) -> Body:
        """The new body."""
        return self.component.body

    @property
    def owner(self) -> str:
        """The part of the full name before the dot: the object of a field, a message or a rule."""
        return self.component.full_name.partition(".")[0]

    @property
    def name(self) -> str:
        """The part of the full name after the dot, or the full name if it has no dot."""
        return self.component.full_name.partition(".")[2] or self.component.full_name
