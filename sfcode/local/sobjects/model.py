"""The definition of an object: its fields and their properties."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.sobjects.roll_ups import RollUpSummary
from sfcode.local.store import OrgTransaction, Record, Scalar

TEXT_TYPES = frozenset({"string", "textarea", "email", "phone", "url", "encryptedstring", "combobox"})
NUMBER_TYPES = frozenset({"double", "currency", "percent", "int"})
PICKLIST_TYPES = frozenset({"picklist", "multipicklist"})
UNGROUPABLE = frozenset(
    {"address", "combobox", "datetime", "double", "currency", "percent", "multipicklist", "encryptedstring"}
)
MAX_FILTERABLE = 255
"""The maximum length of a text that can be filtered and sorted by."""


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field, with the properties of a describe."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    defaulted: bool = False
    """Whether the org sets a value if a new record has none."""
    createable: bool = True
    updateable: bool = True
    calculated: bool = False
    formula: str = ""
    blank_as_zero: bool = False
    """Whether the formula treats blank numbers as zeros."""
    custom: bool = False
    element: str = ""
    """The element of a component's body, or the part of its full name, with the value; for rows that are components."""
    permissionable: bool = True
    compound: str = ""
    """The address or name that the field is a part of."""
    reference_to: tuple[str, ...] = ()
    relationship: str = ""
    child_relationship: str = ""
    picklist: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    id_lookup: bool = False
    """Whether upserts accept the field although it is not an external ID: an email address, a custom object's name."""
    unique: bool = False
    default: Scalar = None
    default_formula: str = ""
    """The default of a new record, computed when it is created."""
    display_format: str = ""
    """The format of an automatic number, such as `A-{0000}`."""
    starting_number: int = 1
    master: bool = False
    """Whether the field refers to the master of a detail record."""
    roll_up: RollUpSummary | None = None
    """The definition of a roll-up summary field."""

    @property
    def required(self) -> bool:
        """Whether a new record needs a value."""
        return not (self.nillable or self.defaulted) and self.createable and self.type != "boolean"

    @property
    def filterable(self) -> bool:
        """Whether SOQL can filter and sort by the field."""
        return self.type not in ("address", "location") and not (
            self.type == "textarea" and self.length > MAX_FILTERABLE
        )

    @property
    def groupable(self) -> bool:
        """Whether SOQL can group by the field; formulas and decimal numbers are not groupable."""
        return self.filterable and not self.calculated and self.type not in UNGROUPABLE

    @property
    def upsertable(self) -> bool:
        """Whether the field can identify the record of an upsert."""
        return self.external_id or self.id_lookup or self.name == "Id"


@dataclass(frozen=True)
class ObjectDef:
    """One object and its fields, which are found ignoring case."""

    name: str
    label: str
    plural: str
    key_prefix: str | None
    fields: Mapping[str, FieldDef]
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    relationships: Mapping[str, FieldDef] = field(default_factory=dict)
    custom_setting: bool = False

    @cached_property
    def mandatory(self) -> tuple[FieldDef, ...]:
        """The required fields of a new record."""
        return tuple(field for field in self.fields.values() if field.required)

    @cached_property
    def defaults(self) -> Mapping[str, Scalar]:
        """The default values of a new record."""
        default_values: dict[str, Scalar] = {}
        for definition in self.fields.values():
            if definition.default is not None:
                default_values[definition.name] = definition.default
            elif definition.type == "boolean" and not definition.calculated and definition.name != "IsDeleted":
                default_values[definition.name] = False
            elif definition.type in NUMBER_TYPES and not (definition.nillable or definition.createable):
                default_values[definition.name] = 0
        return default_values

    def field(self, name: str) -> FieldDef | None:
        """Find a field by its name."""
        return self.fields.get(name.lower())

    def relationship(self, name: str) -> FieldDef | None:
        """Find the reference of a relationship name (`Account`, `Parent__r`)."""
        return self.relationships.get(name.lower())


def object_def(
    name: str,
    label: str,
    plural: str,
    key_prefix: str | None,
    fields: list[FieldDef],
    *,
    custom: bool = False,
    writable: bool = True,
    deletable: bool = True,
) -> ObjectDef:
    """Build an object, with its fields and relationships indexed by lower-case name."""
    return ObjectDef(
        name,
        label,
        plural,
        key_prefix,
        {field.name.lower(): field for field in fields},
        custom,
        createable=writable,
        updateable=writable,
        deletable=deletable,
        relationships={field.relationship.lower(): field for field in fields if field.relationship},
    )


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """A reference from the parent's side: the rows of `child` whose `field` refers to this record."""

    name: str
    child: str
    field: str


@dataclass(frozen=True)
class PendingRecord:
    """A record before it is stored: old values, new values, and the fields that the caller set."""

    tx: OrgTransaction
    before: Record | None
    after: Record
    names: frozenset[str]
    now: datetime

    def first(self, *names: str) -> Scalar:
        """Return the first value that the caller set among these fields, otherwise the existing one."""
        new_values = (self.after.get(name) for name in names if name in self.names)
        all_values = (self.after.get(name) for name in names)
        return next((value for value in (*new_values, *all_values) if value is not None), None)
