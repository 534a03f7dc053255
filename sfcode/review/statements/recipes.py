"""Statements about `recipes.yaml`, one per recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.checks.phrases import capitalize, code, join_list
from sfcode.config.recipe_models import NO_RECIPES, ProgressRule, Recipes
from sfcode.mapping import naming
from sfcode.mapping.events import BY_NAME
from sfcode.mapping.value_map import AttributeValue
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context

SEGMENTS = "segments in Appcues choose people by this attribute"
_KEPT = "what people wrote is kept in another place"
_READERS = {
    "lookup": "people with a sharing rule or a role above may read",
    "detail": "everybody who may read the account may read",
}


def recipe_statements(context: Context) -> Iterator[Statement]:
    """Describe recipes that were added, removed or changed."""
    old = context.before.project.recipes if context.before else NO_RECIPES
    new = context.after.project.recipes
    if old == new:
        return
    yield from _on_reports(context, old, new)
    yield from _on_answers(context, old, new)
    yield from _on_roles(context, old, new)
    yield from _on_progress(context, old.group_progress, new.group_progress)


def _on_reports(context: Context, old: Recipes, new: Recipes) -> Iterator[Statement]:
    project = context.after.project
    for key, subject in (
        ("completed_flows", "completed flows by person and month"),
        ("nps_by_account", "NPS by account"),
    ):
        was, will = getattr(old, key), getattr(new, key)
        if (was is None) != (will is None):
            text = f"A report will show {subject}" if will else f"The report of {subject} will be deleted"
            yield Statement(Group.SETUP, text, position=project.recipe_place(key).position)
    flows = [{*side.completed_flows.not_completed} if side.completed_flows else set() for side in (old, new)]
    for words, names in (("will show", flows[1] - flows[0]), ("will no longer show", flows[0] - flows[1])):
        if names:
            text = f"Reports {words} the contacts who have not completed {join_list(map(code, sorted(names)))}"
            position = project.recipe_place("completed_flows", "not_completed").position
            yield Statement(Group.SETUP, text, position=position)
    fields = [bool(side.nps_by_account and side.nps_by_account.account_fields) for side in (old, new)]
    if fields[0] != fields[1]:
        words = "get fields for NPS and its numbers" if fields[1] else "lose their fields for NPS and its numbers"
        position = project.recipe_place("nps_by_account", "account_fields").position
        yield Statement(Group.SETUP, f"Accounts {words}", position=position)
    people = [{*side.reports.share_with} if _has_reports(side) else set() for side in (old, new)]
    for words, names in (("will", people[1] - people[0]), ("will no longer", people[0] - people[1])):
        if names:
            text = f"{join_list(map(code, sorted(names)))} {words} see the report folder {code(new.reports.folder)}"
            position = project.recipe_place("reports", "share_with").position
            yield Statement(Group.ACCESS, text, position=position)


def _has_reports(recipes: Recipes) -> bool:
    return any((recipes.completed_flows, recipes.nps_history, recipes.nps_by_account))


def _on_answers(context: Context, old: Recipes, new: Recipes) -> Iterator[Statement]:
    was, will = old.nps_history, new.nps_history
    project = context.after.project
    position = project.recipe_place("nps_history").position
    name = code(naming.response_object(project.settings.name))
    if will and not was:
        text = f"Every NPS answer will be kept as a record of {name}, which {_READERS[will.account]}"
        yield Statement(Group.WRITTEN, text, Risk.MEDIUM, "more data is written", position)
    elif was and not will:
        text = f"NPS answers will no longer be kept, and those in {name} are deleted with it"
        yield Statement(Group.WRITTEN, text, Risk.HIGH, "records are deleted", position)
    elif was and will and was.account != will.account:
        text = f"NPS answers will be records that {_READERS[will.account]}, instead of records that {_READERS[was.account]}"
        position = project.recipe_place("nps_history", "account").position
        yield Statement(Group.ACCESS, text, Risk.HIGH, _KEPT, position)


def _on_roles(context: Context, old: Recipes, new: Recipes) -> Iterator[Statement]:
    was, will = ({*side.role_onboarding.values} if side.role_onboarding else set() for side in (old, new))
    recipe = new.role_onboarding or old.role_onboarding
    if recipe is None:
        return
    position = context.after.project.recipe_place("role_onboarding", "values").position
    name = code(recipe.attribute)
    for words, roles in (("may choose people by", will - was), ("must no longer choose people by", was - will)):
        if roles:
            risk, because = (Risk.LOW, "") if roles <= will else (Risk.MEDIUM, "a segment would be empty")
            values = join_list(sorted(code(_spell(role)) for role in roles))
            text = f"Segments in Appcues {words} the {name} {values}"
            yield Statement(Group.LEAVING, text, risk, because, position)


def _on_progress(context: Context, old: Sequence[ProgressRule], new: Sequence[ProgressRule]) -> Iterator[Statement]:
    for index, rule in enumerate(new):
        if rule not in old:
            position = context.after.project.recipe_place("group_progress", index).position
            yield Statement(
                Group.SETUP, _describe_rule(rule, "will"), Risk.MEDIUM, "profiles of groups change", position
            )
    for rule in old:
        if rule not in new:
            yield Statement(Group.SETUP, f"{_describe_rule(rule, 'will no longer')}, where they stay as they are")


def _describe_rule(rule: ProgressRule, verb: str) -> str:
    names = [code(name) for names in rule.when.items().values() for name in names]
    about = f" of {join_list(names, 'or')}" if names else ""
    values = join_list(f"{code(name)} to {code(_spell(value))}" for name, value in rule.set_.items())
    return (
        f"{capitalize(BY_NAME[rule.when.event].plural)}{about} {verb} set {values} in Appcues for the group of the user"
    )


def _spell(value: AttributeValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
