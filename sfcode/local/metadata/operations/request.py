"""The arguments of an operation."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from sfcode.local.auth import UserSession
from sfcode.local.context import OrgContext
from sfcode.local.http import soap
from sfcode.local.metadata.deploy.jobs import Deployments


@dataclass(frozen=True)
class OperationRequest:
    """One call: the operation's element, the caller, and the version in the URL."""

    context: OrgContext
    jobs: Deployments
    session: UserSession
    element: etree._Element
    api_version: str
    all_or_none: bool = False
    """One component that fails rolls back the others."""

    def text(self, name: str) -> str | None:
        """Return the text of an argument."""
        return soap.text(self.element, name)

    def required(self, name: str) -> str:
        """Return the text of a required argument. Raises SoapFault if it is missing."""
        found = self.text(name)
        if found is None:
            raise soap.SoapFault("INVALID_FIELD", f"Required field is missing: {name}")
        return found
