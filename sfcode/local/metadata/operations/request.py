"""The arguments of an operation."""

from __future__ import annotations

from lxml import etree

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.auth import UserSession
from sfcode.local.context import OrgContext
from sfcode.local.errors import make_error
from sfcode.local.http import soap
from sfcode.local.http.soap import SoapFault
from sfcode.local.metadata.deploy.jobs import Deployments
from sfcode.local.metadata.registry import is_known
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.store import OrgTransaction


@dataclass(frozen=True)
class OperationRequest:
    """One call: the operation's element, the caller, and the version in the URL."""

    context: OrgContext
    jobs: Deployments
    session: UserSession
    element: etree._Element
    api_version: str
    all_or_none: bool = False
    """Whether a component that fails rolls back the others."""

    def require(self, name: str) -> str:
        """Return the text of a required argument. Raises SoapFault if it is missing."""
        return soap.require(self.element, name)


def check_type(name: str) -> str:
    """Return the name of a metadata type. Raises SoapFault for an unknown one."""
    if not is_known(name):
        raise SoapFault("INVALID_TYPE", f"Unknown type:{name}")
    return name


DEPLOYERS = frozenset({"ModifyMetadata", "ModifyAllData"})


def check_metadata_access(tx: OrgTransaction, session: UserSession) -> None:
    """Check that a user may use the API and change metadata. Raises SoapFault."""
    permissions = UserAccess(tx, session.user_id).user_permissions
    if "ApiEnabled" not in permissions:
        error = make_error("api_disabled")
        raise SoapFault(error.code, error.message)
    if not DEPLOYERS & permissions:
        raise SoapFault(
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
        )
