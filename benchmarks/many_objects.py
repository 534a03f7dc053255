"""Describe one object after the other, for an increasing number of objects."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.deploys import line
from benchmarks.lookups import call
from benchmarks.measure import Row, measure_time

COUNTS = (20, 80, 200, 500)
FIELDS = 10


def measure() -> Iterator[Row]:
    """Describe every custom object once, like a plan in which each has a mapping."""
    from sfcode.local import serve

    times = []
    for count in COUNTS:
        with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
            fill(Path(name), count)
            with serve(Path(name)) as org:
                call(org, "GET", "/sobjects/Contact/describe")
                paths = [f"/sobjects/Thing{n}__c/describe" for n in range(count)]
                times.append(measure_time(lambda: [call(org, "GET", path) for path in paths]))  # noqa: B023
                yield Row(f"describe {count} custom objects of {FIELDS} fields", [times[-1]])
                yield Row(f"list {count} custom objects", [measure_time(lambda: call(org, "GET", "/sobjects"))])
    slope, _, off = line(COUNTS, times)
    yield Row(f"each object more, by the straight line through the describes (off by {off:.0%} at most)", [slope])


def fill(state: Path, count: int) -> None:
    """Create an org with custom objects that refer to contacts, which its administrator can read."""
    from sfcode.local import reset
    from sfcode.local.store import Store
    from sfcode.metadata.component import Component

    reset(state)
    now = datetime.now(UTC)
    objects: dict[str, Any] = {}
    permissions: dict[str, Any] = {}
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.settings.get("admin_id") or ""
        for n in range(count):
            name = f"Thing{n}__c"
            body: dict[str, Any] = {
                "label": f"Thing {n}",
                "pluralLabel": "Things",
                "sharingModel": "ReadWrite",
                "deploymentStatus": "Deployed",
            }
            name_field: dict[str, Any] = {"nameField": {"label": "Name", "type": "Text"}}
            tx.components.put(Component("CustomObject", name, {**body, **name_field}), user_id=admin, now=now)
            lookup: dict[str, Any] = {
                "label": "Contact",
                "type": "Lookup",
                "referenceTo": "Contact",
                "relationshipName": f"Things{n}",
            }
            text: dict[str, Any] = {"label": "Text", "type": "Text", "length": 40}
            for field in ("Contact__c", *(f"F{m}__c" for m in range(FIELDS - 1))):
                field_body = lookup if field == "Contact__c" else text
                tx.components.put(Component("CustomField", f"{name}.{field}", field_body), user_id=admin, now=now)
                permissions[f"{name}.{field}"] = {"editable": True, "readable": True}
            objects[name] = {"allowRead": True, "allowCreate": True, "allowEdit": True, "allowDelete": True}
        rights: dict[str, Any] = {"label": "All", "fieldPermissions": permissions, "objectPermissions": objects}
        stored = tx.components.put(Component("PermissionSet", "All", rights), user_id=admin, now=now)
        assigned: dict[str, Any] = {"AssigneeId": admin, "PermissionSetId": stored.id, "IsActive": True}
        tx.records.insert("PermissionSetAssignment", assigned, user_id=admin, now=now)
