"""Rules for the recipe `role_onboarding`: mappings and recipe must have the same roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.config.did_you_mean import format_choices
from sfcode.config.document import Document, PathProblem
from sfcode.config.mapping_models import Attribute
from sfcode.config.recipe_models import RoleOnboarding
from sfcode.config.rules.project import Draft
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.place import ConfigPath
from sfcode.mapping.value_map import AttributeValue

_PATH = "role_onboarding"


def check_roles(recipe: RoleOnboarding, document: Document, drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Check that mappings send every role, and no other values. `document` is `recipes.yaml`."""
    attributes = [(draft, attribute) for draft in drafts if (attribute := _find_attribute(draft, recipe.attribute))]
    if not attributes:
        message = f"no mapping of users sends {recipe.attribute} through the relay"
        hint = "add it under to_appcues.attributes, with a `map:` from the field's values to roles"
        yield document.problem(PathProblem((_PATH, "attribute"), message, hint))
        return
    roles = [_spell(role) for role in recipe.values]
    for index, role in enumerate(roles):
        if role in roles[:index]:
            yield document.problem(PathProblem((_PATH, "values", index), f"{role} is listed twice", "keep one of them"))
    sent_roles: set[str] = set()
    for draft, attribute in attributes:
        path = ("to_appcues", "attributes", recipe.attribute)
        if attribute.map_ is None:
            message = f"sends {attribute.field} unchanged, but segments need the roles of recipes.yaml"
            yield draft.document.problem(PathProblem(path, message, "add `map:`, and `default:` for all other values"))
            continue
        for below, sent_role in _sent_roles(attribute):
            sent_roles.add(sent_role)
            if sent_role not in roles:
                message = f"{sent_role} is not a role of recipes.yaml, so no segment selects it"
                hint = f"write {format_choices(sent_role, roles)}, or add it to role_onboarding.values"
                yield draft.document.problem(PathProblem((*path, *below), message, hint))
    if all(attribute.map_ is not None for _, attribute in attributes):
        for index, role in enumerate(roles):
            if role not in sent_roles and role not in roles[:index]:
                message = f"no mapping sends {recipe.attribute} as {role}, so a segment of it would be empty"
                hint = "add a value of the field to `map:`, or remove the role"
                yield document.problem(PathProblem((_PATH, "values", index), message, hint))


def _find_attribute(draft: Draft, name: str) -> Attribute | None:
    spec = draft.spec
    if spec.match != "user" or spec.delivery != "relay" or spec.to_appcues is None:
        return None
    return spec.to_appcues.attributes.get(name)


def _sent_roles(attribute: Attribute) -> Iterator[tuple[ConfigPath, str]]:
    """Yield the values that an attribute is sent as, each with its path below the attribute."""
    for value, role in (attribute.map_ or {}).items():
        yield ("map", value), _spell(role)
    if attribute.default is not None:
        yield ("default",), _spell(attribute.default)


def _spell(role: AttributeValue) -> str:
    return str(role).lower() if isinstance(role, bool) else str(role)
