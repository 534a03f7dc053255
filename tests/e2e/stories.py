"""Changes of a project and its org between two applies, as values for tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sfcode.local import LocalOrg
from sfcode.metadata.component import Address, Component
from tests.e2e.journey import Journey
from tests.e2e.org import assign, component, deploy, opened

USER = "appcues.integration@example.com.local"
Step = Callable[[Journey, LocalOrg], object]
"""A change of the config or the org."""

MADE, CHANGED, GONE = "create", "update", "delete"


@dataclass(frozen=True)
class Story:
    """One journey: the initial org, the steps, the expected plan, and the result of the apply."""

    name: str
    start: str
    """
    The initial org: `new` (never applied), `applied`, or `visible` (applied, and the administrator can read the
    fields).
    """
    steps: tuple[Step, ...]
    plan: Mapping[str, str]
    """The expected action by address; addresses that are not listed have none."""
    words: tuple[str, ...] = ()
    """Options of the plan and the apply."""
    refused: str = ""
    """The message with which the apply is refused; then the next plan is the same as before."""
    says: tuple[str, ...] = ()
    """Texts that the plan must contain."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Actions of the plan after the apply, by address."""


def edit(file: str, old: str, new: str) -> Step:
    """Change a file of the config."""
    return lambda journey, _: journey.edit(file, old, new)


def remove(file: str) -> Step:
    return lambda journey, _: (journey.folder / "config" / file).unlink()


def move(file: str, to: str) -> Step:
    return lambda journey, _: (journey.folder / "config" / file).rename(journey.folder / "config" / to)


def write(file: str, text: str) -> Step:
    return lambda journey, _: (journey.folder / "config" / file).write_text(text, encoding="utf-8")


def run(*words: str) -> Step:
    """Run a command, which must succeed."""

    def ran(journey: Journey, _: LocalOrg) -> None:
        result = journey.run(*words)
        assert result.code == 0, result.err

    return ran


def put(*components: Component) -> Step:
    """Deploy with another tool."""
    return lambda _, org: deploy(org, *components)


def change(address: str, **values: Any) -> Step:
    """Change a component with another tool."""

    def changed(_: Journey, org: LocalOrg) -> None:
        stored_component = component(org, Address.parse(address))
        assert stored_component is not None, address
        deploy(org, replace(stored_component, body={**stored_component.body, **values}))

    return changed


def without(address: str, element: str, *names: str) -> Step:
    """Remove entries from a component with another tool."""

    def take_over(_: Journey, org: LocalOrg) -> None:
        stored_component = component(org, Address.parse(address))
        assert stored_component is not None, address
        entries = stored_component.body[element]
        assert isinstance(entries, Mapping | list | tuple)
        assert set(names) <= set(entries), (names, entries)
        other_entries = (
            {name: entries[name] for name in entries if name not in names}
            if isinstance(entries, Mapping)
            else [name for name in entries if name not in names]
        )
        deploy(org, replace(stored_component, body={**stored_component.body, element: other_entries}))

    return take_over


def delete(address: str) -> Step:
    return lambda _, org: deploy(org, deleted=(Address.parse(address),))


def set_record(sobject: str, condition: str, **values: Any) -> Step:
    """Change one record."""

    def done(_: Journey, org: LocalOrg) -> None:
        with opened(org) as client:
            client.update(sobject, client.query(f"SELECT Id FROM {sobject} WHERE {condition} LIMIT 1")[0]["Id"], values)

    return done


def delete_record(sobject: str, condition: str) -> Step:
    """Delete one record."""

    def done(_: Journey, org: LocalOrg) -> None:
        with opened(org) as client:
            client.delete(sobject, client.query(f"SELECT Id FROM {sobject} WHERE {condition}")[0]["Id"])

    return done


def deactivate_flow(name: str) -> Step:
    def done(_: Journey, org: LocalOrg) -> None:
        with opened(org) as client:
            (definition,) = client.tooling_query("SELECT Id FROM FlowDefinition WHERE DeveloperName = {}", name)
            client.tooling_update("FlowDefinition", definition["Id"], {"Metadata": {"activeVersionNumber": 0}})

    return done


def assigned(permission_set: str) -> Step:
    """Assign a permission set to the administrator."""

    def done(_: Journey, org: LocalOrg) -> None:
        with opened(org) as client:
            assign(client, permission_set)

    return done
