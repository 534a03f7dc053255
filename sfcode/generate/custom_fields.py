"""The fields that a project creates: text user ids, NPS answers, and the external id of activities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sfcode.config.project import Project
from sfcode.generate.entry_formula import text_formula
from sfcode.generate.template_context import OWNED, Blueprint, CustomFieldView, origin
from sfcode.mapping import naming
from sfcode.mapping.resolved import Exchange, Place, activity_object
from sfcode.metadata.component import Address

_NPS = {
    "score": "The latest NPS score of this person in Appcues, 0 to 10.",
    "feedback": "The latest NPS feedback of this person in Appcues.",
}


def custom_fields(one: Exchange) -> Iterator[Blueprint]:
    """Describe the fields that a mapping adds to its object."""
    if one.source is not None:
        view = CustomFieldView(
            kind="user_id",
            object=one.object,
            name=one.user_id.field,
            label=naming.label(one.user_id.field),
            description=f"{OWNED} The Appcues user id: {one.source.field} as text, blank where it is blank.",
            formula=text_formula(one.source.field),
        )
        yield field_blueprint(view, one.user_id.place, {one.source.field: one.source.place})
    for target in one.targets:
        if target.create:
            view = CustomFieldView(
                kind=f"nps_{target.kind}",
                object=one.object,
                name=target.field,
                label=naming.label(target.field),
                description=f"{OWNED} {_NPS[target.kind]}",
            )
            yield field_blueprint(view, target.place, {})


def event_id_field(project: Project, exchanges: Iterable[Exchange]) -> Blueprint | None:
    """
    Describe the field by which the relay recognises an activity it has already written.

    Event and Task share it: a custom field of either lives on Activity. Appcues' own connector does
    not know it, so it is there only for mappings that the relay serves.
    """
    served = [one for one in exchanges if one.activities is not None and one.by_relay]
    if not served or served[0].activities is None:
        return None
    name = naming.event_id_field(project.settings.name)
    owner = activity_object(project, served[0])
    view = CustomFieldView(
        kind="event_id",
        object=owner if owner and naming.is_custom(owner) else "Activity",
        name=name,
        label=naming.label(name),
        description=f"{OWNED} The Appcues event behind this activity, so that none is written twice.",
    )
    return field_blueprint(view, served[0].activities, {})


def field_blueprint(view: CustomFieldView, place: Place, mentioned: dict[str, Place]) -> Blueprint:
    """Describe a field, with the names by which an org may speak of it."""
    address = Address("CustomField", f"{view.object}.{view.name}")
    tokens = {address.full_name: place, view.name: place}
    for name, where in mentioned.items():
        tokens |= {f"{view.object}.{name}": where, name: where}
    origins = (*(origin(address, token, where) for token, where in tokens.items()), origin(address, "", place))
    return Blueprint(address, view, place, origins)
