"""
The permissions of one user on objects, fields and records.

They are the union of the profile and the assigned permission sets. Activities depend on user permissions
(Access Activities, Edit Events, Edit Tasks), since orgs have no objectPermissions for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.sobjects import sharing
from sfcode.local.sobjects.grants import NOTHING, OBJECT_RIGHTS, GrantedRights, parse_rights
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.object_reader import ObjectReader
from sfcode.local.sobjects.setup_objects import hidden_objects, setup_objects
from sfcode.local.store import OrgTransaction, Record

ACTIVITIES = {"event": "EditEvent", "task": "EditTask"}
"""The user permission to create and change each kind of activity."""

SETUP_READERS = "ViewSetup"
ASSIGNMENTS = frozenset({"permissionsetassignment", "permissionsetlicenseassign"})
USER_MANAGERS = frozenset({"ManageUsers", "ManageInternalUsers"})
ASSIGNERS = USER_MANAGERS | {"AssignPermissionSets"}
CUSTOMIZERS = frozenset({"CustomizeApplication", "ModifyAllData"})


@dataclass(frozen=True, slots=True)
class ObjectRights:
    """The permissions on an object; sharing limits the records for them, except for `view_all` and `modify_all`."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False
    view_all_fields: bool = False


@dataclass(frozen=True, slots=True)
class RecordRights:
    """The permissions on one record."""

    read: bool
    edit: bool
    delete: bool


EVERYTHING = ObjectRights(True, True, True, True, True, True)
ELEMENTS = {word: element for element, (word, _, _) in OBJECT_RIGHTS.items()} | {"view_all_fields": "viewAllFields"}


class UserAccess:
    """The permissions of one user in one transaction."""

    def __init__(self, tx: OrgTransaction, user_id: str) -> None:
        self.user_id = user_id
        self._tx = tx
        self._reader = ObjectReader(tx)
        self._objects: dict[str, ObjectRights] = {}
        self._parents: dict[tuple[str, str], RecordRights | None] = {}

    @cached_property
    def user_permissions(self) -> frozenset[str]:
        """The enabled user permissions."""
        return frozenset().union(*(grant.user_permissions for grant in self._grants))

    @cached_property
    def custom_permissions(self) -> frozenset[str]:
        """The enabled custom permissions, which $Permission in a formula refers to."""
        return frozenset().union(*(grant.custom_permissions for grant in self._grants))

    def has(self, *names: str) -> bool:
        """Return whether the user has any of these user permissions."""
        return not self.user_permissions.isdisjoint(names)

    def object(self, name: str) -> ObjectRights:
        """Return the permissions on an object."""
        key = name.lower()
        if key not in self._objects:
            rights = self._object(key)
            if key in FOR_MARKETING and not self._is_marketing_user:
                rights = dataclasses.replace(rights, create=False, delete=False)
            self._objects[key] = rights
        return self._objects[key]

    def field(self, object_name: str, field: FieldDef) -> tuple[bool, bool]:
        """Return whether a field is readable, and whether it is editable."""
        if not field.permissionable:
            return True, True
        names = {field.name.lower(), field.compound.lower() or field.name.lower()}
        owner = object_name.lower()
        # A custom field of Activity has one permission for events and tasks.
        owners = (*ACTIVITIES, "activity") if owner in ACTIVITIES and field.custom else (owner,)
        keys = [f"{entry}.{name}" for entry in owners for name in names]
        rights = [entry.fields.get(key, NOTHING) for entry in self._grants for key in keys]
        return any(read for read, _ in rights) or self.object(name=object_name).view_all_fields, any(
            edit for _, edit in rights
        )

    def view(self, target: ObjectDef) -> ObjectDef | None:
        """Return an object as the user sees it: without hidden fields, and with read-only fields marked."""
        rights = self.object(target.name)
        if not rights.read:
            return None
        fields = {}
        for key, field in target.fields.items():
            readable, editable = self.field(target.name, field)
            if readable:
                fields[key] = field if editable else _make_read_only(field)
        return dataclasses.replace(
            target,
            fields=fields,
            relationships={key: field for key, field in target.relationships.items() if field.name.lower() in fields},
            createable=target.createable and rights.create,
            updateable=target.updateable and rights.edit,
            deletable=target.deletable and rights.delete,
        )

    def record(self, target: ObjectDef, row: Record) -> RecordRights:
        """Return the permissions on one record, from sharing and the object's permissions."""
        rights = self.object(target.name)
        shared = self._shared_rights(target, row, rights)
        return RecordRights(
            rights.read and (rights.view_all or shared.read),
            rights.edit and (rights.modify_all or shared.edit),
            rights.delete and (rights.modify_all or shared.delete),
        )

    def sees_all(self, target: ObjectDef) -> bool:
        """Return whether the user sees every record of an object."""
        if target.name == "PermissionSetAssignment":
            return self.has(SETUP_READERS)
        if self.object(target.name).view_all:
            return True
        return target.name != "Contact" and sharing.get_model(self._tx, target) in sharing.READABLE

    def _shared_rights(self, target: ObjectDef, row: Record, rights: ObjectRights) -> RecordRights:
        if target.name == "PermissionSetAssignment":
            is_visible = self.has(SETUP_READERS) or row.get("AssigneeId") == self.user_id
            return RecordRights(is_visible, is_visible, is_visible)
        if row.get("OwnerId") == self.user_id:
            return RecordRights(read=True, edit=True, delete=True)
        if sharing.is_private(target, row):
            return RecordRights(read=False, edit=False, delete=False)
        model = sharing.get_model(self._tx, target)
        read, edit, delete = model in sharing.READABLE, model in sharing.EDITABLE, model in sharing.DELETABLE
        if not read and not (rights.view_all and rights.modify_all):
            parents = [parent_rights for parent_rights in self._parents_of(target, row) if parent_rights is not None]
            read = any(parent.read for parent in parents)
            if model in sharing.BY_PARENT:
                edit = bool(parents) and all(parent.edit for parent in parents)
                delete = edit
        return RecordRights(read, edit, delete)

    def _parents_of(self, target: ObjectDef, row: Record) -> Iterator[RecordRights | None]:
        for reference in sharing.parents(target):
            record_id = row.get(reference.name)
            for name in reference.reference_to if record_id is not None else ():
                key = (name, str(record_id))
                if key not in self._parents:
                    self._parents[key] = self._parent(*key)
                yield self._parents[key]

    def _parent(self, object_name: str, record_id: str) -> RecordRights | None:
        target, row = self._reader.object(object_name), self._tx.records.get(object_name, record_id)
        return None if target is None or row is None else self.record(target, row)

    def _object(self, key: str) -> ObjectRights:
        if key in ACTIVITIES:
            editor = self.has(ACTIVITIES[key], "ModifyAllData")
            return ObjectRights(
                editor or self.has("ActivitiesAccess", "ViewAllData"),
                *(editor, editor, editor),
                view_all=self.has("ViewAllData", "ModifyAllData"),
                modify_all=self.has("ModifyAllData"),
            )
        if key == "user":
            manages = self.has(*USER_MANAGERS)
            return ObjectRights(True, manages, manages, False, True, manages)
        if key in SETUP_NAMES:
            return self._setup(key)
        if self.has("ModifyAllData"):
            return EVERYTHING
        if key in ("campaignmember", "campaignmemberstatus"):
            campaign = self.object("Campaign")
            return ObjectRights(
                campaign.read, *(campaign.edit,) * 3, view_all=campaign.view_all, modify_all=campaign.modify_all
            )
        object_rights = [grant.objects[key] for grant in self._grants if key in grant.objects]
        rights_of_user = {right: any(row.get(element) for row in object_rights) for right, element in ELEMENTS.items()}
        if self.has("ViewAllData"):
            rights_of_user |= {"read": True, "view_all": True}
        return ObjectRights(**rights_of_user)

    def _setup(self, key: str) -> ObjectRights:
        reads = key not in hidden_objects() or self.has(SETUP_READERS)
        needed = ASSIGNERS if key in ASSIGNMENTS else CUSTOMIZERS if key == "staticresource" else ()
        writes = self.has(*needed)
        return ObjectRights(reads, writes, writes, writes, True, writes)

    @cached_property
    def _is_marketing_user(self) -> bool:
        user = self._tx.records.get("User", self.user_id) or {}
        return bool(user.get("UserPermissionsMarketingUser"))

    @cached_property
    def _grants(self) -> list[GrantedRights]:
        """The granted rights: of the profile, and of every assigned permission set."""
        user = self._tx.records.get("User", self.user_id) or {}
        rows = self._tx.records.find("PermissionSetAssignment", "AssigneeId", self.user_id)
        owner_ids = [str(user.get("ProfileId")), *sorted({str(row.get("PermissionSetId")) for row in rows})]
        return [parse_rights(text) for text in self._tx.components.bodies_by_ids(owner_ids)]


FOR_MARKETING = frozenset({"campaign", "campaignmemberstatus"})
"""Objects whose records only users with the feature license Marketing User may create."""
SETUP_NAMES = frozenset(name.lower() for name in setup_objects())


def _make_read_only(field: FieldDef) -> FieldDef:
    return dataclasses.replace(field, createable=False, updateable=False)
