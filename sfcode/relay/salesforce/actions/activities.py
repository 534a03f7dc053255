"""Log an event as an activity of the matched record: an Event, a Task, or a record of a custom object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping import naming
from sfcode.mapping.limits import TEXT_LENGTH
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.actions.action import ActionError, EventAction, PlanContext, RecordWrite, Row
from sfcode.relay.salesforce.event_reader import CLICK_TO_TRACK, AppcuesEvent, score_name
from sfcode.relay.salesforce.text_limits import cut
from sfcode.relay.salesforce.texts import ActivityTemplates, TemplateFailedError, compile_texts

MINUTES = 1
"""Duration of an Event in Salesforce, in minutes: calendars do not show a shorter one."""
"""Characters of an external ID field."""
NAME = 80
"""The maximum length of a custom object's name field."""
_PLAIN = re.compile(r"[\w.@+/=:-]+", re.ASCII)

BuildFields = Callable[[AppcuesEvent, str, str], dict[str, Any]]
"""Returns the fields of an activity from its event, subject and comment."""


@dataclass(frozen=True, slots=True)
class ActivityKind:
    """The object of a project's activities, and its fields."""

    object: str
    external_id: str
    build_fields: BuildFields
    event_field: str = ""
    """The field for the name of the event in the config; "" if the object does not have one."""
    item_field: str = ""
    """The field for the name of the flow, survey, checklist or goal."""


@dataclass(frozen=True, slots=True)
class Activities(EventAction):
    """
    Upserts the activities of an event that the mapping configures, with texts from `events.yaml`.

    Past events are ignored: the activities of years would appear at once.
    """

    mapping: str
    link: str
    """The lookup field of an activity to the record."""
    kind: ActivityKind
    texts: Mapping[str, ActivityTemplates]
    activities: Mapping[str, frozenset[str]]
    """The names and IDs of the items to log, by event; an empty set means all items."""
    click_to_track: frozenset[str] = frozenset()
    id_name: str = ""
    """The mapping's first name in lower case, which external IDs contain, so that a repeated delivery updates the same activity."""

    def handles(self, event: AppcuesEvent) -> bool:
        """Return whether the mapping lists one of the event's activities."""
        return bool(self._list_activities(event))

    def state_names(self, event: AppcuesEvent, record_id: str, _related: Sequence[Row] = (), /) -> Iterable[str]:  # noqa: ARG002 (the interface of EventAction)
        """Return the name of the user's newest score, which the text of a later feedback may contain."""
        return [score_name(event.user_id)] if event.is_late_feedback else []

    def written_states(self, event: AppcuesEvent, record_id: str, _related: Sequence[Row] = (), /) -> Iterable[str]:  # noqa: ARG002 (the interface of EventAction)
        """Return no states, since the record of an activity is the same even if it is written late."""
        return ()

    def plan(self, event: AppcuesEvent, context: PlanContext) -> list[RecordWrite]:
        """Return an upsert for each activity of the event that the mapping lists."""
        return [self._write(event, activity, context) for activity in self._list_activities(event)]

    def _list_activities(self, event: AppcuesEvent) -> list[str]:
        if event.name == CLICK_TO_TRACK:
            return [CLICK_TO_TRACK] if event.message.kind in self.click_to_track else []
        return [activity for activity in event.activities if self._counts(activity, event)]

    def _counts(self, activity: str, event: AppcuesEvent) -> bool:
        items = self.activities.get(activity)
        return items is not None and (not items or not items.isdisjoint(event.item))

    def _write(self, event: AppcuesEvent, activity: str, context: PlanContext) -> RecordWrite:
        try:
            subject, comment = self.texts[activity].render(lambda name: _value(event, name, context.latest))
        except TemplateFailedError as error:
            raise ActionError("bad_text", f"the texts of {event.name} cannot be rendered: {error}") from error
        fields = {self.link: context.record_id, **self.kind.build_fields(event, subject, comment)}
        if self.kind.event_field:
            fields[self.kind.event_field] = activity
        if self.kind.item_field:
            item = event.item[0] if event.item else event.message.kind if event.name == CLICK_TO_TRACK else ""
            fields[self.kind.item_field] = cut(item, TEXT_LENGTH) or None
        id_ = external_id(event.message_id, self.id_name or self.mapping, activity)
        return RecordWrite(self.mapping, "upsert", self.kind.object, self.kind.external_id, id_, fields)


def log_activities(project: Project, mapping: ResolvedMapping) -> Activities | None:
    """Return the action for a mapping's `to_salesforce.activities` and `click_to_track`; None if it has neither."""
    if not (mapping.activities or mapping.click_to_track):
        return None
    return Activities(
        mapping.name,
        mapping.link_field,
        activity_kind(project, logs_items=mapping.logs_items),
        compile_texts(project.events.activities),
        {event.name: event.items for event in mapping.activities},
        frozenset(event.name for event in mapping.click_to_track),
        mapping.names[-1],
    )


def activity_kind(project: Project, *, logs_items: bool = False) -> ActivityKind:
    """Return the object of activities, by `relay.activities_as` and the recipes."""
    prefix = project.settings.name
    key = naming.event_id_field(prefix)
    event, item = naming.item_fields(prefix) if logs_items else ("", "")
    if project.settings.relay.activities_as == "event":
        return ActivityKind("Event", key, _event_fields, event, item)
    if project.settings.relay.activities_as == "task":
        return ActivityKind("Task", key, _task_fields, event, item)
    # The custom object stores the name of the event for every activity.
    return ActivityKind(naming.activities(prefix), key, lambda *parts: _custom_fields(prefix, *parts), item_field=item)


def external_id(message_id: str, mapping: str, activity: str) -> str:
    """
    Return the external ID of an activity, which is the same for each delivery of its message.

    Message IDs that are too long, or that Salesforce might change (it strips blanks), are hashed.
    """
    plain = f"{message_id}:{mapping}:{activity}"
    if _PLAIN.fullmatch(plain) and len(plain) <= TEXT_LENGTH:
        return plain
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256-{digest}:{mapping}:{activity}"


def _value(event: AppcuesEvent, name: str, latest: Mapping[str, LatestState]) -> object:
    """Return the value of a template variable; the score of a late feedback is that of the same answer."""
    if name == "score" and event.is_late_feedback:
        score = latest.get(score_name(event.user_id))
        return score.value if score is not None and score.stamp <= event.stamp else None
    return event.value(name)


def _event_fields(event: AppcuesEvent, subject: str, comment: str) -> dict[str, Any]:
    start = _datetime(event)
    return {"Subject": subject, "Description": comment, "StartDateTime": start, "DurationInMinutes": MINUTES}


def _task_fields(event: AppcuesEvent, subject: str, comment: str) -> dict[str, Any]:
    day = f"{event.time:%Y-%m-%d}"
    return {"Subject": subject, "Description": comment, "ActivityDate": day, "Status": "Completed"}


def _custom_fields(prefix: str, event: AppcuesEvent, subject: str, comment: str) -> dict[str, Any]:
    values = {
        "Subject": subject,
        "Comment": comment,
        "Event": cut(event.message.kind, TEXT_LENGTH),
        "Time": _datetime(event),
    }
    fields = {naming.activity_field(prefix, name): value for name, value in values.items()}
    return {"Name": cut(subject, NAME), **fields}


def _datetime(event: AppcuesEvent) -> str:
    return f"{event.time:%Y-%m-%dT%H:%M:%S}.{event.time.microsecond // 1000:03d}Z"
