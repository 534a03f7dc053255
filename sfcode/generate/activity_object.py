"""The custom object for activities: its fields and its lookups."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.names import FIELD_LIMIT
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.generate.custom_fields import field_blueprint
from sfcode.generate.template_context import Blueprint, CustomFieldView, CustomObjectView, origin
from sfcode.mapping import naming
from sfcode.mapping.activities import OWN_FIELDS, own_activities
from sfcode.mapping.naming import MANAGED
from sfcode.metadata.component import Address


def blueprints(project: Project) -> Iterator[Blueprint]:
    """Return the object and its fields, except the external ID field, which every project has."""
    mappings = own_activities(project.resolved)
    if not mappings:
        return
    prefix, place = project.settings.name, mappings[0].place("to_salesforce")
    name = naming.activities(prefix)
    label = naming.label(name)
    address = Address("CustomObject", name)
    view = CustomObjectView(
        name,
        label,
        f"{label.removesuffix('y')}ies",
        "Name",
        f"{MANAGED} Activities of people in Appcues, each with its record.",
    )
    yield Blueprint(address, view, place, (origin(address, name, place), origin(address, "", place)))
    for label, own in OWN_FIELDS.items():
        field = CustomFieldView(
            own.kind,
            name,
            naming.activity_field(prefix, label),
            label,
            f"{MANAGED} {own.description}",
            length=own.length,
        )
        yield field_blueprint(field, place, {})
    for lookup, mapping in {mapping.link_field: mapping for mapping in reversed(mappings)}.items():
        field = CustomFieldView(
            "lookup",
            name,
            lookup,
            naming.label(mapping.object),
            f"{MANAGED} The {naming.label(mapping.object)} that it is about.",
            reference_to=mapping.object,
            relationship=naming.activities(prefix).removesuffix("__c"),
        )
        yield field_blueprint(field, mapping.place("object"), {mapping.object: mapping.place("object")})


def problems(project: Project) -> Iterator[Diagnostic]:
    """Find lookups that cannot be created: names that are too long, or that two objects share."""
    objects: dict[str, str] = {
        naming.activity_field(project.settings.name, name).lower(): "another field" for name in OWN_FIELDS
    }
    for mapping in own_activities(project.resolved):
        field = mapping.link_field
        owner = objects.setdefault(field.lower(), mapping.object)
        hint = "set `activities_as` to `event` or `task`"
        if owner != mapping.object:
            text = f"activities need the lookup {field} to {mapping.object}, and {field} is {owner} already"
            yield mapping.place("object").problem(text, hint)
        elif len(field.removesuffix("__c")) > FIELD_LIMIT:
            text = f"activities need the lookup {field} to {mapping.object}, which is longer than Salesforce allows"
            yield mapping.place("object").problem(text, hint)
