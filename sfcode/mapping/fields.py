"""Look up fields in the org or the shipped table, and among the generated ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.naming import is_custom
from sfcode.mapping.org_features import feature_fields
from sfcode.metadata.objects import Field, OrgSchema

STANDARD_OBJECTS = ("Account", "Contact", "Lead")
"""Standard objects that a mapping may use, besides any custom object."""

ACTIVITY_FIELDS = {
    "Event": ("Description", "IsAllDayEvent", "Location", "Type", "WhatId", "WhoId"),
    "Task": ("ActivityDate", "Description", "Type", "WhatId", "WhoId"),
}
"""The standard fields of activities with field permissions that sfcode may grant."""

UNWATCHED_FIELDS = frozenset(
    {
        "Id",
        "CreatedById",
        "CreatedDate",
        "IsDeleted",
        "LastActivityDate",
        "LastModifiedById",
        "LastModifiedDate",
        "LastReferencedDate",
        "LastViewedDate",
        "SystemModstamp",
    }
)
"""Fields that never change, or change with every save. They are sent if mapped, but do not trigger a message."""

NAME_PARTS = {("Contact", "Name"): ("FirstName", "LastName"), ("Lead", "Name"): ("FirstName", "LastName")}
"""The fields from which Salesforce composes a person's full name, by object and field. Only the parts are edited."""

# Fields of every custom object. None of them has field permissions.
_OF_CUSTOM_OBJECTS: Mapping[str, Field] = {
    name: Field(name, kind, permissionable=False, updateable=False)
    for name, kind in {
        "Id": "id",
        "Name": "string",
        "OwnerId": "reference",
        "RecordTypeId": "reference",
        "CurrencyIsoCode": "picklist",
        "CreatedById": "reference",
        "CreatedDate": "datetime",
        "LastModifiedById": "reference",
        "LastModifiedDate": "datetime",
        "LastActivityDate": "date",
        "LastReferencedDate": "datetime",
        "LastViewedDate": "datetime",
        "SystemModstamp": "datetime",
        "IsDeleted": "boolean",
    }.items()
}


@dataclass(frozen=True)
class Fields:
    """The fields of one object, as far as they are known."""

    object: str
    known: Mapping[str, Field]
    complete: bool
    """Whether `known` has all custom fields, so that any other one does not exist."""
    created: Mapping[str, Field] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    """The org feature that a field requires, by field; empty if the fields were read from the org."""

    def get(self, name: str) -> Field | None:
        """Return a field; None if it does not exist or is not known."""
        return self.created.get(name) or self.known.get(name)

    def absent(self, name: str) -> bool:
        """Return whether the field certainly does not exist."""
        return self.get(name) is None and (self.complete or not is_custom(name))

    def permission(self, name: str) -> str:
        """
        Return the field whose permission grants access to a field, such as the address for its city; "" if none is needed.

        Unknown custom fields are assumed to have their own permissions.
        """
        field = self.get(name)
        if field is None:
            return name if is_custom(name) else ""
        return field.permission

    def similar(self, name: str) -> str | None:
        """Find the existing name that is most similar."""
        return find_closest(name, (*self.created, *self.known))


def fields_of(schema: OrgSchema, object_name: str, created: Iterable[Field] = ()) -> Fields:
    """Return the known fields of an object."""
    new = {field.name: field for field in created}
    described_object = schema.objects.get(object_name)
    if described_object is not None:
        if schema.online:
            return Fields(object_name, described_object.fields, described_object.complete, new)
        optional = {
            name: pair
            for name, pair in feature_fields(object_name).items()
            if name not in {*described_object.fields, *new}
        }
        fields = {**described_object.fields, **{name: described for name, (described, _) in optional.items()}}
        return Fields(
            object_name, fields, described_object.complete, new, {name: words for name, (_, words) in optional.items()}
        )
    if object_name in ACTIVITY_FIELDS:
        return Fields(object_name, {name: Field(name, "string") for name in ACTIVITY_FIELDS[object_name]}, False, new)
    return Fields(object_name, _OF_CUSTOM_OBJECTS, False, new)


def find_closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate with the most similar spelling, ignoring case; None if none is similar."""
    from difflib import get_close_matches

    by_lower = {candidate.lower(): candidate for candidate in candidates}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[near[0]] if near else None
