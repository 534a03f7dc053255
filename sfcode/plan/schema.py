"""The objects and fields of the org that generation needs."""

from __future__ import annotations

from dataclasses import replace

from sfcode.config.mapping_models import Mapping
from sfcode.config.project import Project
from sfcode.mapping.activities import ACTIVITY_OBJECTS
from sfcode.mapping.field_types import describe_type
from sfcode.mapping.naming import is_same_name
from sfcode.mapping.org_features import EDITIONS_WITH_OUTBOUND_MESSAGES
from sfcode.metadata.component import Component
from sfcode.metadata.objects import Field, OrgSchema
from sfcode.org import Org, OrgTraits


def read_org_traits(org: Org, project: Project) -> OrgTraits:
    """Read the org's traits, and describe the objects of the mappings, in one request."""
    objects = {mapping.spec.object for mapping in project.mappings}
    activities = {mapping.activity_object for mapping in project.resolved if mapping.activity_object}
    return org.read_traits(objects | activities | set(ACTIVITY_OBJECTS))


def org_schema(org: Org, project: Project) -> tuple[OrgSchema, tuple[str, ...]]:
    """
    Return the described objects of the mappings, and warnings about them and about the org's edition.

    A describe omits fields that the signed-in user cannot read. Custom fields of the project that the describe
    omits are read from the metadata, which ignores field access. If a field is found there, a warning states that the
    user cannot read it.
    """
    specs = [mapping.spec for mapping in project.mappings]
    schema = org.traits.schema
    missing: dict[str, set[str]] = {}
    for spec in specs:
        target = schema.objects.get(spec.object)
        if target is None:
            continue
        missing.setdefault(spec.object, set()).update(
            name for name in _existing_fields(spec) if name.endswith("__c") and name not in target.fields
        )
    full_names = sorted(f"{object_name}.{name}" for object_name, names in missing.items() for name in names)
    components = org.metadata.read_metadata("CustomField", full_names) if full_names else ()
    objects = dict(schema.objects)
    for component in components:
        owner, name = component.full_name.split(".", 1)
        object_name = next(known_name for known_name in objects if is_same_name(known_name, owner))
        target = objects[object_name]
        objects[object_name] = replace(target, fields={**target.fields, name: describe_component(name, component)})
    warnings = tuple(
        f"{component.full_name} exists, but {org.identity.username} has no field access to it; sfcode takes its type "
        "from the metadata"
        for component in components
    )
    return replace(schema, objects=objects), (*_warn_of_edition(project, org), *warnings)


def _existing_fields(spec: Mapping) -> set[str]:
    """Return the fields that a mapping expects to exist: all but the generated ones."""
    fields = {spec.user_id.from_ or spec.user_id.field}
    fields |= {attribute.field for attribute in (spec.to_appcues.attributes if spec.to_appcues else {}).values()}
    targets = spec.to_salesforce.targets if spec.to_salesforce else ()
    return fields | {target.field for _, target in targets if not target.create}


def describe_component(name: str, component: Component) -> Field:
    """Convert the metadata of a field to its describe."""
    kind = str(component.body.get("type", ""))
    calculated = "formula" in component.body
    return Field(
        name,
        describe_type(kind),
        label=str(component.body.get("label", name)),
        custom=True,
        required=component.body.get("required") is True,
        calculated=calculated,
        updateable=not calculated,
    )


def _warn_of_edition(project: Project, org: Org) -> tuple[str, ...]:
    """Warn if the org's edition has no outbound messages, with which mappings are sent to the relay."""
    edition = org.traits.edition
    senders = [mapping.name for mapping in project.resolved if mapping.sends and mapping.by_relay]
    if not senders or not edition or edition in EDITIONS_WITH_OUTBOUND_MESSAGES:
        return ()
    warning = (
        f"{edition} has no outbound messages, with which {', '.join(senders)} would be sent to the relay: the org will refuse "
        "the deployment. Salesforce has them in Enterprise, Performance, Unlimited and Developer Edition"
    )
    return (warning,)
