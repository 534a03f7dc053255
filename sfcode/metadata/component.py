"""Component: a typed, named body in canonical form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property, total_ordering
from typing import Self

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.metadata.types import TYPES

Value = None | bool | int | str | tuple["Value", ...] | list["Value"] | dict[str, "Value"]
"""The values of a body: JSON values. A list keyed by identity is a dict (see `types.py`)."""

Body = Mapping[str, Value]

BUSINESS_RECORD_TYPES = frozenset({"Campaign", "CampaignMemberStatus"})
"""Types of business records: created if missing, and neither changed, managed nor deleted afterwards."""

RECORD_TYPES = frozenset({"User", "PermissionSetLicenseAssign", "PermissionSetAssignment"}) | BUSINESS_RECORD_TYPES
"""Types of records that are not metadata: written through REST, not deployed."""

_TYPE_NAMES = {name.lower(): name for name in (*TYPES, *RECORD_TYPES)}


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Address:
    """
    The identity of a component or record, as in `sf -m`: `CustomField:Contact.Appcues_User_Id__c`.

    Salesforce ignores the case of names, so two addresses that differ only in case are equal. An address is shown as
    it is written.
    """

    type: str
    full_name: str
    _key: tuple[str, str] = field(init=False, repr=False)
    """The key of comparisons, computed once since a plan compares each address many times."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", (self.type, self.full_name.lower()))

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Address) else NotImplemented

    def __lt__(self, other: Address) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return f"{self.type}:{self.full_name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `Type:FullName`, ignoring the case of the type. Raises ValueError for anything else."""
        kind, colon, full_name = text.partition(":")
        if not (colon and kind and full_name):
            raise ValueError(f"{text!r} is not an address; write Type:FullName")
        return cls(_TYPE_NAMES.get(kind.lower(), kind), full_name)

    @property
    def user(self) -> Address:
        """The address of the user, for the address of a user or of an assignment."""
        return Address("User", self.full_name.rpartition("/")[2])

    @property
    def assigned(self) -> Address:
        """The address of the permission set or permission set license, for the address of an assignment."""
        kind = "PermissionSet" if self.type == "PermissionSetAssignment" else "PermissionSetLicense"
        return Address(kind, self.full_name.rpartition("/")[0])

    @property
    def is_record(self) -> bool:
        """Whether the address is that of a record (a user, an assignment) and not of metadata."""
        return self.type in RECORD_TYPES

    @property
    def is_business_record(self) -> bool:
        """Whether the address is that of a business record, which is only created."""
        return self.type in BUSINESS_RECORD_TYPES


@total_ordering
@dataclass(frozen=True, eq=False)
class Component:
    """
    One piece of Salesforce metadata, or one record that must exist.

    `body` is canonical: JSON values only, booleans and integers typed by the schema, repeated
    elements keyed by their identity, org-side defaults left out. Two components are equal when
    address and body are.
    """

    type: str
    full_name: str
    body: Body = field(default_factory=dict)

    @cached_property
    def address(self) -> Address:
        """The address: type and full name."""
        return Address(self.type, self.full_name)

    @cached_property
    def canonical(self) -> str:
        """The body as JSON with sorted keys and no spaces."""
        return json.dumps(self.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of address and body as hex."""
        return hashlib.sha256(f"{self.address}\n{self.canonical}".encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Component):
            return NotImplemented
        return self.address == other.address and self.canonical == other.canonical

    def __lt__(self, other: Component) -> bool:
        if self.address != other.address:
            return self.address < other.address
        return self.canonical < other.canonical

    def __hash__(self) -> int:
        return hash((self.address, self.canonical))


def make_assignment(type_: str, name: str, username: str) -> Component:
    """Return the assignment of a permission set, or of a permission set license, to a user."""
    address = Address(type_, f"{name}/{username}")
    return Component(type_, address.full_name, {"Assignee": username, address.assigned.type: name})
