"""Delete the components of a destructive manifest, unless the org refuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from sfcode.local.metadata.deploy.manifests import Deletion
from sfcode.local.metadata.deploy.messages import ComponentMessage
from sfcode.local.metadata.deploy.store import Author
from sfcode.local.metadata.names import ACTIVITY
from sfcode.local.metadata.registry import WILDCARD
from sfcode.local.metadata.usage import FORMULAS, find_field_references, find_message_references
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.standard import ACTIVITIES
from sfcode.local.store import OrgTransaction, StoredFlowVersion
from sfcode.metadata.component import Address, Component
from sfcode.metadata.types import TYPES

NO_ACCESS = "insufficient access rights on cross-reference id"
IN_USE = "is referenced elsewhere in salesforce.com. Remove the usage and try again."
LABELS = {type_: label for type_, (label, _) in FORMULAS.items()} | {
    "WorkflowOutboundMessage": "Workflow Outbound Message"
}


def destroy(tx: OrgTransaction, deletions: Sequence[Deletion], author: Author) -> list[ComponentMessage]:
    """Delete the components that can be deleted and report each; the deletions of one manifest are checked together."""
    addresses = [deletion.address for deletion in deletions]
    refusals = find_used(tx, addresses)
    messages, deleted = [], []
    for deletion in deletions:
        problem = _find_refusal(tx, deletion.address) or refusals.get(deletion.address)
        if problem is not None:
            address = deletion.address
            messages.append(ComponentMessage.error(problem, address.full_name, address.type, deletion.file))
        elif _delete(tx, deletion.address):
            deleted.append(deletion.address)
            messages.append(_deleted_message(deletion))
        elif WILDCARD in deletion.address.full_name:
            # https://github.com/forcedotcom/cli/issues/3485: reported as a success, but nothing is deleted.
            messages.append(replace(_deleted_message(deletion), deleted=False, changed=False))
        else:
            problem = f"No {deletion.address.type} named: {deletion.address.full_name} found"
            messages.append(ComponentMessage.warning(problem, PurePosixPath(deletion.file).name, deletion.file))
    _forget(tx, deleted, author)
    if any(address.type == "ExternalClientApplication" for address in addresses):
        from sfcode.local.signin.apps import find_orphaned_policies

        for policies in find_orphaned_policies(tx):
            tx.components.delete(policies.type, policies.full_name)
    return messages


def _deleted_message(deletion: Deletion) -> ComponentMessage:
    address = deletion.address
    return ComponentMessage(address.full_name, address.type, deletion.file, changed=True, deleted=True)


def _find_refusal(tx: OrgTransaction, address: Address) -> str | None:
    if address.type == "Flow":
        version = tx.flows.find_version(address.full_name)
        if version is not None:
            return check_version_deletable(version)
        # A flow is deleted version by version: https://github.com/forcedotcom/cli/issues/3401
        return NO_ACCESS if tx.flows.versions(address.full_name) else None
    if address.type == "FlowDefinition" and tx.flows.versions(address.full_name):
        return NO_ACCESS
    if address.type == "RecordType" and tx.components.get(*_key(address)):
        return "Cannot delete record type through API"
    if address.type == "PermissionSet":
        stored = tx.components.get(*_key(address))
        assigned = tx.records.find("PermissionSetAssignment", "PermissionSetId", stored.id) if stored else []
        if assigned:
            return f"The permission set {address.full_name} can't be deleted: it is assigned to {len(assigned)} user(s)"
    if address.type == "CustomField" and not address.full_name.lower().endswith("__c"):
        return f"Cannot delete standard field: {address.full_name}"
    if address.type == "Profile" and (profile := tx.components.get(*_key(address))) is not None:
        holders = [user for user in tx.records.list_all("User") if user.get("ProfileId") == profile.id]
        return f"The profile {address.full_name} can't be deleted: {len(holders)} user(s) have it" if holders else None
    return None


def check_version_deletable(version: StoredFlowVersion) -> str | None:
    """Return why a flow version cannot be deleted; None if it can."""
    return (
        "You can't delete a flow version that is active. Deactivate it first." if version.status == "Active" else None
    )


def _key(address: Address) -> tuple[str, str]:
    return address.type, address.full_name


def find_used(tx: OrgTransaction, deletions: Iterable[Address]) -> dict[Address, str]:
    """Return the components that a remaining component uses, each with the message of the org's refusal."""
    addresses = [address for address in deletions if tx.components.get(*_key(address)) is not None]
    labels = {f"{LABELS[address.type]} - {address.full_name}" for address in addresses if address.type in LABELS}
    labels |= {
        f"Flow Version - {version.id}"
        for address in deletions
        if address.type == "Flow" and (version := tx.flows.find_version(address.full_name))
    }
    refusals: dict[Address, str] = {}

    def refuse(address: Address, noun: str, users: Iterable[str]) -> None:
        staying = [user for user in users if user not in labels]
        if staying:
            refusals[address] = f"This {noun} {IN_USE} : {', '.join(staying)}"

    steps = {_step(address): address for address in addresses if address.type == "CustomField"}
    for step, users in find_field_references(tx, Catalog(tx), steps).items():
        refuse(steps[step], "custom field", users)
    types = {address.type for address in addresses}
    messages = find_message_references(tx) if "WorkflowOutboundMessage" in types else {}
    objects = _find_object_references(tx) if "CustomObject" in types else {}
    for address in addresses:
        if address.type == "WorkflowOutboundMessage":
            refuse(address, "outbound message", messages.get(address.full_name.lower(), ()))
        elif address.type == "Report":
            refuse(address, "report folder", _reports_in(tx, address.full_name, addresses))
        elif address.type == "CustomObject":
            refuse(address, "custom object", objects.get(address.full_name, ()))
    return refusals


def _step(address: Address) -> tuple[str, str]:
    owner, _, field = address.full_name.partition(".")
    return owner, field


def _reports_in(tx: OrgTransaction, folder: str, deletions: Sequence[Address]) -> list[str]:
    """List the reports of a folder that are not deleted."""
    names = {address.full_name.lower() for address in deletions if address.type == "Report"}
    return [
        f"Report - {stored.component.full_name}"
        for stored in tx.components.list_all("Report")
        if stored.component.full_name.startswith(f"{folder}/") and stored.component.full_name.lower() not in names
    ]


def _find_object_references(tx: OrgTransaction) -> Mapping[str, list[str]]:
    """Return, by object, the lookups from other objects and the flows that a record of the object starts."""
    users: defaultdict[str, list[str]] = defaultdict(list)
    for stored in tx.components.list_all("CustomField"):
        target = str(stored.component.body.get("referenceTo") or "")
        if not stored.component.full_name.startswith(f"{target}."):
            users[target].append(f"Custom Field - {stored.component.full_name}")
    for version in tx.flows.versions():
        start = version.body.get("start")
        if isinstance(start, Mapping):
            users[str(start.get("object"))].append(f"Flow Version - {version.id}")
    return users


def _delete(tx: OrgTransaction, address: Address) -> bool:
    if address.type == "Flow":
        version = tx.flows.find_version(address.full_name)
        return version is not None and tx.flows.delete_version(version.full_name, version.number)
    if not tx.components.delete(*_key(address)):
        return False
    if address.type == "CustomObject":
        for kind in TYPES.values():
            for child in tx.components.children(kind.name, address.full_name) if kind.parent else ():
                tx.components.delete(kind.name, child.component.full_name)
        for row in tx.records.list_all(address.full_name):
            tx.records.delete(address.full_name, str(row["Id"]))
    return True


def _forget(tx: OrgTransaction, deleted: Sequence[Address], author: Author) -> None:
    """Remove deleted fields and objects from permission sets and profiles, and the values of fields from records."""
    objects = {address.full_name for address in deleted if address.type == "CustomObject"}
    fields: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    for owner, field in (_step(address) for address in deleted if address.type == "CustomField"):
        for name in ACTIVITIES if owner == ACTIVITY else (owner,):
            fields[name][field] = None
    field_names = {f"{owner}.{field}".lower() for owner, names in fields.items() for field in names}
    if objects or field_names:
        change_rights(
            tx, lambda name: None if name.lower() in field_names or name.partition(".")[0] in objects else name, author
        )
    for owner, moves in fields.items():
        move_values(tx, owner, moves, author)


def move_values(tx: OrgTransaction, object_name: str, moves: Mapping[str, str | None], author: Author) -> None:
    """Move the values of fields to other fields, or delete them (None); the time stamps of the records stay the same."""
    for row in tx.records.list_all(object_name):
        filled_fields = [field for field in moves if row.get(field) is not None]
        if filled_fields:
            values = {key: row[key] for key in ("LastModifiedDate", "LastModifiedById", "SystemModstamp")}
            values |= dict.fromkeys(filled_fields) | {to: row[field] for field in filled_fields if (to := moves[field])}
            tx.records.update(object_name, str(row["Id"]), values, user_id=author.user_id, now=author.now)


def change_rights(tx: OrgTransaction, follow: Callable[[str], str | None], author: Author) -> None:
    """Replace the names of fields and objects in permission sets and profiles; `follow` returns the new name or None."""
    for type_ in ("PermissionSet", "Profile"):
        for stored in tx.components.list_all(type_):
            body: dict[str, Any] = dict(stored.component.body)
            for element in ("fieldPermissions", "objectPermissions"):
                rights = body.get(element)
                if isinstance(rights, Mapping):
                    remaining_rights = {
                        new: right for name, right in rights.items() if (new := follow(name)) is not None
                    }
                    body = {key: value for key, value in body.items() if key != element} | (
                        {element: remaining_rights} if remaining_rights else {}
                    )
            if body != stored.component.body:
                changed = Component(type_, stored.component.full_name, body)
                tx.components.put(changed, user_id=author.user_id, now=author.now)
