"""The data flows of a project for a plan: fields to attributes, and events back to Salesforce."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf

from sfcode.config.base import ValidationError
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Settings
from sfcode.config.project import Project
from sfcode.config.relay_models import Relay
from sfcode.config.resolve import resolve_mapping
from sfcode.diagnostics import Position
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Body, Value

RELAY = "Relay"


@dataclass(frozen=True, slots=True)
class FlowOfData:
    """The data flow of one mapping: pairs of source and target, and the transport."""

    mapping: str
    object: str
    match: str
    """The kind of profile in Appcues: user or group."""
    sent: tuple[tuple[str, str], ...]
    """Pairs of Salesforce field and Appcues attribute, the ID first."""
    senders: tuple[str, ...]
    """The components that detect a change and send it, in order."""
    written: tuple[tuple[str, str], ...]
    """Pairs of Appcues event, and the Salesforce field or object that it is written to."""
    carrier: str
    """The transport between both sides: the relay, or Appcues' own connector."""
    selected: tuple[int, int] | None = None
    """The number of records that match `where`, and the number of those with a user ID; None without `where` or if unknown."""

    @property
    def by_relay(self) -> bool:
        """Whether the relay is the transport."""
        return self.carrier == RELAY


def data_flows(project: Project, selected: MappingOf[str, tuple[int, int]]) -> tuple[FlowOfData, ...]:
    """List the data flows of all mappings; `selected` has the numbers of records that match `where`, by mapping."""
    return tuple(_flow(mapping, selected.get(mapping.name)) for mapping in project.resolved)


def recorded_data_flows(relay_config: Body) -> tuple[FlowOfData, ...] | None:
    """Return the data flows of a relay config that an apply recorded; None if this version cannot read it."""
    # Settings that only concern the org are not recorded, and not part of data flows.
    relay = {**_entries(relay_config.get("relay")), "url": "http://127.0.0.1"}
    try:
        settings = Settings.model_construct(name=relay_config["name"], relay=Relay.model_validate(relay))
        mappings = [
            resolve_mapping(name, Mapping.model_validate(spec), {(): Position(name, 1, 1)}, settings)
            for name, spec in _entries(relay_config["mappings"]).items()
        ]
    except (ValidationError, KeyError):
        return None
    return tuple(_flow(mapping, None) for mapping in mappings)


def _entries(value: Value) -> dict[str, Value]:
    return dict(value) if isinstance(value, dict) else {}


def _flow(mapping: ResolvedMapping, selected: tuple[int, int] | None) -> FlowOfData:
    pairs = [
        (mapping.user_id.field, f"{mapping.match} ID"),
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
        carrier=RELAY if mapping.by_relay else "Appcues' connector",
        selected=selected,
    )


def _list_written(mapping: ResolvedMapping) -> Iterator[tuple[str, str]]:
    for target in mapping.targets:
        yield target.value.events[0], f"{mapping.object}.{target.field}"
    if mapping.activity_object:
        yield from ((event.name, mapping.activity_object) for event in (*mapping.activities, *mapping.click_to_track))
