"""
Remove a flow: deactivate it, then delete its versions.

A flow cannot be deleted by name through destructive changes ("insufficient access rights on
cross-reference id"), and an active version cannot be deleted at all.
"""

from __future__ import annotations

from sfcode.metadata.component import Address
from sfcode.org import Org


def remove_flow(org: Org, address: Address) -> int:
    """Deactivate the flow and delete every version; return how many. Repeatable: what is gone already is fine."""
    definitions = org.tooling_query(
        "SELECT Id, ActiveVersionId FROM FlowDefinition WHERE DeveloperName = {}", address.full_name
    )
    deleted = 0
    for definition in definitions:
        if definition["ActiveVersionId"]:
            org.tooling_update("FlowDefinition", definition["Id"], {"Metadata": {"activeVersionNumber": 0}})
        for version in org.tooling_query("SELECT Id FROM Flow WHERE DefinitionId = {}", definition["Id"]):
            org.tooling_delete("Flow", version["Id"])
            deleted += 1
    return deleted
