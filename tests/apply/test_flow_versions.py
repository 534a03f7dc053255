"""Versions of flows: which one is activated, how many are kept, and the order in which a flow is deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sfcode.apply.flows import KEPT_VERSIONS, activate_flows, delete_versions, list_versions, remove_flow
from sfcode.metadata.component import Address

FLOW = Address("Flow", "Appcues_contact")


@dataclass
class ToolingOrg:
    """The Tooling API of an org with one flow, or none."""

    versions: int
    active: int | None
    done: list[tuple[str, str, Any]] = field(default_factory=list)

    def tooling_query(self, soql: str, value: str | list[str]) -> list[dict[str, Any]]:
        (value,) = value if isinstance(value, list) else [value]
        if "FROM FlowDefinition" in soql:
            assert value == FLOW.full_name
            active = f"301{self.active}" if self.active else None
            return [{"Id": "300", "DeveloperName": value, "ActiveVersionId": active}] if self.versions else []
        assert value == "300"
        assert soql.endswith("ORDER BY VersionNumber DESC")
        numbers = range(self.versions, 0, -1)
        return [{"Id": f"301{number}", "DefinitionId": "300", "VersionNumber": number} for number in numbers]

    def tooling_update(self, type_: str, id_: str, values: dict[str, Any]) -> None:
        self.done.append(("update", f"{type_} {id_}", values["Metadata"]["activeVersionNumber"]))

    def tooling_delete(self, type_: str, id_: str) -> None:
        self.done.append(("delete", f"{type_} {id_}", None))


def settled(org: ToolingOrg) -> list[str]:
    lines: list[str] = []
    activate_flows(org, [FLOW], lines.append)  # type: ignore[arg-type]
    return lines


@pytest.mark.parametrize(
    ("versions", "active", "activated"), [(3, 3, False), (3, 2, True), (3, None, True), (0, None, False)]
)
def test_the_newest_version_is_activated_unless_it_is_active(
    versions: int, active: int | None, activated: bool
) -> None:
    org = ToolingOrg(versions, active)
    assert settled(org) == ["Flow:Appcues_contact: activated"] * activated
    assert org.done == ([("update", "FlowDefinition 300", versions)] if activated else [])


def test_only_the_newest_versions_are_kept() -> None:
    org = ToolingOrg(KEPT_VERSIONS + 3, KEPT_VERSIONS + 3)
    assert settled(org) == ["Flow:Appcues_contact: 3 old versions deleted"]
    assert [version for _, version, _ in org.done] == ["Flow 3013", "Flow 3012", "Flow 3011"]
    small_org = ToolingOrg(KEPT_VERSIONS, KEPT_VERSIONS)
    assert (settled(small_org), small_org.done) == ([], [])


def test_an_old_active_version_is_deleted_once_the_newest_is_active() -> None:
    org = ToolingOrg(KEPT_VERSIONS + 1, 1)
    assert [line.partition(": ")[2] for line in settled(org)] == ["activated", "1 old version deleted"]
    assert [how for how, _, _ in org.done] == ["update", "delete"]


def test_a_flow_is_deactivated_before_its_versions_are_deleted() -> None:
    org = ToolingOrg(2, 2)
    assert remove_flow(org, FLOW) == 2  # type: ignore[arg-type]
    assert org.done == [
        ("update", "FlowDefinition 300", 0),
        ("delete", "Flow 3012", None),
        ("delete", "Flow 3011", None),
    ]
    asleep = ToolingOrg(1, None)
    assert remove_flow(asleep, FLOW) == 1  # type: ignore[arg-type]
    assert asleep.done == [("delete", "Flow 3011", None)]
    assert remove_flow(ToolingOrg(0, None), FLOW) == 0  # type: ignore[arg-type]


def test_versions_are_found_by_their_numbers() -> None:
    org = ToolingOrg(3, 3)
    assert list_versions(org, FLOW) == {3: "3013", 2: "3012", 1: "3011"}  # type: ignore[arg-type]
    assert delete_versions(org, FLOW, [1, 2, 9]) == 2  # type: ignore[arg-type]
    assert [version for _, version, _ in org.done] == ["Flow 3012", "Flow 3011"]
