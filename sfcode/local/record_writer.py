"""Create, update and delete records as an org does: check each field, then apply the object's rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.local import ids
from sfcode.local.automation.setup_rules import NO_OPTIONS, SaveOptions, check_duplicates
from sfcode.local.automation.triggers import Automation
from sfcode.local.errors import Ambiguous, ApiError, make_error
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.formulas import RecordContext, formula_value
from sfcode.local.sobjects.model import FieldDef, ObjectDef, PendingRecord
from sfcode.local.sobjects.rows import Rows, get_row
from sfcode.local.sobjects.rules import AFTER_CREATE, AFTER_DELETE, BEFORE_SAVE
from sfcode.local.sobjects.values import parse_value
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Component, Value

CASCADES = frozenset(
    {("Contact", "AccountId"), ("CampaignMember", "CampaignId"), ("CampaignMemberStatus", "CampaignId")}
)
"""Lookups, as object and field, whose records are deleted with the record that they refer to; others are emptied."""


@dataclass(frozen=True)
class RecordWriter:
    """
    Writes records for one user within one transaction. A method that raises ApiError has written nothing.

    The catalog has the user's permissions. With an unrestricted catalog, every write is allowed.
    """

    tx: OrgTransaction
    catalog: Catalog
    user_id: str
    now: datetime
    options: SaveOptions = NO_OPTIONS

    def create(self, name: str, values: Mapping[str, Any], *, record_id: str | None = None) -> str:
        """Create a record, with the next ID unless one is given; return its ID."""
        target = self.catalog.require(name)
        if not target.createable:
            raise self._make_refusal(target, "create")
        if "id" in (key.lower() for key in values):
            raise make_error("id_on_insert")
        new_values = self._read(target, values, creating=True)
        definition = self._whole_object(target)
        after = {**definition.defaults, **new_values}
        fill_defaults(self.tx, self.catalog.unrestricted, definition, after, user_id=self.user_id, now=self.now)
        if target.field("OwnerId") and not after.get("OwnerId"):
            after["OwnerId"] = self.user_id
        _check_required(target.mandatory, after, creating=True)
        self._save(target, None, after, frozenset(new_values))
        if record_id is not None:
            after["Id"] = record_id
        self._check_unlocked(target)
        record_id = _insert(self.tx, target.name, after, user_id=self.user_id, now=self.now)
        if target.custom and after.get("Name") is None:
            self.tx.records.update(target.name, record_id, {"Name": record_id[:15]}, user_id=self.user_id, now=self.now)
        if after_create := AFTER_CREATE.get(target.name):
            after_create(self.tx, record_id, self.user_id, self.now)
        if self._automation is not None:
            self._automation.after_save(target.name, None, record_id)
        return record_id

    def update(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Update the given fields of a record."""
        target = self.catalog.require(name)
        before = self._find_visible(target, record_id)
        if not target.updateable:
            raise self._make_refusal(target, "update")
        if self._access is not None and not self._access.record(self._whole_object(target), before).edit:
            raise make_error("no_access")
        if "id" in (key.lower() for key in values):
            raise make_error("id_in_update", name="Id")
        new_values = self._read(target, values, creating=False)
        after = before | new_values
        _check_required([target.fields[name.lower()] for name in new_values], after, creating=False)
        self._save(target, before, after, frozenset(new_values))
        self._check_unlocked(target, record_id)
        # The store writes audit fields; unchanged values are not written again.
        changed = {key: value for key, value in after.items() if key in new_values or before.get(key) != value}
        _update(self.tx, target.name, record_id, changed, user_id=self.user_id, now=self.now)
        if self._automation is not None:
            self._automation.after_save(target.name, before, record_id)

    def delete(self, name: str, record_id: str) -> None:
        """Delete a record and the records that depend on it."""
        target = self.catalog.require(name)
        record = self._find_visible(target, record_id)
        if not target.deletable:
            raise self._make_refusal(target, "delete")
        if self._access is not None and not self._access.record(self._whole_object(target), record).delete:
            raise make_error("no_access")
        self._check_unlocked(target, record_id)
        _delete(self.tx, target.name, record_id, user_id=self.user_id, now=self.now)
        self._delete_or_detach_children(target, str(record["Id"]))
        after_delete = AFTER_DELETE.get(target.name)
        if after_delete:
            after_delete(self.tx, record)

    def upsert(self, name: str, field: str, value: str | None, values: Mapping[str, Any]) -> tuple[str, bool]:
        """Update the record whose external ID has a value, or create it; return its ID and whether it is new."""
        if value is None:
            if field.lower() != "id":
                raise make_error("missing_argument", name=field, call="")
            return self.create(name, values), True
        target = self.catalog.require(name)
        key = target.field(field)
        if key is None or not key.upsertable:
            raise make_error("no_such_key", name=field)
        if field.lower() in (entry.lower() for entry in values):
            raise make_error("id_in_update", name=key.name)
        if key.name == "Id":
            self.update(name, value, values)
            return ids.full(value), False
        key_value = parse_value(key, value)
        matches = self.tx.records.find_indexed(target.name, key.name, key_value) if key_value is not None else []
        if len(matches) > 1:
            raise Ambiguous(target.name, [str(entry["Id"]) for entry in matches])
        if matches:
            record_id = str(matches[0]["Id"])
            self.update(name, record_id, values)
            return record_id, False
        return self.create(name, {**values, key.name: key_value}), True

    def _find_visible(self, target: ObjectDef, record_id: str) -> Record:
        """Return a record. Raises ApiError if it does not exist, or if the user cannot see it."""
        record = get_row(self.tx, target.name, record_id) if ids.is_id(record_id) else None
        if record is None:
            raise make_error("deleted_entity") if self.tx.records.is_deleted(record_id) else make_error("not_found")
        if not self._sees(target, record):
            raise make_error("hidden_reference", record_id="")
        return record

    @cached_property
    def _automation(self) -> Automation | None:
        """The automation that runs after a save; None with an unrestricted catalog, as for a company file."""
        if self._access is None:
            return None
        create = replace(self, catalog=self.catalog.unrestricted).create
        return Automation(self.tx, self._access, self.now, create, assigns=self.options.assigns)

    def _check_unlocked(self, target: ObjectDef, record_id: str | None = None) -> None:
        """Raise ApiError if an armed fault reports that another transaction has locked the row."""
        if self.tx.row_locked(target.name):
            detail = f" or 1 records: {ids.full(record_id)}" if record_id else ""
            raise make_error("locked_row", which=detail)

    @property
    def _access(self) -> UserAccess | None:
        return self.catalog.access

    def _whole_object(self, target: ObjectDef) -> ObjectDef:
        """Return an object including the fields that the user does not see."""
        return self.catalog.unrestricted.object(target.name) or target

    def _sees(self, target: ObjectDef, record: Record) -> bool:
        return self._access is None or self._access.record(self._whole_object(target), record).read

    def _make_refusal(self, target: ObjectDef, verb: str) -> ApiError:
        """Return the error for a write that the object does not support, or that this user is not permitted."""
        definition = self._whole_object(target)
        if not {"create": definition.createable, "update": definition.updateable, "delete": definition.deletable}[verb]:
            return make_error("unsupported_verb", object=target.name, verb=verb)
        return make_error("not_insertable", object=target.name) if verb == "create" else make_error("no_access")

    def _read(self, target: ObjectDef, values: Mapping[str, Any], *, creating: bool) -> Record:
        read: Record = {}
        locked = []
        for key, value in values.items():
            if key == "attributes":
                continue
            field = target.field(key)
            if field is None:
                reference = target.relationship(key)
                if reference is None or not isinstance(value, dict):
                    raise make_error("no_such_column", name=key, object=target.name)
                field, value = reference, self._by_external_id(reference, value)  # noqa: PLW2901
            if not (field.createable if creating else field.updateable):
                locked.append(field.name)
                continue
            read[field.name] = parse_value(field, value)
        if locked:
            raise make_error("read_only", names=locked)
        for name, scalar in read.items():
            field = target.fields[name.lower()]
            if field.reference_to and scalar is not None:
                self._check_reference(target, field, str(scalar))
                if field.name == "OwnerId":
                    self._check_owner(target, str(scalar))
        return read

    def _by_external_id(self, reference: FieldDef, value: Mapping[str, Any]) -> str:
        """Resolve `{"Account": {"Product_Account_Id__c": 7}}` to an ID."""
        keys = [(key, key_value) for key, key_value in value.items() if key not in ("attributes", "type")]
        target = self.catalog.object(str(value.get("type") or reference.reference_to[0]))
        key = target.field(keys[0][0]) if target and len(keys) == 1 else None
        if target is None or key is None or not key.upsertable:
            raise ApiError("INVALID_FIELD", f"{reference.relationship}: an external id field is needed")
        matches = self.tx.records.find_indexed(target.name, key.name, parse_value(key, keys[0][1]))
        if len(matches) != 1:
            raise make_error("key_not_found", value=keys[0][1], field=key.name, object=target.name)
        return str(matches[0]["Id"])

    def _check_reference(self, target: ObjectDef, field: FieldDef, value: str) -> None:
        for name in field.reference_to:
            record = get_row(self.tx, name, value)
            if record is not None:
                parent = self.catalog.unrestricted.object(name)
                if parent is not None and not self._sees(parent, record):
                    raise make_error("hidden_reference", record_id=f": {value[:15]}")
                if name == "RecordType" and record["SobjectType"] != target.name:
                    raise make_error("wrong_record_type", record_type_id=value)
                return
        if self.tx.records.is_deleted(value):
            raise make_error("deleted_entity")
        prefixes = {self.tx.records.known_prefix(name) for name in field.reference_to}
        if value[:3] not in prefixes:
            raise make_error("malformed_id", label=field.label, value=value, field=field.name)
        raise make_error("cross_reference_of", field=field.name)

    def _check_owner(self, target: ObjectDef, user_id: str) -> None:
        user = self.tx.records.get("User", user_id)
        if user is not None and not user.get("IsActive"):
            raise make_error("inactive_owner", user_id=user_id[:15], object=target.name.lower())

    def _save(self, target: ObjectDef, before: Record | None, after: Record, field_names: frozenset[str]) -> None:
        for name in field_names:
            field = target.fields[name.lower()]
            if not (field.unique or field.external_id) or after[name] is None:
                continue
            duplicates = self.tx.records.find_indexed(target.name, name, after[name]) if field.unique else []
            for row in duplicates:
                if before is None or row["Id"] != before["Id"]:
                    raise make_error("duplicate", field=name, record_id=str(row["Id"])[:15])
        if self._access is not None:
            check_duplicates(self.tx, target.name, before, after, self.options.allows_duplicates)
        rule = BEFORE_SAVE.get(target.name)
        if rule:
            rule(PendingRecord(self.tx, before, after, field_names, self.now))

    def _delete_or_detach_children(self, target: ObjectDef, record_id: str) -> None:
        for name, field in self.catalog.unrestricted.referring(target.name):
            child = self.catalog.unrestricted.object(name)
            if child is None or field.name in ("CreatedById", "LastModifiedById"):
                continue
            for row in self.tx.records.find_indexed(child.name, field.name, record_id):
                if (child.name, field.name) in CASCADES or (field.custom and not field.updateable):
                    self.tx.records.recycle(child.name, str(row["Id"]), user_id=self.user_id, now=self.now)
                    self._delete_or_detach_children(child, str(row["Id"]))
                else:
                    values: Record = {field.name: None}
                    self.tx.records.update(child.name, str(row["Id"]), values, user_id=self.user_id, now=self.now)


def _check_required(fields: Iterable[FieldDef], after: Record, *, creating: bool) -> None:
    missing = [
        field.name
        for field in fields
        if after.get(field.name) is None
        and (field.required if creating else not field.nillable and field.type != "boolean")
    ]
    if missing:
        raise make_error("required", names=missing)


NUMBER = re.compile(r"\{(0+)\}")
"""Matches the number in a display format such as `A-{0000}`; the count of zeros is the minimum number of digits."""


def fill_defaults(
    tx: OrgTransaction, catalog: Catalog, target: ObjectDef, record: Record, *, user_id: str, now: datetime
) -> None:
    """Set the default values and automatic numbers of a new record."""
    for field in target.fields.values():
        if field.display_format:
            record[field.name] = _next_number(tx, target, field)
        elif field.default_formula and record.get(field.name) is None:
            context = RecordContext(catalog, Rows(tx), target.name, record, now, is_new=True, user_id=user_id)
            record[field.name] = formula_value(field, context, field.default_formula)


def _next_number(tx: OrgTransaction, target: ObjectDef, field: FieldDef) -> str:
    key = f"number.{target.name}.{field.name}".lower()
    number = int(tx.settings.get(key) or field.starting_number)
    tx.settings.set(key, str(number + 1))
    return NUMBER.sub(lambda match: str(number).rjust(len(match.group(1)), "0"), field.display_format)


STATIC_RESOURCE = "StaticResource"
RESOURCE_ELEMENTS = {
    "Body": "content",
    "CacheControl": "cacheControl",
    "ContentType": "contentType",
    "Description": "description",
}
"""Fields of a StaticResource record, each with the element of the component that has its value."""


def _insert(tx: OrgTransaction, name: str, values: Record, *, user_id: str, now: datetime) -> str:
    """Insert a record and return its ID; a static resource is stored as a component."""
    if name != STATIC_RESOURCE:
        return tx.records.insert(name, values, user_id=user_id, now=now)
    component = Component(STATIC_RESOURCE, str(values["Name"]), _resource_body({}, values))
    return tx.components.put(component, user_id=user_id, now=now).id


def _update(tx: OrgTransaction, name: str, record_id: str, values: Record, *, user_id: str, now: datetime) -> None:
    """Update fields of a record, or of the component of a static resource."""
    stored = tx.components.get_by_id(record_id) if name == STATIC_RESOURCE else None
    if stored is None:
        tx.records.update(name, record_id, values, user_id=user_id, now=now)
        return
    old, new = stored.component.full_name, str(values.get("Name", stored.component.full_name))
    if new != old:
        tx.components.rename(STATIC_RESOURCE, old, new, user_id=user_id, now=now)
    body = _resource_body(stored.component.body, values)
    tx.components.put(Component(STATIC_RESOURCE, new, body), user_id=user_id, now=now)


def _delete(tx: OrgTransaction, name: str, record_id: str, *, user_id: str, now: datetime) -> None:
    """Move a record to the recycle bin, or delete the component of a static resource."""
    stored = tx.components.get_by_id(record_id) if name == STATIC_RESOURCE else None
    if stored is None:
        tx.records.recycle(name, record_id, user_id=user_id, now=now)
    else:
        tx.components.delete(STATIC_RESOURCE, stored.component.full_name)


def _resource_body(before: Mapping[str, Value], values: Record) -> dict[str, Value]:
    elements = {element: str(values[field] or "") for field, element in RESOURCE_ELEMENTS.items() if field in values}
    return {name: value for name, value in {**before, **elements}.items() if value != ""}
