"""Write the newest NPS score and feedback to fields of the matched record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.limits import LONG_TEXT_LENGTH
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.mapping.targets import NPS_KINDS
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.actions.action import EventAction, FieldName, PlanContext, RecordWrite, Row
from sfcode.relay.salesforce.event_reader import AppcuesEvent
from sfcode.relay.salesforce.text_limits import cut
from sfcode.relay.state_names import name_record_state


@dataclass(frozen=True, slots=True)
class NpsFields(EventAction):
    """
    Updates `score` and `feedback` of a record, never to the value of an older event.

    Past events are ignored, since the fields contain the newest answer.
    """

    mapping: str
    object: str
    fields: Mapping[str, str]
    """The names of the fields, by the answer that each contains: `score` or `feedback`."""
    created: frozenset[str] = frozenset()
    """The fields of `fields` that sfcode created."""
    if_blank: frozenset[str] = frozenset()
    """The fields of `fields` that are written only if they are blank."""

    @property
    def fields_to_measure(self) -> frozenset[FieldName]:
        """The feedback field, unless sfcode created it."""
        feedback = self.fields.get("feedback")
        return frozenset({(self.object, feedback)} if feedback and feedback not in self.created else ())

    @property
    def fields_to_read(self) -> tuple[str, ...]:
        """The fields whose existing value is kept."""
        return tuple(sorted(self.if_blank))

    def handles(self, event: AppcuesEvent) -> bool:
        """Return whether the event is an answer that the mapping stores."""
        return bool(self.fields) if event.problem else any(kind in event.answers for kind in self.fields)

    def state_names(self, event: AppcuesEvent, record_id: str, _related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the names of the states with the newest delivered values of the record."""
        kinds = [kind for kind in event.answers if kind in self.fields]
        return [
            *(field_state_name(self.object, record_id, self.fields[kind]) for kind in kinds),
            *(legacy_name(self.mapping, record_id, kind) for kind in kinds),
        ]

    def written_states(self, event: AppcuesEvent, record_id: str, _related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the names of the states with the newest delivered values of the fields that the event answers."""
        fields = [self.fields[kind] for kind in event.answers if kind in self.fields]
        return [field_state_name(self.object, record_id, field) for field in fields if field not in self.if_blank]

    def plan(self, event: AppcuesEvent, context: PlanContext) -> list[RecordWrite]:
        """Return an update with the answers that are not older than the delivered ones."""
        values: dict[str, int | str] = {}
        newest: dict[str, LatestState] = {}
        for kind, value in event.answers.items():
            if kind not in self.fields:
                continue
            field = self.fields[kind]
            if field in self.if_blank:
                if context.row.get(field) in (None, "") and field not in context.planned:
                    values[field] = self._fit(field, value, context)
                continue
            name = field_state_name(self.object, context.record_id, field)
            names = (name, legacy_name(self.mapping, context.record_id, kind))
            delivered_stamp = max(
                (context.latest[state_name].stamp for state_name in names if state_name in context.latest), default=""
            )
            if delivered_stamp <= event.stamp:
                values[field] = self._fit(field, value, context)
                newest[field] = LatestState(name, event.stamp, json.dumps(values[field]))
        return (
            [RecordWrite(self.mapping, "update", self.object, "Id", context.record_id, values, newest)]
            if values
            else []
        )

    def _fit(self, field: str, value: int | str, context: PlanContext) -> int | str:
        limit = LONG_TEXT_LENGTH if field in self.created else context.lengths.get((self.object, field))
        return cut(value, limit) if isinstance(value, str) and limit is not None else value


def update_nps_fields(_project: Project, mapping: ResolvedMapping) -> NpsFields | None:
    """Return the action for a mapping's `to_salesforce.nps`; None if it has none."""
    targets = [target for target in mapping.targets if target.value.kind in NPS_KINDS]
    fields = {target.value.kind: target.field for target in targets}
    created = frozenset(target.field for target in targets if target.create)
    if_blank = frozenset(target.field for target in targets if target.if_blank)
    return NpsFields(mapping.name, mapping.object, fields, created, if_blank) if fields else None


def field_state_name(object_: str, record_id: str, field: str) -> str:
    """Return the name of the state with the newest delivered value of a record's field, independent of the mapping's name."""
    return name_record_state("field", object_, record_id, field)


def plan_rewrites(state: LatestState) -> list[RecordWrite]:
    """Return the update that sets a field to its newest delivered value again; none if the value is not known."""
    if not state.value:
        return []
    _, object_, record_id, field = state.name.split(":")
    return [RecordWrite("", "update", object_, "Id", record_id, {field: json.loads(state.value)}, {field: state})]


def legacy_name(mapping: str, record_id: str, kind: str) -> str:
    """Return the name of the state that earlier versions stored, without the value."""
    return name_record_state("nps", mapping, record_id, kind)
