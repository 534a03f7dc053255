"""The initial orgs of recordings, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sfcode.local import register_app, reset
from sfcode.local.signin.passwords import hash_password
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.contract.project import create_org as with_integration_user
from tests.contract.target_org import LEADS

EXTERNAL_IDS = ("Account.Ext__c", "Contact.Ext__c")


def with_external_ids(state: Path) -> None:
    """Create an org with external ID fields on accounts and contacts, which its administrator can read."""
    reset(state)
    field = {"label": "Ext", "type": "Text", "length": 80, "externalId": True, "unique": True}
    permission_set = {
        "label": "Ext",
        "fieldPermissions": {name: {"editable": True, "readable": True} for name in EXTERNAL_IDS},
    }
    now = datetime.now(UTC)
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.settings.get("admin_id") or ""
        for name in EXTERNAL_IDS:
            tx.components.put(Component("CustomField", name, field), user_id=admin, now=now)
        stored = tx.components.put(Component("PermissionSet", "Ext", permission_set), user_id=admin, now=now)
        assigned = {"AssigneeId": admin, "PermissionSetId": stored.id, "IsActive": True}
        tx.records.insert("PermissionSetAssignment", assigned, user_id=admin, now=now)


COMPANY = "Many"
PASSWORD = "correct horse battery"
APP = {
    "name": "jsforce",
    "consumer_key": "3MVG9jsforce",
    "consumer_secret": "not-a-secret",
    "run_as": "admin@northwind.example",
    "users": ["admin@northwind.example"],
    "callback_urls": ["http://localhost:1717/OauthRedirect"],
}


def for_jsforce(state: Path) -> None:
    """Create an org with external ID fields, more leads than fit on a page, a password, and an app that may sign in."""
    with_external_ids(state)
    register_app(state, APP)
    now = datetime.now(UTC)
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.settings.get("admin_id") or ""
        tx.passwords.set(admin, hash_password(PASSWORD))
        lead = {"LastName": "Lead", "Name": "Lead", "Company": COMPANY, "OwnerId": admin, "IsConverted": False}
        for _ in range(LEADS):
            tx.records.insert("Lead", lead, user_id=admin, now=now)


STATES: Mapping[str, Callable[[Path], object]] = {
    "for_jsforce": for_jsforce,
    "shipped": reset,
    "with_external_ids": with_external_ids,
    "with_integration_user": with_integration_user,
}
