"""The orgs that recordings begin with, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sfcode.local import reset
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.contract.project import found as with_integration_user

EXTERNAL_IDS = ("Account.Ext__c", "Contact.Ext__c")


def with_external_ids(state: Path) -> None:
    """Make an org with external ids on accounts and contacts, which its administrator sees."""
    reset(state)
    field = {"label": "Ext", "type": "Text", "length": 80, "externalId": True, "unique": True}
    seen = {"label": "Ext", "fieldPermissions": {name: {"editable": True, "readable": True} for name in EXTERNAL_IDS}}
    now = datetime.now(UTC)
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.get("admin_id") or ""
        for name in EXTERNAL_IDS:
            tx.put_component(Component("CustomField", name, field), user_id=admin, now=now)
        stored = tx.put_component(Component("PermissionSet", "Ext", seen), user_id=admin, now=now)
        assigned = {"AssigneeId": admin, "PermissionSetId": stored.id, "IsActive": True}
        tx.insert("PermissionSetAssignment", assigned, user_id=admin, now=now)


STATES: Mapping[str, Callable[[Path], object]] = {
    "shipped": reset,
    "with_external_ids": with_external_ids,
    "with_integration_user": with_integration_user,
}
