"""The data flows of a project, as a plan shows them: which field becomes which attribute, and what returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sfcode.config.project import Project
from sfcode.mapping.events import NPS_EVENTS
from sfcode.mapping.resolved import ResolvedMapping


@dataclass(frozen=True, slots=True)
class FlowOfData:
    """The data flow of one mapping: pairs of source and target, and the transport."""

    mapping: str
    object: str
    match: str
    """user or group: what a record is in Appcues."""
    sent: tuple[tuple[str, str], ...]
    """Salesforce field and Appcues attribute, the id first."""
    senders: tuple[str, ...]
    """What notices a change and sends it, in order."""
    written: tuple[tuple[str, str], ...]
    """Appcues event, and the Salesforce field or object that it becomes."""
    carrier: str
    """The transport between both sides: the relay, or Appcues' own connector."""
    selected: tuple[int, int] | None = None
    """The numbers of records that match `where`, and of those with a user ID; None without `where`, or if they are unknown."""


def data_flows(project: Project, selected: Mapping[str, tuple[int, int]]) -> tuple[FlowOfData, ...]:
    """List the data flows of all mappings; `selected` has the records that fit `where`, by mapping."""
    return tuple(_flow(mapping, selected.get(mapping.name)) for mapping in project.resolved)


def _flow(mapping: ResolvedMapping, selected: tuple[int, int] | None) -> FlowOfData:
    pairs = [
        (mapping.user_id.field, f"{mapping.match} id"),
        *((use.field, use.attribute) for use in mapping.attributes),
    ]
    name = mapping.developer_name
    trigger = f"{'Flow' if mapping.trigger == 'flow' else 'Workflow rule'} {name}"
    return FlowOfData(
        mapping=mapping.name,
        object=mapping.object,
        match=mapping.match,
        sent=tuple(pairs) if mapping.sends else (),
        senders=(trigger, f"Message {name}") if mapping.sends and mapping.by_relay else (),
        written=tuple(_list_written(mapping)),
        carrier="Relay" if mapping.by_relay else "Appcues' connector",
        selected=selected,
    )


def _list_written(mapping: ResolvedMapping) -> Iterator[tuple[str, str]]:
    for target in mapping.targets:
        yield NPS_EVENTS[target.kind], f"{mapping.object}.{target.field}"
    if mapping.activity_object:
        yield from ((event.name, mapping.activity_object) for event in (*mapping.activities, *mapping.click_to_track))
