"""The record that an event becomes: an Event, a Task, or one of the project's own object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sfcode.config.project import Project
from sfcode.mapping import naming
from sfcode.relay.salesforce.event_reader import EventWork, RecordTarget
from sfcode.relay.salesforce.text_limits import cut

MINUTES = 1
"""How long an Event lasts: what happened has no length, and no calendar shows less."""
EXTERNAL_ID = 255
NAME = 80
_PLAIN = re.compile(r"[\w.@+/=:-]+", re.ASCII)

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ActivityKind:
    """What activities become in this project: the object, its external id, and its other fields."""

    object: str
    external_id: str
    fields: Callable[[EventWork, str, str], Record]
    """Makes them of the event, its subject and its comment."""

    def record(
        self, work: EventWork, want: RecordTarget, activity: str, record_id: str, texts: tuple[str, str]
    ) -> Record:
        """Make the record of one activity."""
        return {
            "attributes": {"type": self.object},
            self.external_id: external_id(work.message.message_id, want.destination.name, activity),
            want.destination.link: record_id,
            **self.fields(work, *texts),
        }


def activity_kind(project: Project) -> ActivityKind:
    """Tell what activities become in a project."""
    prefix = project.settings.name
    key = naming.event_id_field(prefix)
    if project.settings.relay.activities_as == "event":
        return ActivityKind("Event", key, _event)
    if project.settings.relay.activities_as == "task":
        return ActivityKind("Task", key, _task)
    return ActivityKind(naming.activities(prefix), key, lambda *made: _own(prefix, *made))


def external_id(message_id: str, mapping: str, activity: str) -> str:
    """
    Name an activity so that it is written once, however often its message is delivered.

    Ids that are long, or that Salesforce might change on their way (it takes blanks off the ends), are hashed.
    """
    plain = f"{message_id}:{mapping}:{activity}"
    if _PLAIN.fullmatch(plain) and len(plain) <= EXTERNAL_ID:
        return plain
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256-{digest}:{mapping}:{activity}"


def _event(work: EventWork, subject: str, comment: str) -> Record:
    start = _moment(work)
    return {"Subject": subject, "Description": comment, "StartDateTime": start, "DurationInMinutes": MINUTES}


def _task(work: EventWork, subject: str, comment: str) -> Record:
    day = f"{work.time:%Y-%m-%d}"
    return {"Subject": subject, "Description": comment, "ActivityDate": day, "Status": "Completed"}


def _own(prefix: str, work: EventWork, subject: str, comment: str) -> Record:
    values = {"Subject": subject, "Comment": comment, "Event": cut(work.message.kind, 255), "Time": _moment(work)}
    fields = {naming.activity_field(prefix, what): value for what, value in values.items()}
    return {"Name": cut(subject, NAME), **fields}


def _moment(work: EventWork) -> str:
    return f"{work.time:%Y-%m-%dT%H:%M:%S}.{work.time.microsecond // 1000:03d}Z"
