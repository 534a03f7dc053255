"""The custom object that activities become where a team keeps its calendar clean: its fields, its lookups, its rights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sfcode.config.names import FIELD_LIMIT
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.generate.custom_fields import field_blueprint
from sfcode.generate.template_context import OWNED, Blueprint, CustomFieldView, CustomObjectView, origin
from sfcode.mapping import naming
from sfcode.mapping.resolved import Exchange, link_field
from sfcode.metadata.component import Address
from sfcode.metadata.objects import Field

_FIELDS = {
    "Subject": ("text", "string", "What happened, in one line."),
    "Comment": ("long_text", "textarea", "What happened, in full."),
    "Event": ("text", "string", "The name of the event in Appcues."),
    "Time": ("time", "datetime", "When it happened in Appcues."),
}
"""What is kept besides the lookups and the external id: kind of field, describe type, description."""


def served(project: Project, exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """List the mappings whose activities become records of the project's own object."""
    if project.settings.relay.activities_as != "custom_object":
        return ()
    return tuple(one for one in exchanges if one.activities is not None and one.by_relay)


def field_names(project: Project, exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    """Name the fields that the relay writes, but the external id; none where activities become something else."""
    prefix = project.settings.name
    links = {link_field(project, one) for one in served(project, exchanges)}
    if not links:
        return ()
    return (*(naming.activity_field(prefix, what) for what in _FIELDS), *sorted(links))


def known_fields(project: Project, exchanges: Iterable[Exchange]) -> Iterator[Field]:
    """Say of the object's fields what a describe would."""
    mine = tuple(exchanges)
    prefix = project.settings.name
    types = {naming.activity_field(prefix, what): type_ for what, (_, type_, _) in _FIELDS.items()}
    for name in field_names(project, mine):
        yield Field(name, types.get(name, "reference"), custom=True)
    yield Field(naming.event_id_field(prefix), "string", custom=True)


def blueprints(project: Project, exchanges: Iterable[Exchange]) -> Iterator[Blueprint]:
    """Describe the object and its fields; the external id is among those of every project."""
    mine = served(project, exchanges)
    if not mine:
        return
    prefix, place = project.settings.name, mine[0].place("to_salesforce")
    name = naming.activities(prefix)
    label = naming.label(name)
    address = Address("CustomObject", name)
    view = CustomObjectView(
        name,
        label,
        f"{label.removesuffix('y')}ies",
        "Name",
        f"{OWNED} What people did in Appcues, each about the record that it belongs to.",
    )
    yield Blueprint(address, view, place, (origin(address, name, place), origin(address, "", place)))
    for what, (kind, _, description) in _FIELDS.items():
        field = naming.activity_field(prefix, what)
        made = CustomFieldView(kind, name, field, what, f"{OWNED} {description}")
        yield field_blueprint(made, place, {})
    for field, one in {link_field(project, one): one for one in reversed(mine)}.items():
        made = CustomFieldView(
            "lookup",
            name,
            field,
            naming.label(one.object),
            f"{OWNED} The {naming.label(one.object)} that it is about.",
            reference_to=one.object,
            relationship=naming.activities(prefix).removesuffix("__c"),
        )
        yield field_blueprint(made, one.place("object"), {one.object: one.place("object")})


def problems(project: Project, exchanges: Iterable[Exchange]) -> Iterator[Diagnostic]:
    """Find lookups that cannot be made: names that are too long, or that two objects share."""
    seen: dict[str, str] = {
        naming.activity_field(project.settings.name, what).lower(): "another field" for what in _FIELDS
    }
    for one in served(project, exchanges):
        field = link_field(project, one)
        other = seen.setdefault(field.lower(), one.object)
        hint = "write `activities_as: event` or `task`"
        if other != one.object:
            text = f"activities need the lookup {field} to {one.object}, and {field} is {other} already"
            yield one.place("object").problem(text, hint)
        elif len(field.removesuffix("__c")) > FIELD_LIMIT:
            text = f"activities need the lookup {field} to {one.object}, which is longer than Salesforce allows"
            yield one.place("object").problem(text, hint)
