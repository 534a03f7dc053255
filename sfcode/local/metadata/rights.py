"""What a user may do beyond records: the user permissions of the profile and the permission sets."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.local.auth import Session
from sfcode.local.metadata.soap import Fault
from sfcode.local.store import Tx
from sfcode.metadata.component import Component

DEPLOYERS = frozenset({"ModifyMetadata", "ModifyAllData"})


def user_permissions(tx: Tx, user_id: str) -> set[str]:
    """List the user permissions that somebody has."""
    user = tx.record("User", user_id) or {}
    assigned = {str(row["PermissionSetId"]) for row in tx.find("PermissionSetAssignment", "AssigneeId", user_id)}
    held = [stored.component for stored in tx.components("Profile") if stored.id == user.get("ProfileId")]
    held += [stored.component for stored in tx.components("PermissionSet") if stored.id in assigned]
    return {name for component in held for name in _enabled(component)}


def _enabled(component: Component) -> list[str]:
    given = component.body.get("userPermissions")
    entries = given.items() if isinstance(given, Mapping) else ()
    return [name for name, right in entries if isinstance(right, Mapping) and right.get("enabled")]


def may_use_metadata(tx: Tx, session: Session) -> None:
    """Let only those in who may change metadata. Raises Fault."""
    if not DEPLOYERS & user_permissions(tx, session.user_id):
        raise Fault(
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
        )
