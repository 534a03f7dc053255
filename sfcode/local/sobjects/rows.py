"""The rows of every object, stored or computed from metadata."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from importlib.resources import files
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.sobjects import sharing
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.component_rows import (
    component_row,
    field_permission_rows,
    object_permission_rows,
    permission_set_rows,
    record_type_rows,
    report_rows,
    static_resource_rows,
)
from sfcode.local.sobjects.formulas import FormulaRows
from sfcode.local.sobjects.setup_objects import OWN_PERMISSIONS, setup_objects
from sfcode.local.store import OrgTransaction, Record, Scalar

FEW = 500
"""The number of rows that are read one by one; after these, all rows of the object are read at once."""
_NAMES: dict[str, Any] = json.loads(files(__package__).joinpath("profile_names.json").read_bytes())
PROFILE_NAMES: dict[str, str] = _NAMES["names"]
"""The names of the rows of standard profiles, by their names in metadata, if both differ."""


class Rows:
    """
    The rows of one transaction, cached.

    With a catalog, rows that its user cannot see are left out. With a catalog and the time, formula fields are computed.
    """

    def __init__(
        self,
        tx: OrgTransaction,
        catalog: Catalog | None = None,
        now: datetime | None = None,
        *,
        with_deleted: bool = False,
    ) -> None:
        self._tx = tx
        self._with_deleted = with_deleted
        self._catalog = catalog
        self._computing = None if catalog is None or now is None else FormulaRows(catalog, Rows(tx), now)
        self._all: dict[str, list[Record]] = {}
        self._by_id: dict[str, dict[str, Record | None]] = {}
        self._whole: set[str] = set()
        """Objects of which all rows were read."""

    def all(self, object_name: str) -> list[Record]:
        """List the rows of an object."""
        if object_name not in self._all:
            view = VIEWS.get(object_name)
            rows = view(self._tx) if view else self._tx.records.list_all(object_name)
            if self._with_deleted and not view:
                rows = rows + self._tx.records.list_deleted(object_name)
            if object_name == "Profile" and self._catalog and self._catalog.access:
                rows = _translate(rows, self._tx.records.get("User", self._catalog.access.user_id))
            if object_name == OWN_PERMISSIONS:
                rows = _own_permissions(self._catalog.access if self._catalog else None)
            self._all[object_name] = self._select_visible(object_name, rows)
        return self._all[object_name]

    def find_any(self, object_name: str, field: str, values: Collection[Scalar]) -> list[Record]:
        """List the rows whose stored field has one of these values, ignoring case; the result may contain more rows."""
        if object_name == "EntityDefinition" and field == "QualifiedApiName":
            return self._select_visible(
                object_name, _entity_definitions(self._tx, {str(value).lower() for value in values})
            )
        if self._with_deleted or _is_view(object_name) or object_name in self._all:
            return self.all(object_name)
        return self._select_visible(object_name, self._tx.records.find_any(object_name, field, values))

    def first(self, object_name: str, limit: int) -> list[Record]:
        """List at most `limit` rows of an object, those with the lowest IDs if the rows are stored and all visible."""
        if object_name in self._all or not self._all_are_seen(object_name):
            return self.all(object_name)[:limit]
        return self._select_visible(object_name, self._tx.records.list_all(object_name, limit))

    def count(self, object_name: str) -> int | None:
        """Count the rows of an object without reading them; None if that is impossible."""
        return self._tx.records.count(object_name) if self._all_are_seen(object_name) else None

    def _all_are_seen(self, object_name: str) -> bool:
        """Return whether an object's rows are stored and all visible."""
        access = self._catalog.access if self._catalog else None
        target = self._catalog.unrestricted.object(object_name) if self._catalog else None
        if self._with_deleted:
            return False
        return not _is_view(object_name) and (access is None or (target is not None and access.sees_all(target)))

    def get(self, object_name: str, record_id: str) -> Record | None:
        """Find a row by its ID."""
        full_id, cache = ids.full(record_id), self._by_id.setdefault(object_name, {})
        if full_id in cache:
            return cache[full_id]
        if not _is_view(object_name) and object_name not in self._all and len(cache) < FEW:
            cache[full_id] = self.find(object_name, record_id)
            return cache[full_id]
        if object_name not in self._whole:
            self._whole.add(object_name)
            cache |= {str(row.get("Id")): row for row in self.all(object_name)}
        return cache.get(full_id)

    def find(self, object_name: str, record_id: str) -> Record | None:
        """Find a row by its ID, if possible without reading the others."""
        if _is_view(object_name) or object_name in self._all:
            return self.get(object_name, record_id)
        row = self._tx.records.get(object_name, record_id)
        return next(iter(self._select_visible(object_name, [] if row is None else [row])), None)

    def _select_visible(self, object_name: str, rows: list[Record]) -> list[Record]:
        if self._catalog is None:
            return rows
        access, target = self._catalog.access, self._catalog.unrestricted.object(object_name)
        if target is None:
            return rows
        if access is not None and not access.sees_all(target):
            rows = [row for row in rows if access.record(target, row).read]
        return rows if self._computing is None else self._computing.rows(target, rows)


def _is_view(object_name: str) -> bool:
    """Return whether an object's rows are computed, not stored."""
    return object_name in VIEWS or object_name == OWN_PERMISSIONS


def get_row(tx: OrgTransaction, object_name: str, record_id: str) -> Record | None:
    """Find one row, if possible without reading the others."""
    if _is_view(object_name):
        return Rows(tx).get(object_name, record_id)
    return tx.records.get(object_name, record_id)


def _translate(profiles: list[Record], user: Record | None) -> list[Record]:
    """Name standard profiles in the language of the signed-in user."""
    names = _NAMES["languages"].get(str((user or {}).get("LanguageLocaleKey")), {})
    return [row | {"Name": names.get(row["Name"], row["Name"])} for row in profiles] if names else profiles


def _profiles(tx: OrgTransaction) -> list[Record]:
    licenses = {str(row["Name"]): row["Id"] for row in tx.records.list_all("UserLicense")}
    return [
        component_row(
            "Profile",
            stored,
            Name=PROFILE_NAMES.get(stored.component.full_name, stored.component.full_name),
            UserLicenseId=licenses.get(str(stored.component.body.get("userLicense"))),
            UserType="Standard",
        )
        for stored in tx.components.list_all("Profile")
    ]


def _flow_definitions(tx: OrgTransaction) -> list[Record]:
    rows: list[Record] = []
    for stored in tx.components.list_all("Flow"):
        versions = tx.flows.versions(stored.component.full_name)
        active = next((version for version in versions if version.status == "Active"), None)
        more: Record = {
            "Id": versions[-1].definition_id,
            "DurableId": versions[-1].definition_id,
            "ActiveVersionId": active.id if active else None,
            "LatestVersionId": versions[-1].id,
            "IsActive": active is not None,
            "VersionNumber": (active or versions[-1]).number,
            "LastModifiedBy": _user_name(tx, stored.modified_by),
        }
        rows.append(component_row("FlowDefinitionView", stored, **more))
    return rows


def _flow_versions(tx: OrgTransaction) -> list[Record]:
    return [
        component_row(
            "FlowVersionView",
            version.stored,
            DurableId=version.id,
            FlowDefinitionViewId=version.definition_id,
            VersionNumber=version.number,
        )
        for version in tx.flows.versions()
    ]


def _user_licenses(tx: OrgTransaction) -> list[Record]:
    profiles = {str(row["Id"]): row["UserLicenseId"] for row in _profiles(tx)}
    used = Counter(profiles.get(str(user["ProfileId"])) for user in tx.records.list_all("User") if user["IsActive"])
    return [row | {"UsedLicenses": used[row["Id"]]} for row in tx.records.list_all("UserLicense")]


def _permission_set_licenses(tx: OrgTransaction) -> list[Record]:
    used = Counter(row["PermissionSetLicenseId"] for row in tx.records.list_all("PermissionSetLicenseAssign"))
    return [row | {"UsedLicenses": used[row["Id"]]} for row in tx.records.list_all("PermissionSetLicense")]


def _user_name(tx: OrgTransaction, user_id: str) -> Scalar:
    user = tx.records.get("User", user_id)
    return user.get("Name") if user else None


def _entity_definitions(tx: OrgTransaction, names: Collection[str] | None = None) -> list[Record]:
    """List the objects with data; with `names` (in lower case) only these, since reading an object is slow."""
    catalog = Catalog(tx)
    return [
        {
            "Id": ids.derive_id("000", name, "EntityDefinition"),
            "DurableId": name,
            "QualifiedApiName": name,
            "DeveloperName": name.removesuffix("__c"),
            "Label": target.label,
            "PluralLabel": target.plural,
            "KeyPrefix": target.key_prefix,
            "NamespacePrefix": None,
            "InternalSharingModel": sharing.get_model(tx, target),
            "IsCustomizable": True,
            "IsQueryable": True,
        }
        for name in catalog.names()
        if name not in setup_objects() and (names is None or name.lower() in names) and (target := catalog.object(name))
    ]


def _own_permissions(access: UserAccess | None) -> list[Record]:
    """Return the row of UserPermissionAccess, the caller's user permissions."""
    if access is None:
        return []
    fields = setup_objects()[OWN_PERMISSIONS].fields.values()
    rights: Record = {
        field.name: access.has(field.name.removeprefix("Permissions")) for field in fields if field.type == "boolean"
    }
    return [{"Id": ids.derive_id("000", access.user_id, OWN_PERMISSIONS), "LastCacheUpdate": None, **rights}]


VIEWS: dict[str, Callable[[OrgTransaction], list[Record]]] = {
    "EntityDefinition": _entity_definitions,
    "FieldPermissions": field_permission_rows,
    "FlowDefinitionView": _flow_definitions,
    "FlowVersionView": _flow_versions,
    "ObjectPermissions": object_permission_rows,
    "PermissionSet": permission_set_rows,
    "PermissionSetLicense": _permission_set_licenses,
    "Profile": _profiles,
    "RecordType": record_type_rows,
    "Report": report_rows,
    "StaticResource": static_resource_rows,
    "UserLicense": _user_licenses,
}
"""Objects whose rows are computed."""


@dataclass(frozen=True)
class UserView:
    """The catalog, rows and permissions of a user within one transaction."""

    tx: OrgTransaction
    access: UserAccess
    catalog: Catalog
    rows: Rows
    now: datetime

    @classmethod
    def of(cls, tx: OrgTransaction, user_id: str, now: datetime) -> UserView:
        """Return the view of a user."""
        access = UserAccess(tx, user_id)
        catalog = Catalog(tx, access)
        return cls(tx, access, catalog, Rows(tx, catalog, now), now)
