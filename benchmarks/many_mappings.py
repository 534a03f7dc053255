"""A project of many mappings, each with its own custom object, and an org with these objects."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT

MAPPING = """\
object: Thing{number}__c
match: group
user_id: {{field: Appcues_User_Id__c, from: Product_User_Id__c}}
to_appcues:
  attributes:
{attributes}
to_salesforce:
  nps:
    score: {{field: Appcues_NPS_Score__c, create: true}}
"""
TEXT: dict[str, Any] = {"label": "Text", "type": "Text", "length": 40}
NUMBER: dict[str, Any] = {"label": "Product User Id", "type": "Number", "precision": 18, "scale": 0}
OBJECT: dict[str, Any] = {
    "pluralLabel": "Things",
    "sharingModel": "ReadWrite",
    "deploymentStatus": "Deployed",
    "nameField": {"label": "Name", "type": "Text"},
}


def write_project(folder: Path, mappings: int, attributes: int = 5) -> None:
    """Write a project with a number of mappings, each with a number of attributes."""
    shutil.copytree(ROOT / "config", folder / "config", ignore=shutil.ignore_patterns("mappings"))
    (folder / "config" / "mappings").mkdir()
    lines = "\n".join(f"    thing_{number}: Field{number}__c" for number in range(attributes))
    for number in range(mappings):
        text = MAPPING.format(number=number, attributes=lines)
        (folder / "config" / "mappings" / f"thing_{number}.yaml").write_text(text, encoding="utf-8")


def fill_org(state: Path, objects: int, attributes: int = 5) -> None:
    """Create a local org with the objects of such a project, which its administrator can read."""
    from sfcode.local import reset
    from sfcode.local.store import Store
    from sfcode.metadata.component import Component

    reset(state)
    now = datetime.now(UTC)
    permissions: dict[str, Any] = {}
    granted: dict[str, Any] = {}
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.settings.get("admin_id") or ""
        for number in range(objects):
            name = f"Thing{number}__c"
            tx.components.put(
                Component("CustomObject", name, {**OBJECT, "label": f"Thing {number}"}), user_id=admin, now=now
            )
            fields = {"Product_User_Id__c": NUMBER, **{f"Field{index}__c": TEXT for index in range(attributes)}}
            for field, body in fields.items():
                tx.components.put(Component("CustomField", f"{name}.{field}", body), user_id=admin, now=now)
                permissions[f"{name}.{field}"] = {"editable": True, "readable": True}
            granted[name] = {"allowRead": True, "allowCreate": True, "allowEdit": True, "allowDelete": True}
        rights: dict[str, Any] = {"label": "All", "fieldPermissions": permissions, "objectPermissions": granted}
        stored = tx.components.put(Component("PermissionSet", "All", rights), user_id=admin, now=now)
        assigned: dict[str, Any] = {"AssigneeId": admin, "PermissionSetId": stored.id, "IsActive": True}
        tx.records.insert("PermissionSetAssignment", assigned, user_id=admin, now=now)
