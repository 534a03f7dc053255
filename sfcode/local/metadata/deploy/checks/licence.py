"""What a permission set may grant: no more than its own licence, and the licences of those who have it, allow."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.sobjects import licences


def check(subject: Subject) -> Iterator[str]:
    """Judge a permission set against licences."""
    tx, component = subject.view.tx, subject.component
    bound_to = str(component.body.get("license") or "")
    right = licences.first_object_right(tx, component) if bound_to in licences.WITHOUT_OBJECTS else None
    if right is None:
        stored = tx.components.get(component.type, component.full_name)
        for assignment in tx.records.find("PermissionSetAssignment", "PermissionSetId", stored.id) if stored else ():
            user = tx.records.get("User", str(assignment["AssigneeId"]))
            right = right or (licences.refused_right(tx, component, user) if user else None)
    if right is not None:
        yield f"The user license doesn't allow the permission: {right}"
