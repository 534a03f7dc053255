"""The Salesforce objects of activities, and the fields that the relay writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sfcode.mapping import naming
from sfcode.mapping.limits import LONG_TEXT_LENGTH, TEXT_LENGTH
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.mapping.targets import CreatedField
from sfcode.metadata.objects import Field

OWN_FIELDS = {
    "Subject": CreatedField("text", "string", "What happened, in one line.", TEXT_LENGTH),
    "Comment": CreatedField("long_text", "textarea", "What happened, in full.", LONG_TEXT_LENGTH),
    "Event": CreatedField("text", "string", "The name of the event in Appcues.", TEXT_LENGTH),
    "Time": CreatedField("time", "datetime", "When it happened in Appcues."),
}
"""The fields of the custom object besides its lookups and external ID."""

ACTIVITY_OBJECTS = {"Event": "EditEvent", "Task": "EditTask"}
"""The standard objects for activities, which have the custom fields of Activity, and the user permission to write each."""


def own_activities(mappings: Iterable[ResolvedMapping]) -> tuple[ResolvedMapping, ...]:
    """Return the mappings whose activities become records of the project's custom object."""
    return tuple(mapping for mapping in mappings if naming.is_custom(mapping.activity_object or ""))


def written_fields(project: str, mapping: ResolvedMapping) -> tuple[str, ...]:
    """Return the fields of an activity that the relay writes for a mapping, the external ID last; none without activities."""
    if mapping.activity_object is None:
        return ()
    if not mapping.by_relay:
        return ("Description", mapping.link_field)
    if mapping.activity_object in ACTIVITY_OBJECTS:
        day = ("ActivityDate",) if mapping.activity_object == "Task" else ()
        items = naming.item_fields(project) if mapping.logs_items else ()
        return (*day, *items, "Description", mapping.link_field, naming.event_id_field(project))
    names = [naming.activity_field(project, name) for name in OWN_FIELDS]
    if mapping.logs_items:
        names.append(naming.item_field(project))
    return (*names, mapping.link_field, naming.event_id_field(project))


def own_fields(project: str, mappings: Sequence[ResolvedMapping]) -> Iterator[Field]:
    """Yield the fields of the project's custom object for activities as a describe would; none if there is no such object."""
    links = sorted({mapping.link_field for mapping in own_activities(mappings)})
    if not links:
        return
    for name, field in OWN_FIELDS.items():
        yield Field(naming.activity_field(project, name), field.type, custom=True)
    for link in links:
        yield Field(link, "reference", custom=True)
    if any(mapping.logs_items for mapping in own_activities(mappings)):
        yield Field(naming.item_field(project), "string", custom=True)
    yield Field(naming.event_id_field(project), "string", custom=True)
