"""Rules for `recipes.yaml`: what a recipe needs of the mappings, the settings and other recipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfcode.config.document import PathProblem
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Settings
from sfcode.config.recipe_models import Recipes
from sfcode.mapping.recipes import PEOPLE


def check_recipes(recipes: Recipes, settings: Settings, mappings: Sequence[Mapping]) -> Iterator[PathProblem]:
    """Check that each recipe has what it needs."""
    receiving = [mapping for mapping in mappings if mapping.delivery == "relay" and mapping.direction != "to_appcues"]
    people = [mapping for mapping in receiving if mapping.match == "user" and mapping.object in PEOPLE]
    if recipes.nps_history is not None and not people:
        message = "needs a mapping of contacts or leads that receives events through the relay"
        yield PathProblem(("nps_history",), message, "add one with direction: both, or leave the recipe out", at="key")
    if recipes.nps_by_account is not None:
        yield from _check_nps_by_account(recipes)
    if recipes.completed_flows is not None:
        yield from _check_completed_flows(recipes.completed_flows.not_completed, settings, receiving)


def _check_nps_by_account(recipes: Recipes) -> Iterator[PathProblem]:
    if recipes.nps_history is None:
        message = "needs the answers that nps_history keeps"
        yield PathProblem(("nps_by_account",), message, "add nps_history", at="key")
    elif recipes.nps_by_account and recipes.nps_by_account.account_fields and recipes.nps_history.account != "detail":
        message = "needs answers that are details of their account: Salesforce rolls up nothing else"
        hint = "write nps_history: {account: detail}, by which everybody who may read an account reads its answers"
        yield PathProblem(("nps_by_account", "account_fields"), message, hint)


def _check_completed_flows(
    flows: Sequence[str], settings: Settings, receiving: Sequence[Mapping]
) -> Iterator[PathProblem]:
    logging = [
        mapping
        for mapping in receiving
        if mapping.to_salesforce and "flow_completed" in mapping.to_salesforce.activity_events
    ]
    if not logging:
        message = "needs a mapping that lists flow_completed under to_salesforce.activities"
        yield PathProblem(("completed_flows",), message, "list it in a mapping, or leave the recipe out", at="key")
    path = ("completed_flows", "not_completed")
    if flows and settings.relay.activities_as != "custom_object":
        message = (
            "cannot be told from activities: the column for it depends on the Shared Activities setting of the org"
        )
        yield PathProblem(
            path, message, "write `activities_as: custom_object` in sfcode.yaml, or leave it out", at="key"
        )
    elif flows and not any(mapping.object == "Contact" for mapping in logging):
        message = "lists contacts, and no mapping of contacts logs flow_completed"
        yield PathProblem(path, message, "list the event in a mapping of contacts, or leave it out", at="key")
    for index, flow in enumerate(flows):
        if flow in flows[:index]:
            yield PathProblem((*path, index), f"{flow} is listed twice", "keep one of them")
