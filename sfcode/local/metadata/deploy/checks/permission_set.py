"""Check permission sets and profiles: objects, fields and permissions must exist, with the permissions that they depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from sfcode.local.metadata.deploy.checks.common import check_keys, check_lengths, get_entries, no_field, no_object
from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.metadata.names import ACTIVITY
from sfcode.local.sobjects import licenses
from sfcode.local.sobjects.grants import OBJECT_RIGHTS
from sfcode.local.sobjects.model import FieldDef
from sfcode.local.sobjects.standard import ACTIVITIES
from sfcode.local.sobjects.values import check_developer_name

LIMITS = {"label": ("Label", 80), "description": ("Description", 255)}
KEYS = {"fieldPermissions": "field", "objectPermissions": "object", "userPermissions": "name"}


def check(subject: Subject) -> Iterator[str]:
    """Check a permission set."""
    yield from check_developer_name("Permission Set API Name: The Permission Set Name", subject.component.full_name, 80)
    yield from check_lengths(subject.body, LIMITS)
    license_name = str(subject.body.get("license") or "")
    if license_name and not _is_license(subject, license_name):
        yield f"In field: license - no UserLicense named {license_name} found"
    if subject.before is not None and license_name != str(subject.before.get("license") or ""):
        yield "You can't change the license of a permission set after it is saved"
    yield from _rights(subject)
    yield from _licenses(subject)


def profile(subject: Subject) -> Iterator[str]:
    """Check a profile, which is merged into the one in the org."""
    yield from _rights(subject)


def _rights(subject: Subject) -> Iterator[str]:
    for element, key in KEYS.items():
        yield from check_keys(subject.body, element, key)
    yield from _objects(subject)
    yield from _fields(subject)
    names = _user_permissions()
    for name in get_entries(subject.body, "userPermissions"):
        if name not in names:
            yield f"Unknown user permission: {name}"


def _is_license(subject: Subject, name: str) -> bool:
    tx = subject.view.tx
    return bool(
        tx.records.find("UserLicense", "Name", name) or tx.records.find("PermissionSetLicense", "DeveloperName", name)
    )


def _objects(subject: Subject) -> Iterator[str]:
    rights = get_entries(subject.body, "objectPermissions")
    for name, entry in rights.items():
        target = subject.view.object(name)
        if (target is None and not subject.view.has("CustomObject", name)) or name in (*ACTIVITIES, ACTIVITY):
            # Activities have user permissions instead: Access Activities, Edit Events, Edit Tasks.
            yield no_object("object", name)
            continue
        for right, (_, verb, needed) in OBJECT_RIGHTS.items():
            missing = [f"{OBJECT_RIGHTS[need][1]} {name}" for need in needed if not entry.get(need)]
            if entry.get(right) and missing:
                yield f"Permission {verb} {name} depends on permission(s): {', '.join(missing)}"
        if entry.get("allowRead"):
            yield from _masters(subject, name, rights)


def _masters(subject: Subject, name: str, rights: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for stored in subject.view.tx.components.children("CustomField", name):
        body = stored.component.body
        master = str(body.get("referenceTo") or "")
        if master and body.get("type") == "MasterDetail" and not rights.get(master, {}).get("allowRead"):
            yield f"Permission Read {name} depends on permission(s): Read {master}"


def _fields(subject: Subject) -> Iterator[str]:
    for name, entry in get_entries(subject.body, "fieldPermissions").items():
        owner, _, field = name.partition(".")
        if owner != ACTIVITY and subject.view.object(owner) is None:
            if not subject.view.has("CustomObject", owner):
                yield no_object("field", owner)
            continue
        # The permission on a custom field of Activity is granted under the names of Event and Task only.
        field_definition = None if owner == ACTIVITY else subject.view.field(owner, field)
        if field_definition is None:
            yield no_field("field", name)
        elif not field_definition.permissionable and not (field_definition.name == "Name" and owner.endswith("__c")):
            yield f"You cannot deploy to a required field: {name}"
        elif entry.get("editable") and _only_read(field_definition):
            yield f"Field {name} is read-only: it can't be editable in a permission set"


def _only_read(field: FieldDef) -> bool:
    # The permission of an address applies to its parts, which can be written. Edit access to a formula field has no
    # effect.
    return not (field.createable or field.updateable or field.calculated or field.type == "address")


@cache
def _user_permissions() -> frozenset[str]:
    return frozenset(resources.files(__package__).joinpath("user_permissions.txt").read_text("utf-8").split())


def _licenses(subject: Subject) -> Iterator[str]:
    tx, component = subject.view.tx, subject.component
    bound_to = str(component.body.get("license") or "")
    right = licenses.find_object_right(tx, component) if bound_to in licenses.WITHOUT_OBJECTS else None
    if right is None:
        stored = tx.components.get(component.type, component.full_name)
        for assignment in tx.records.find("PermissionSetAssignment", "PermissionSetId", stored.id) if stored else ():
            user = tx.records.get("User", str(assignment["AssigneeId"]))
            right = right or (licenses.find_refused_right(tx, component, user) if user else None)
    if right is not None:
        yield f"{licenses.NOT_ALLOWED}{right}"
