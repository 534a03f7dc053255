"""Rules for `recipes.yaml`: what a recipe needs of the mappings, the settings and other recipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from sfcode.config.document import PathProblem
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Settings
from sfcode.config.recipe_models import ProgressRule, Recipes
from sfcode.config.rules.mapping import check_filter
from sfcode.mapping.events import BY_NAME, REGISTRATION_EVENTS
from sfcode.mapping.field_types import compared_as
from sfcode.mapping.place import ConfigPath
from sfcode.mapping.recipes import PEOPLE
from sfcode.mapping.value_map import AttributeValue

_TRIGGER_KEYS = {event: BY_NAME[event].item or "name" for event in REGISTRATION_EVENTS}
"""By event that registers people, the key that says which of them count."""


def check_recipes(recipes: Recipes, settings: Settings, mappings: Sequence[Mapping]) -> Iterator[PathProblem]:
    """Check that the mappings have what each recipe needs."""
    receiving = [mapping for mapping in mappings if mapping.delivery == "relay" and mapping.direction != "to_appcues"]
    people = [mapping for mapping in receiving if mapping.match == "user" and mapping.object in PEOPLE]
    if recipes.nps_history is not None and not people:
        message = "needs a mapping of contacts or leads that receives events through the relay"
        yield PathProblem(("nps_history",), message, "add one with direction: both, or leave the recipe out", at="key")
    yield from _check_registrations(recipes, has_people=bool(people))
    if recipes.nps_by_account is not None:
        yield from _check_nps_by_account(recipes)
    if recipes.completed_flows is not None:
        yield from _check_completed_flows(recipes.completed_flows.not_completed, settings, receiving)
    if recipes.group_progress:
        yield from _check_group_progress(recipes.group_progress, mappings)


def _check_registrations(recipes: Recipes, *, has_people: bool) -> Iterator[PathProblem]:
    registrations = recipes.event_registration
    if registrations and not has_people:
        message = "needs a mapping of contacts or leads that receives events through the relay"
        yield PathProblem(
            ("event_registration",), message, "add one with direction: both, or leave the recipe out", at="key"
        )
    for index, registration in enumerate(registrations):
        path, when, campaign = ("event_registration", index), registration.when, registration.campaign
        key = _TRIGGER_KEYS[when.event]
        for other_key in sorted({*_TRIGGER_KEYS.values()} - {key}):
            if getattr(when, other_key):
                message = f"{when.event} has no {other_key}"
                yield PathProblem((*path, "when", other_key), message, f"write {key}, or leave it out", at="key")
        if when.event == "click_to_track" and not when.name:
            message = "does not say which click-to-track events count"
            yield PathProblem((*path, "when"), message, "add name: with their names in Appcues")
        if (campaign.id is None) is (campaign.name is None):
            message = "needs the id or the name of the campaign, and not both" if campaign.id else "names no campaign"
            yield PathProblem((*path, "campaign"), message, "write the id alone, or {name: NAME}")
        elif campaign.id and campaign.create:
            message = "has no meaning beside an id: such a campaign exists already"
            yield PathProblem((*path, "campaign", "create"), message, "leave it out, or write a name", at="key")
        if registration in registrations[:index]:
            yield PathProblem(path, "is listed twice", "keep one of them")


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


def _check_group_progress(rules: Sequence[ProgressRule], mappings: Sequence[Mapping]) -> Iterator[PathProblem]:
    path = ("group_progress",)
    if not any(mapping.delivery == "relay" for mapping in mappings):
        message = "is what the relay does, and no mapping has delivery: relay"
        yield PathProblem(path, message, "add a mapping that the relay delivers, or leave the recipe out", at="key")
    senders = {
        name.lower(): mapping.object
        for mapping in mappings
        if mapping.match == "group" and mapping.to_appcues
        for name in mapping.to_appcues.attributes
    }
    for index, rule in enumerate(rules):
        yield from check_filter((*path, index, "when"), rule.when.event, rule.when, "relay")
        for name, value in rule.set_.items():
            attribute_path = (*path, index, "set", name)
            if name.lower() in senders:
                message = f"{name} is sent from {senders[name.lower()]} already, and one attribute has one source"
                yield PathProblem(attribute_path, message, "choose another attribute", at="key")
            problems = (
                problem
                for number, earlier in enumerate(rules[:index])
                for problem in _compare_progress(attribute_path, (name, value), rule, number, earlier)
            )
            yield from islice(problems, 1)


def _compare_progress(
    path: ConfigPath, attribute: tuple[str, AttributeValue], rule: ProgressRule, number: int, earlier: ProgressRule
) -> Iterator[PathProblem]:
    """Compare what a rule sets with what an earlier one sets."""
    name, value = attribute
    for earlier_name, set_before in earlier.set_.items():
        if earlier_name.lower() != name.lower():
            continue
        if earlier_name != name:
            message = f"{name} is spelled {earlier_name} in group_progress[{number}], and would be another attribute in Appcues"
            yield PathProblem(path, message, f"write {earlier_name}", at="key")
        elif compared_as(set_before) != compared_as(value):
            message = f"{name} is of another type in group_progress[{number}], and an attribute has one type"
            yield PathProblem(path, message, "write values of one type")
        elif set_before != value and rule.when.overlaps(earlier.when):
            message = f"the same event sets {name} to another value in group_progress[{number}]"
            yield PathProblem(path, message, "keep one of them, or have them be about different items")
