"""What a user may do beyond records: deploy, and use the API at all."""

from __future__ import annotations

from sfcode.local.auth import UserSession
from sfcode.local.metadata.soap import SoapFault
from sfcode.local.sobjects.access import API_DISABLED, UserAccess
from sfcode.local.store import Transaction

DEPLOYERS = frozenset({"ModifyMetadata", "ModifyAllData"})


def user_permissions(tx: Transaction, user_id: str) -> frozenset[str]:
    """List the user permissions that somebody has."""
    return UserAccess(tx, user_id).user_permissions


def may_use_metadata(tx: Transaction, session: UserSession) -> None:
    """Let only those in who may use the API and change metadata. Raises SoapFault."""
    held = user_permissions(tx, session.user_id)
    if "ApiEnabled" not in held:
        raise SoapFault("API_DISABLED_FOR_ORG", API_DISABLED)
    if not DEPLOYERS & held:
        raise SoapFault(
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
        )
