"""
Steps for flows that a deployment cannot do: activate them, delete old versions, delete flows.

Each deployment creates a version, and an org keeps about fifty. In production a new version may be inactive.
A flow cannot be deleted by name through destructive changes ("insufficient access rights on
cross-reference id"), and an active version cannot be deleted at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sfcode.apply.deploy import Progress
from sfcode.errors import OrgError
from sfcode.metadata.component import Address
from sfcode.org import Org
from sfcode.org.results import DeployOptions
from sfcode.org.retry import repeat_once
from sfcode.text import count_noun

KEPT_VERSIONS = 10
"""The number of versions of a flow that are kept: enough to return to an older one, and far below the platform's
limit."""

_DEFINITION = "SELECT Id, ActiveVersionId FROM FlowDefinition WHERE DeveloperName = {}"
_DEFINITIONS = "SELECT Id, DeveloperName, ActiveVersionId FROM FlowDefinition WHERE DeveloperName IN {}"
_ALL_VERSIONS = "SELECT Id, DefinitionId, VersionNumber FROM Flow WHERE DefinitionId IN {} ORDER BY VersionNumber DESC"
_VERSIONS = "SELECT Id, VersionNumber FROM Flow WHERE DefinitionId = {} ORDER BY VersionNumber DESC"


def deploys_drafts(org: Org, options: DeployOptions) -> bool:
    """
    Return whether flows are deployed as drafts: if tests run, an org may refuse an active flow without test coverage.

    A setting of a production org controls this, and the org decides whether it runs tests.
    https://help.salesforce.com/s/articleView?id=platform.flow_distribute_deploy_active.htm
    """
    return not org.identity.sandbox or options.test_level not in {None, "NoTestRun"}


def activate_flows(org: Org, addresses: Sequence[Address], report: Progress) -> None:
    """Activate the newest version of each flow, and delete all but the newest KEPT_VERSIONS. Repeatable."""
    definitions = org.tooling_query(_DEFINITIONS, [address.full_name for address in addresses])
    rows_by_name = {str(row["DeveloperName"]).lower(): row for row in definitions}
    versions: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for version in org.tooling_query(_ALL_VERSIONS, [row["Id"] for row in definitions]) if definitions else ():
        versions[version["DefinitionId"]].append(version)
    for address in addresses:
        definition = rows_by_name.get(address.full_name.lower())
        if definition is None:
            continue
        newest, old = versions[definition["Id"]][0], versions[definition["Id"]][KEPT_VERSIONS:]
        if definition["ActiveVersionId"] != newest["Id"]:
            _activate(org, address, definition["Id"], newest["VersionNumber"])
            report(f"{address}: activated")
        for obsolete in old:
            org.tooling_delete("Flow", obsolete["Id"])
        if old:
            report(f"{address}: {count_noun(len(old), 'old version')} deleted")


def _activate(org: Org, address: Address, definition_id: str, number: int) -> None:
    """Activate a version of a flow; repeat the request if its response is lost."""
    values = {"Metadata": {"activeVersionNumber": number}}
    try:
        repeat_once(partial(org.tooling_update, "FlowDefinition", definition_id, values))
    except OrgError as error:
        hint = "`sfcode apply` activates it. Until then the previous version runs, if there is one."
        raise OrgError(f"{address} is deployed, but not activated: {error.message}", hint, code=error.code) from error


def list_versions(org: Org, address: Address) -> dict[int, str]:
    """Return the IDs of all versions of a flow, by version number."""
    return {
        row["VersionNumber"]: row["Id"]
        for definition in org.tooling_query(_DEFINITION, address.full_name)
        for row in org.tooling_query(_VERSIONS, definition["Id"])
    }


def delete_versions(org: Org, address: Address, numbers: Collection[int]) -> int:
    """Delete inactive versions of a flow; return their number. Repeatable."""
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
