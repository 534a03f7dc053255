"""The generated fields: text user IDs, NPS answers, and the external ID of activities."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.project import Project
from sfcode.generate.template_context import Blueprint, CustomFieldView, origin
from sfcode.mapping import naming
from sfcode.mapping.field_types import USER_ID_FORMULAS
from sfcode.mapping.fields import Fields
from sfcode.mapping.limits import TEXT_LENGTH
from sfcode.mapping.naming import MANAGED
from sfcode.mapping.place import Place
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Address


def custom_fields(mapping: ResolvedMapping, fields: Fields) -> Iterator[Blueprint]:
    """Return the generated fields of a mapping's object."""
    if mapping.source is not None:
        source = fields.get(mapping.source.field)
        # A field of unknown type is assumed to be a number, since the config requires one.
        source_type = source.type if source and source.type in USER_ID_FORMULAS else "double"
        view = CustomFieldView(
            kind="user_id",
            object=mapping.object,
            name=mapping.user_id.field,
            label=naming.label(mapping.user_id.field),
            description=f"{MANAGED} The Appcues user id: {mapping.source.field} as text, blank where it is blank.",
            formula=USER_ID_FORMULAS[source_type].format(field=mapping.source.field),
        )
        yield field_blueprint(view, mapping.user_id.place, {mapping.source.field: mapping.source.place})
    for target in mapping.targets:
        if target.create:
            view = CustomFieldView(
                kind=target.value.created.kind,
                object=mapping.object,
                name=target.field,
                label=naming.label(target.field),
                description=f"{MANAGED} {target.value.created.description}",
                length=target.value.created.length,
            )
            yield field_blueprint(view, target.place, {})


def event_id_field(project: Project) -> Blueprint | None:
    """
    Return the external ID field by which the relay recognizes activities that it has written.

    Event and Task share the field, since their custom fields belong to Activity. Only mappings of the relay have it: Appcues'
    own connector does not use it.
    """
    mapping = next((mapping for mapping in project.resolved if mapping.by_relay and mapping.activities_place), None)
    if mapping is None or mapping.activities_place is None:
        return None
    name = naming.event_id_field(project.settings.name)
    owner = mapping.activity_object
    view = CustomFieldView(
        kind="event_id",
        object=owner if owner and naming.is_custom(owner) else "Activity",
        name=name,
        label=naming.label(name),
        description=f"{MANAGED} The Appcues event behind this activity, so that none is written twice.",
        length=TEXT_LENGTH,
    )
    return field_blueprint(view, mapping.activities_place, {})


def field_blueprint(view: CustomFieldView, place: Place, mentioned: dict[str, Place]) -> Blueprint:
    """Return a field, with the names that the org's messages may use for it."""
    address = Address("CustomField", f"{view.object}.{view.name}")
    tokens = {address.full_name: place, view.name: place}
    for name, position in mentioned.items():
        tokens |= {f"{view.object}.{name}": position, name: position}
    origins = (*(origin(address, token, position) for token, position in tokens.items()), origin(address, "", place))
    return Blueprint(address, view, place, origins)
