"""Read the fields of an integration, including those that the signed-in user cannot see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sfcode.importing.classify import as_text_of, formula
from sfcode.importing.scan_result import Formula, Message, PermissionSetGrants
from sfcode.metadata.component import Component
from sfcode.metadata.objects import Field
from sfcode.metadata.package import read as components_of
from sfcode.org import Org
from sfcode.plan.schema import describe_component

Fields = dict[str, dict[str, Field]]
"""Fields by the names of their object and their own names."""


def retrieve_components(org: Org, type_: str, names: Iterable[str]) -> tuple[Component, ...]:
    """Retrieve components of one type; missing ones are omitted."""
    members = sorted(set(names))
    return components_of(org.metadata.retrieve({type_: members}).files) if members else ()


def read_fields(
    org: Org, objects: Iterable[str], messages: Iterable[Message], sets: Iterable[PermissionSetGrants]
) -> tuple[Fields, dict[str, Formula]]:
    """Describe objects; fields that are not readable but used by a component are read from the metadata."""
    fields: Fields = {described.name: dict(described.fields) for described in org.describe(objects).objects.values()}
    field_names = {f"{message.object}.{field}" for message in messages for field in message.fields}
    field_names |= {f"{name}.{field}" for grants in sets for name in fields for field in grants.fields(name)}
    formulas = {
        f"{name}.{field.name}"
        for name, object_fields in fields.items()
        for field in object_fields.values()
        if field.custom and field.calculated and field.type == "string"
    }
    read = _by_name(retrieve_components(org, "CustomField", _select_hidden(field_names, fields) | formulas))
    _add(fields, read)
    texts = {name: str(field.body["formula"]) for name, field in read.items() if "formula" in field.body}
    sources = {f"{name.partition('.')[0]}.{source}" for name, text in texts.items() if (source := as_text_of(text))}
    _add(fields, _by_name(retrieve_components(org, "CustomField", _select_hidden(sources, fields))))
    return fields, {name: formula(read[name].body, fields[name.partition(".")[0]]) for name in texts}


def _select_hidden(full_names: Iterable[str], fields: Mapping[str, Mapping[str, Field]]) -> set[str]:
    parts = (name.partition(".") for name in full_names)
    return {
        f"{owner}.{name}"
        for owner, _, name in parts
        if name.endswith("__c") and owner in fields and name not in fields[owner]
    }


def _by_name(components: Iterable[Component]) -> dict[str, Component]:
    return {component.full_name: component for component in components if component.type == "CustomField"}


def _add(fields: Fields, read: Mapping[str, Component]) -> None:
    for full_name, component in sorted(read.items()):
        owner, _, name = full_name.partition(".")
        fields[owner].setdefault(name, describe_component(name, component))
