"""Read the versions of flows that a plan changes or that may refer to components which it deletes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sfcode.mapping.limits import NAMES_PER_QUERY
from sfcode.metadata.component import Address, Body, Component
from sfcode.metadata.normalize import mean_the_same
from sfcode.org import Org
from sfcode.plan.snapshot import FlowVersion

NAMED_BY_FLOWS = {"CustomField", "CustomObject", "WorkflowOutboundMessage"}
"""Types of components that an org does not delete while a version of a flow refers to them."""


def count_flow_versions(
    org: Org, expected: Mapping[Address, Body], observed: Mapping[Address, Component]
) -> dict[Address, int]:
    """Count the versions of existing flows that will change, since a change creates another version."""
    flows = {address.full_name: body for address, body in expected.items() if address.type == "Flow"}
    flows_in_org = {name: observed[address] for name in flows if (address := Address("Flow", name)) in observed}
    changed = [
        name for name, flow in flows_in_org.items() if not mean_the_same(flow, Component("Flow", name, flows[name]))
    ]
    counts: Counter[Address] = Counter()
    for start in range(0, len(changed), NAMES_PER_QUERY):
        soql = "SELECT Definition.DeveloperName FROM Flow WHERE Definition.DeveloperName IN {}"
        rows = org.tooling_query(soql, changed[start : start + NAMES_PER_QUERY])
        counts.update(Address("Flow", str(row["Definition"]["DeveloperName"])) for row in rows)
    return dict(counts)


def read_flow_versions(
    org: Org, managed: Iterable[Address], deleted: list[Component]
) -> dict[Address, tuple[FlowVersion, ...]]:
    """Read the versions of managed flows, only if a component may be deleted that flows can refer to."""
    if not any(component.type in NAMED_BY_FLOWS for component in deleted):
        return {}
    versions: dict[Address, tuple[FlowVersion, ...]] = {}
    for address in sorted(address for address in managed if address.type == "Flow"):
        rows = org.tooling_query(
            "SELECT Id, VersionNumber, Status FROM Flow WHERE Definition.DeveloperName = {}", address.full_name
        )
        bodies = [org.get(f"/services/data/v{org.api_version}/tooling/sobjects/Flow/{row['Id']}") for row in rows]
        versions[address] = tuple(
            FlowVersion(
                row["VersionNumber"],
                row["Status"] == "Active",
                Component("Flow", address.full_name, body.get("Metadata") or {}),
            )
            for row, body in zip(rows, bodies, strict=True)
        )
    return versions
