"""Rename a component, including its permissions and records."""

from __future__ import annotations

from sfcode.local.metadata.deploy.checks import problems
from sfcode.local.metadata.deploy.destroy import change_rights, find_used, move_values
from sfcode.local.metadata.deploy.org_view import DeployView, Subject
from sfcode.local.metadata.deploy.store import Author
from sfcode.local.metadata.names import ACTIVITY
from sfcode.local.sobjects.standard import ACTIVITIES
from sfcode.local.store import OrgTransaction
from sfcode.metadata.component import Address, Component
from sfcode.metadata.types import TYPES

NOT_RENAMED = frozenset({"Flow", "FlowDefinition", "Profile", "Workflow"})
CUSTOM = frozenset({"CustomField", "CustomObject"})


def rename(tx: OrgTransaction, address: Address, new: str, author: Author) -> str | None:
    """Rename one component and return None, or return the org's refusal; the caller then rolls the transaction back."""
    old = address.full_name
    if address.type in NOT_RENAMED or (address.type in CUSTOM and not (_custom(old) and _custom(new))):
        return f"{address.type} {old} can't be renamed to {new}"
    stored = tx.components.get(address.type, old)
    if stored is None:
        return f"no {address.type} named {old} found"
    if _container(address.type, old) != _container(address.type, new):
        return f"{address.type} {old} can't be moved to {new}"
    if old.lower() != new.lower() and tx.components.get(address.type, new) is not None:
        return f"There is already a {address.type} named {new}"
    used = find_used(tx, [address]).get(address)
    if used is not None:
        return used
    old = stored.component.full_name
    tx.components.rename(address.type, old, new, user_id=author.user_id, now=author.now)
    if address.type == "CustomField":
        _field(tx, old, new, author)
    elif address.type == "CustomObject":
        _object(tx, old, new, author)
    renamed = Component(address.type, new, stored.component.body)
    return next(problems(Subject(renamed, stored.component.body, DeployView(tx), author.api_version)), None)


def _custom(name: str) -> bool:
    return name.lower().endswith("__c")


def _container(type_: str, name: str) -> str:
    kind = TYPES.get(type_)
    return name.partition(".")[0].lower() if kind and kind.parent else ""


def _field(tx: OrgTransaction, old: str, new: str, author: Author) -> None:
    (owner, _, before), after = old.partition("."), new.partition(".")[2]
    owners = ACTIVITIES if owner == ACTIVITY else (owner,)
    names = {f"{object_name}.{before}": f"{object_name}.{after}" for object_name in owners}
    change_rights(tx, lambda name: names.get(name, name), author)
    for object_name in owners:
        move_values(tx, object_name, {before: after}, author)


def _object(tx: OrgTransaction, old: str, new: str, author: Author) -> None:
    for kind in TYPES.values():
        for child in tx.components.children(kind.name, old) if kind.parent else ():
            name = f"{new}.{child.component.full_name.partition('.')[2]}"
            tx.components.rename(kind.name, child.component.full_name, name, user_id=author.user_id, now=author.now)

    def follow(name: str) -> str:
        owner, dot, remainder = name.partition(".")
        return f"{new}{dot}{remainder}" if owner == old else name

    change_rights(tx, follow, author)
    tx.records.rename_object(old, new)
