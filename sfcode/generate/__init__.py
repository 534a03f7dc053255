"""From a project to the components and records that it asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError
from sfcode.generate import activity_object, custom_fields, permission_sets, sign_in
from sfcode.generate.check import exchange_problems, object_problem
from sfcode.generate.desired import Desired, Origin
from sfcode.generate.messaging import endpoint_url, message_version, messaging, messaging_warnings
from sfcode.generate.records import records
from sfcode.generate.template_context import Blueprint
from sfcode.generate.templates import TemplateError, Templates
from sfcode.mapping import naming
from sfcode.mapping.field_types import Fields, fields_of
from sfcode.mapping.ownership import existing_problems, taken_on
from sfcode.mapping.resolved import Exchange, exchange
from sfcode.metadata.component import Address, Component
from sfcode.metadata.objects import Field, OrgSchema

__all__ = ["Desired", "Origin", "endpoint_url", "exchange", "generate", "message_version"]


def generate(project: Project, schema: OrgSchema) -> Desired:
    """
    Work out everything that a project asks for.

    The result depends on nothing but the project, its template files and what is known of the org's
    fields. Raises ConfigError with all problems at once.
    """
    exchanges = tuple(exchange(mapping) for mapping in project.mappings)
    fields = _fields(project, exchanges, schema)
    problems = list(_problems(project, exchanges, fields, schema))
    blueprints = tuple(_blueprints(project, exchanges, fields))
    problems.extend(existing_problems(project, {blueprint.address for blueprint in blueprints}))
    components, failures = _rendered(project, blueprints)
    problems.extend(failures)
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    rows, row_origins = records(project)
    advice = tuple(sorted(_warnings(project, exchanges, fields), key=lambda problem: problem.sort_key))
    origins = [*(origin for blueprint in blueprints for origin in blueprint.origins), *row_origins]
    return Desired(
        components=tuple(sorted(components, key=lambda component: component.address)),
        records=rows,
        origins=tuple(sorted(origins, key=_specific_first)),
        warnings=tuple(map(str, advice)),
        advice=advice,
    )


def _fields(project: Project, exchanges: Iterable[Exchange], schema: OrgSchema) -> dict[str, Fields]:
    """Look up the fields of every object concerned, those that are created included."""
    created: dict[str, list[Field]] = defaultdict(list)
    for one in exchanges:
        created[one.object].extend(one.created())
    event_id = Field(naming.event_id_field(project.settings.name), "string", custom=True)
    for name in ("Event", "Task"):
        created[name].append(event_id)
    if activity_object.served(project, exchanges):
        created[naming.activities(project.settings.name)].extend(activity_object.known_fields(project, exchanges))
    return {name: fields_of(schema, name, new) for name, new in created.items()}


def _problems(
    project: Project, exchanges: tuple[Exchange, ...], fields: dict[str, Fields], schema: OrgSchema
) -> Iterator[Diagnostic]:
    for one in exchanges:
        problem = object_problem(one, schema)
        if problem is not None:
            yield problem
        else:
            yield from exchange_problems(one, fields[one.object])
    yield from activity_object.problems(project, exchanges)


def _blueprints(project: Project, exchanges: tuple[Exchange, ...], fields: dict[str, Fields]) -> Iterator[Blueprint]:
    created = [blueprint for one in exchanges for blueprint in custom_fields.custom_fields(one)]
    event_id = custom_fields.event_id_field(project, exchanges)
    if event_id is not None:
        created.append(event_id)
    created.extend(activity_object.blueprints(project, exchanges))
    yield from created
    for one in exchanges:
        yield from messaging(project, one)
    yield permission_sets.integration_set(project, exchanges, fields.__getitem__)
    # Who may see a field that was there before is settled already.
    new = [blueprint for blueprint in created if blueprint.address not in taken_on(project)]
    viewer = permission_sets.viewer_set(project, new, exchanges, fields.__getitem__)
    if viewer is not None:
        yield viewer
    yield from sign_in.blueprints(project)


def _rendered(project: Project, blueprints: Iterable[Blueprint]) -> tuple[list[Component], list[Diagnostic]]:
    templates = Templates(project.templates)
    components: list[Component] = []
    problems = list(templates.strangers())
    for blueprint in blueprints:
        try:
            components.append(templates.render(blueprint))
        except TemplateError as error:
            problems.extend(error.problems)
    return components, problems


def _warnings(project: Project, exchanges: Iterable[Exchange], fields: dict[str, Fields]) -> Iterator[Diagnostic]:
    documented = project.settings.integration_user.access == "documented"
    for one in exchanges:
        yield from messaging_warnings(one, fields[one.object])
        if one.sends and not one.by_relay and not documented:
            yield one.place("delivery").problem(
                "Appcues' connector sets up its own message and rule, for which the help page asks for "
                "Customize Application; least_privilege does not grant it",
                "write `access: documented`, or let an administrator connect it in Appcues",
            )


def _specific_first(origin: Origin) -> tuple[Address, int, str, str]:
    return (origin.address, -len(origin.token), origin.token, str(origin.position))
