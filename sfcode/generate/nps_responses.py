"""Generate the components of the NPS recipes: the object of answers with its fields, and roll-ups on accounts."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.project import Project
from sfcode.generate.custom_fields import field_blueprint
from sfcode.generate.template_context import Blueprint, CustomFieldView, CustomObjectView, RollUp, origin
from sfcode.mapping import naming
from sfcode.mapping.naming import MANAGED
from sfcode.mapping.recipes import ACCOUNT_COUNTS, ACCOUNT_FIELD, RESPONSE_FIELDS, select_people_mappings
from sfcode.metadata.component import Address


def blueprints(project: Project) -> Iterator[Blueprint]:
    """Return the object of NPS answers, its fields, and the fields of accounts."""
    history = project.recipes.nps_history
    if history is None:
        return
    prefix, place = project.settings.name, project.recipe_place("nps_history")
    name = naming.response_object(prefix)
    label = naming.label(name)
    detail = history.account == "detail"
    address = Address("CustomObject", name)
    view = CustomObjectView(
        name,
        label,
        f"{label}s",
        "Number",
        f"{MANAGED} NPS answers from Appcues, one record for each.",
        sharing="ControlledByParent" if detail else "Private",
        name_format="NPS-{000000}",
    )
    yield Blueprint(address, view, place, (origin(address, name, place), origin(address, "", place)))
    for field_name, field in RESPONSE_FIELDS.items():
        own = CustomFieldView(
            field.kind,
            name,
            field_name,
            naming.label(field_name),
            f"{MANAGED} {field.description}",
            formula=field.formula,
            length=field.length,
        )
        yield field_blueprint(own, place, {})
    for lookup in sorted({mapping.object for mapping in select_people_mappings(project.resolved)}):
        yield field_blueprint(_lookup(prefix, "lookup", lookup, f"The {lookup} who answered."), place, {})
    account_place = project.recipe_place("nps_history", "account")
    kind = "master_detail" if detail else "lookup"
    yield field_blueprint(
        _lookup(prefix, kind, "Account", "The account of the person who answered."), account_place, {}
    )
    if project.recipes.nps_by_account and project.recipes.nps_by_account.account_fields:
        yield from _account_fields(project)


def _lookup(prefix: str, kind: str, to: str, description: str) -> CustomFieldView:
    name = naming.response_object(prefix)
    return CustomFieldView(
        kind,
        name,
        f"{to}__c",
        to,
        f"{MANAGED} {description}",
        reference_to=to,
        relationship=f"{name.removesuffix('__c')}s",
    )


def _account_fields(project: Project) -> Iterator[Blueprint]:
    prefix, place = project.settings.name, project.recipe_place("nps_by_account", "account_fields")
    answers = naming.response_object(prefix)
    names = {part: f"{prefix}_NPS_{part}__c" for part in ACCOUNT_COUNTS}
    for part, count in ACCOUNT_COUNTS.items():
        name = names[part]
        counted = RollUp(f"{answers}.{ACCOUNT_FIELD}", f"{answers}.Score__c", count.lowest, count.highest)
        view = CustomFieldView(
            "roll_up", "Account", name, naming.label(name), f"{MANAGED} {count.description}", counted=counted
        )
        yield field_blueprint(view, place, {})
    name = f"{prefix}_NPS__c"
    total, promoters, detractors = names["Responses"], names["Promoters"], names["Detractors"]
    view = CustomFieldView(
        "number_formula",
        "Account",
        name,
        naming.label(name),
        f"{MANAGED} Promoters minus detractors in a hundred NPS answers; blank without answers.",
        formula=f"IF({total} = 0, NULL, ROUND(({promoters} - {detractors}) / {total} * 100, 0))",
    )
    yield field_blueprint(view, place, {total: place, promoters: place, detractors: place})
