"""The user permissions to use the API and to deploy."""

from __future__ import annotations

from sfcode.local.auth import UserSession
from sfcode.local.http.soap import SoapFault
from sfcode.local.sobjects.access import API_DISABLED, UserAccess
from sfcode.local.store import OrgTransaction

DEPLOYERS = frozenset({"ModifyMetadata", "ModifyAllData"})


def check_metadata_access(tx: OrgTransaction, session: UserSession) -> None:
    """Check that a user may use the API and change metadata. Raises SoapFault."""
    held = UserAccess(tx, session.user_id).user_permissions
    if "ApiEnabled" not in held:
        raise SoapFault("API_DISABLED_FOR_ORG", API_DISABLED)
    if not DEPLOYERS & held:
        raise SoapFault(
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
        )
