"""Generate the components and records that a project asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError
from sfcode.generate import activity_object, custom_fields, nps_responses, permission_sets, reports, sign_in
from sfcode.generate.check import check_mapping, check_object, check_ownership, note_decimals, note_features
from sfcode.generate.messaging import message_blueprints, messaging_warnings
from sfcode.generate.records import records
from sfcode.generate.template_context import Blueprint
from sfcode.generate.templates import TemplateError, Templates
from sfcode.mapping import naming
from sfcode.mapping.activities import ACTIVITY_OBJECTS, own_fields
from sfcode.mapping.desired import Desired, Origin
from sfcode.mapping.fields import Fields, fields_of
from sfcode.mapping.recipes import account_fields, response_fields
from sfcode.metadata.component import Address, Component
from sfcode.metadata.objects import Field, OrgSchema

__all__ = ["generate"]


def generate(project: Project, schema: OrgSchema) -> Desired:
    """
    Generate the components and records of a project.

    The result depends only on the project, its template files and the schema of the org's fields.

    Raises:
        ConfigError: with all problems.

    """
    fields = _fields(project, schema)
    problems = list(_problems(project, fields, schema))
    blueprints = tuple(_blueprints(project, fields))
    problems.extend(check_ownership(project, {blueprint.address for blueprint in blueprints}))
    problems.extend(_check_viewers(project, blueprints))
    components, failures = _render(project, blueprints)
    problems.extend(failures)
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    rows, row_origins = records(project)
    advice = tuple(sorted(_warnings(project, fields), key=lambda problem: problem.sort_key))
    origins = [*(origin for blueprint in blueprints for origin in blueprint.origins), *row_origins]
    return Desired(
        components=tuple(sorted(components, key=lambda component: component.address)),
        records=rows,
        origins=tuple(sorted(origins, key=_specific_first)),
        warnings=tuple(map(str, advice)),
        advice=advice,
    )


def _fields(project: Project, schema: OrgSchema) -> dict[str, Fields]:
    """Return the fields of the project's objects, including generated ones."""
    created: dict[str, list[Field]] = defaultdict(list)
    for mapping in project.resolved:
        created[mapping.object].extend(mapping.created_fields())
    event_id = Field(naming.event_id_field(project.settings.name), "string", custom=True)
    for name in ACTIVITY_OBJECTS:
        created[name].append(event_id)
    for name in ACTIVITY_OBJECTS if any(mapping.logs_items for mapping in project.resolved) else ():
        created[name].extend(Field(field, "string", custom=True) for field in naming.item_fields(project.settings.name))
    if history := project.recipes.nps_history:
        detail = history.account == "detail"
        fields = response_fields(project.resolved, detail=detail)
        created[naming.response_object(project.settings.name)].extend(fields)
        created["Account"].extend(account_fields(project.settings.name) if _has_roll_ups(project) else ())
    own = list(own_fields(project.settings.name, project.resolved))
    if own:
        created[naming.activities(project.settings.name)].extend(own)
    return {name: fields_of(schema, name, new) for name, new in created.items()}


def _has_roll_ups(project: Project) -> bool:
    """Return whether accounts get roll-up fields."""
    return project.recipes.nps_by_account is not None and project.recipes.nps_by_account.account_fields


def _problems(project: Project, fields: dict[str, Fields], schema: OrgSchema) -> Iterator[Diagnostic]:
    for mapping in project.resolved:
        problem = check_object(mapping, schema)
        if problem is not None:
            yield problem
        else:
            yield from check_mapping(mapping, fields[mapping.object])
    yield from activity_object.problems(project)
    yield from reports.problems(project)


def _check_viewers(project: Project, blueprints: Iterable[Blueprint]) -> Iterator[Diagnostic]:
    viewer_set = Address("PermissionSet", naming.viewer_set(project.settings.name))
    if project.settings.viewers and not any(blueprint.address == viewer_set for blueprint in blueprints):
        message = "this project creates no fields, so there is no permission set that shows them"
        yield project.place("viewers").problem(message, "remove the key")


def _blueprints(project: Project, fields: dict[str, Fields]) -> Iterator[Blueprint]:
    created = [
        blueprint
        for mapping in project.resolved
        for blueprint in custom_fields.custom_fields(mapping, fields[mapping.object])
    ]
    event_id = custom_fields.event_id_field(project)
    if event_id is not None:
        created.append(event_id)
    created.extend(activity_object.blueprints(project))
    created.extend(reports.activity_fields(project))
    created.extend(nps_responses.blueprints(project))
    yield from created
    for mapping in project.resolved:
        yield from message_blueprints(project, mapping, fields[mapping.object])
    yield permission_sets.integration_set(project, fields.__getitem__)
    # The permission set of viewers does not cover fields that existed before.
    new = [blueprint for blueprint in created if blueprint.address not in project.adopted]
    viewer = permission_sets.viewer_set(project, new, fields.__getitem__)
    if viewer is not None:
        yield viewer
    yield from reports.blueprints(project)
    yield from sign_in.blueprints(project)


def _render(project: Project, blueprints: Iterable[Blueprint]) -> tuple[list[Component], list[Diagnostic]]:
    templates = Templates(project.templates)
    components: list[Component] = []
    problems = list(templates.find_unused_files())
    for blueprint in blueprints:
        try:
            components.append(templates.render(blueprint))
        except TemplateError as error:
            problems.extend(error.problems)
    return components, problems


def _warnings(project: Project, fields: dict[str, Fields]) -> Iterator[Diagnostic]:
    documented = project.settings.integration_user.access == "documented"
    for mapping in project.resolved:
        yield from note_features(mapping, fields[mapping.object])
        yield from note_decimals(mapping, fields[mapping.object])
        yield from messaging_warnings(mapping, fields[mapping.object])
        if mapping.sends and not mapping.by_relay and not documented:
            yield mapping.place("delivery").advice(
                "Appcues' connector sets up its own message and rule, for which the help page asks for "
                "Customize Application; least_privilege does not grant it",
                "set `access: documented`, or let an administrator connect it in Appcues",
            )


def _specific_first(origin: Origin) -> tuple[Address, int, str, str]:
    return (origin.address, -len(origin.token), origin.token, str(origin.position))
