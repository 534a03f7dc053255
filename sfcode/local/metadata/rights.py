"""What a user may do beyond records: deploy, and use the API at all."""

from __future__ import annotations

from sfcode.local.auth import Session
from sfcode.local.metadata.soap import Fault
from sfcode.local.sobjects.access import API_DISABLED, Access
from sfcode.local.store import Tx

DEPLOYERS = frozenset({"ModifyMetadata", "ModifyAllData"})


def user_permissions(tx: Tx, user_id: str) -> frozenset[str]:
    """List the user permissions that somebody has."""
    return Access(tx, user_id).user_permissions


def may_use_metadata(tx: Tx, session: Session) -> None:
    """Let only those in who may use the API and change metadata. Raises Fault."""
    held = user_permissions(tx, session.user_id)
    if "ApiEnabled" not in held:
        raise Fault("API_DISABLED_FOR_ORG", API_DISABLED)
    if not DEPLOYERS & held:
        raise Fault(
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
        )
