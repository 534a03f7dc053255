"""The targets of pauses: a direction, or a mapping of the config."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox import Filter
from sfcode.relay.inbox.pauses import Scope

if TYPE_CHECKING:
    from sfcode.config.project import Project

SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class PauseTarget:
    """Something that can be paused."""

    scope: Scope
    name: str
    title: str
    messages: Filter | None
    """
    The filter that counts the waiting messages; None if a mapping receives events, since their mapping is only known at
    delivery.
    """

    @property
    def value(self) -> str:
        """The value by which forms identify the target."""
        return f"{self.scope}:{self.name}"


def list_targets(project: Project) -> list[PauseTarget]:
    """Return the directions and mappings of a project that can be paused."""
    directions = [
        PauseTarget("direction", "salesforce", "deliveries to Salesforce", Filter(source="appcues")),
        PauseTarget("direction", "appcues", "deliveries to Appcues", Filter(source="salesforce")),
    ]
    mappings = [
        PauseTarget(
            "mapping",
            mapping.name,
            f"mapping {mapping.name}",
            None if mapping.receives else Filter(source="salesforce", kind=mapping.name),
        )
        for mapping in project.resolved
        if mapping.by_relay
    ]
    return [*directions, *mappings]


def read_target(value: str, project: Project) -> PauseTarget | None:
    """Return the target of a form's value; None if there is no such target."""
    return next((target for target in list_targets(project) if target.value == value), None)
