"""
Steps for flows that a deployment cannot do: activate, prune versions, remove.

Each deploy makes a version and an org keeps about fifty. In production a version may come in inactive.
A flow cannot be deleted by name through destructive changes ("insufficient access rights on
cross-reference id"), and an active version cannot be deleted at all.
"""

from __future__ import annotations

from collections.abc import Collection

from sfcode.metadata.component import Address
from sfcode.org import Org
from sfcode.org.results import DeployOptions

KEPT_VERSIONS = 10
"""The number of versions of a flow that are kept: enough to return to an older one, and far below the platform's limit."""

_DEFINITION = "SELECT Id, ActiveVersionId FROM FlowDefinition WHERE DeveloperName = {}"
_VERSIONS = "SELECT Id, VersionNumber FROM Flow WHERE DefinitionId = {} ORDER BY VersionNumber DESC"


def deploys_drafts(org: Org, options: DeployOptions) -> bool:
    """
    Return whether flows are deployed as drafts: wherever tests run, an org may roll back an active flow that none covers.

    A production org does so by a setting, and decides by itself whether it runs tests.
    https://help.salesforce.com/s/articleView?id=platform.flow_distribute_deploy_active.htm
    """
    return not org.identity.sandbox or options.test_level not in {None, "NoTestRun"}


def activate_flow(org: Org, address: Address) -> bool:
    """Activate the newest version; return whether that was necessary. Repeatable."""
    for definition in org.tooling_query(_DEFINITION, address.full_name):
        newest = org.tooling_query(_VERSIONS, definition["Id"])[0]
        if definition["ActiveVersionId"] != newest["Id"]:
            activation = {"Metadata": {"activeVersionNumber": newest["VersionNumber"]}}
            org.tooling_update("FlowDefinition", definition["Id"], activation)
            return True
    return False


def prune_flow(org: Org, address: Address) -> int:
    """Delete old versions, except the newest ones and the active one; return their number. Repeatable."""
    deleted = 0
    for definition in org.tooling_query(_DEFINITION, address.full_name):
        for version in org.tooling_query(_VERSIONS, definition["Id"])[KEPT_VERSIONS:]:
            if version["Id"] != definition["ActiveVersionId"]:
                org.tooling_delete("Flow", version["Id"])
                deleted += 1
    return deleted


def list_versions(org: Org, address: Address) -> dict[int, str]:
    """Return the ids of all versions of a flow, by their numbers."""
    return {
        row["VersionNumber"]: row["Id"]
        for definition in org.tooling_query(_DEFINITION, address.full_name)
        for row in org.tooling_query(_VERSIONS, definition["Id"])
    }


def delete_versions(org: Org, address: Address, numbers: Collection[int]) -> int:
    """Delete some versions of a flow, none of which is active; return how many. Repeatable."""
    ids = [version_id for number, version_id in list_versions(org, address).items() if number in numbers]
    for version_id in ids:
        org.tooling_delete("Flow", version_id)
    return len(ids)


def remove_flow(org: Org, address: Address) -> int:
    """Deactivate the flow and delete all versions; return their number. Repeatable."""
    deleted = 0
    for definition in org.tooling_query(_DEFINITION, address.full_name):
        if definition["ActiveVersionId"]:
            org.tooling_update("FlowDefinition", definition["Id"], {"Metadata": {"activeVersionNumber": 0}})
        for version in org.tooling_query(_VERSIONS, definition["Id"]):
            org.tooling_delete("Flow", version["Id"])
            deleted += 1
    return deleted
