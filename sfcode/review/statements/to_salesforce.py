"""Statements about data to Salesforce: NPS answers, activities, and deleted fields with their values."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.phrases import capitalize, code, join_list, records
from sfcode.checks.risk import LOST
from sfcode.diagnostics import Position
from sfcode.mapping import naming
from sfcode.mapping.events import BY_NAME
from sfcode.mapping.targets import TARGET_VALUES
from sfcode.metadata.component import Address
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context, Half, holds_values

NEW_DATA = "data of Appcues is written to more fields or records"


def to_salesforce_statements(context: Context) -> Iterator[Statement]:
    """Describe writes from Appcues to Salesforce that were added or removed."""
    for pair in context.pairs:
        if pair.after is None:
            continue
        before, after = pair.before, pair.after
        if before and before.mapping.receives and not after.mapping.receives:
            text = f"No data of Appcues will be written to {records(pair.object)} any more"
            yield Statement(Group.WRITTEN, text)
        else:
            yield from _answers(before, after)
            yield from _activities(before, after)


def deleted_field_statements(context: Context, explained_deletions: frozenset[Address]) -> Iterator[Statement]:
    """Describe deleted fields, except those in another statement."""
    for component in context.list_deleted():
        if component.address in explained_deletions or component.type != "CustomField":
            continue
        if holds_values(component):
            text = f"The field {component.full_name} will be deleted, with all values in it"
            yield Statement(Group.WRITTEN, text, Risk.HIGH, LOST)
        else:
            text = f"The formula field {component.full_name} will be deleted; it holds no values"
            yield Statement(Group.WRITTEN, text)


def _answers(before: Half | None, after: Half) -> Iterator[Statement]:
    old = {target.value: target for target in before.mapping.targets} if before else {}
    new = {target.value: target for target in after.mapping.targets}
    for value in TARGET_VALUES:
        words, was, will = value.plural, old.get(value), new.get(value)
        if will is None:
            if was is not None:
                text = f"{words} will no longer be written to {after.mapping.object}.{was.field}"
                yield Statement(Group.WRITTEN, text)
            continue
        full = f"{after.mapping.object}.{will.field}"
        own = ", a field that sfcode creates" if will.create else ", an existing field"
        if was is None:
            text = f"{words} will be written to {full}{own}"
        elif was.field.lower() != will.field.lower():
            text = f"{words} will be written to {full} instead of {after.mapping.object}.{was.field}"
        elif was.create != will.create:
            text = f"{full}, which {words} are written to, will be {own.removeprefix(', ')}"
        else:
            continue
        yield Statement(Group.WRITTEN, text, Risk.MEDIUM, NEW_DATA, will.place.position)


def _activities(before: Half | None, after: Half) -> Iterator[Statement]:
    subject = records(after.mapping.object)
    old, new = _events(before), _events(after)
    for key, (words, _) in old.items():
        if key not in new:
            yield Statement(Group.WRITTEN, capitalize(f"{words} will no longer be written to {subject}"))
    for key, (words, position) in new.items():
        if key not in old:
            is_single = key[0] == "click_to_track"
            text = capitalize(
                f"{words} will be written to {subject} as {_describe_activity(after.activity, is_single=is_single)}"
            )
            yield Statement(Group.WRITTEN, text, Risk.MEDIUM, NEW_DATA, position)
        elif old[key][0] != words:
            text = capitalize(f"{words} will be written to {subject}, instead of {old[key][0]}")
            yield Statement(Group.WRITTEN, text, Risk.MEDIUM, NEW_DATA, position)
    if before and old and new and before.activity != after.activity:
        text = f"What Appcues users do will be written to {subject} as {_describe_activity(after.activity)} instead of {_describe_activity(before.activity)}"
        position = after.project.at("relay", "activities_as")
        yield Statement(Group.WRITTEN, text, Risk.MEDIUM, NEW_DATA, position)


def _describe_activity(activity: str, *, is_single: bool = False) -> str:
    """Return what activities become: `Events`, `a Task`, `records of Appcues_Activity__c`."""
    if naming.is_custom(activity):
        return f"{'a record' if is_single else 'records'} of {activity}"
    return f"{'an' if activity == 'Event' else 'a'} {activity}" if is_single else f"{activity}s"


def _events(half: Half | None) -> dict[tuple[str, str], tuple[str, Position]]:
    """List the events that become activities, with their descriptions and places."""
    if half is None:
        return {}
    events = {}
    for event in half.mapping.activities:
        definition = BY_NAME[event.name]
        of = f" of the {definition.item} {join_list(map(code, sorted(event.items)), 'or')}" if event.items else ""
        events["activities", event.name] = (f"{definition.plural}{of}", event.place.position)
    for event in half.mapping.click_to_track:
        words = f"the click-to-track event {code(event.name)}"
        events["click_to_track", event.name] = (words, event.place.position)
    return events
