"""Rules for `recipes.yaml`: the requirements of recipes on mappings, settings and other recipes."""

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
"""For each event that registers people, the key that limits its items."""


def check_recipes(recipes: Recipes, settings: Settings, mappings: Sequence[Mapping]) -> Iterator[PathProblem]:
    """Check that the mappings have what each recipe needs."""
    receiving = [mapping for mapping in mappings if mapping.delivery == "relay" and mapping.direction != "to_appcues"]
    people = [mapping for mapping in receiving if mapping.match == "user" and mapping.object in PEOPLE]
    if recipes.nps_history is not None and not people:
        message = "needs a mapping of contacts or leads that receives events through the relay"
        yield PathProblem(("nps_history",), message, "add one with direction: both, or remove the recipe", at="key")
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
            ("event_registration",), message, "add one with direction: both, or remove the recipe", at="key"
        )
    for index, registration in enumerate(registrations):
        path, when, campaign = ("event_registration", index), registration.when, registration.campaign
        key = _TRIGGER_KEYS[when.event]
        for other_key in sorted({*_TRIGGER_KEYS.values()} - {key}):
            if getattr(when, other_key):
                message = f"{when.event} has no {other_key}"
                yield PathProblem((*path, "when", other_key), message, f"write {key}, or remove it", at="key")
        if when.event == "click_to_track" and not when.name:
            message = "has no names of click-to-track events"
            yield PathProblem((*path, "when"), message, "add name: with their names in Appcues")
        if (campaign.id is None) is (campaign.name is None):
            message = "needs the ID or the name of the campaign, not both" if campaign.id else "has no campaign"
            yield PathProblem((*path, "campaign"), message, "write the ID, or {name: NAME}")
        elif campaign.id and campaign.create:
            message = "has no effect with an ID: the campaign exists already"
            yield PathProblem((*path, "campaign", "create"), message, "remove it, or write a name", at="key")
        if registration in registrations[:index]:
            yield PathProblem(path, "is listed twice", "keep one of them")


def _check_nps_by_account(recipes: Recipes) -> Iterator[PathProblem]:
    if recipes.nps_history is None:
        message = "needs the answers of nps_history"
        yield PathProblem(("nps_by_account",), message, "add nps_history", at="key")
    elif recipes.nps_by_account and recipes.nps_by_account.account_fields and recipes.nps_history.account != "detail":
        message = "needs answers that are detail records of their account, since Salesforce only rolls up these"
        hint = "write nps_history: {account: detail}, so that everybody who can read an account can read its answers"
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
        yield PathProblem(("completed_flows",), message, "list it in a mapping, or remove the recipe", at="key")
    path = ("completed_flows", "not_completed")
    if flows and settings.relay.activities_as != "custom_object":
        message = "is not possible with standard activities: the report column for it depends on the Shared Activities setting of the org"
        yield PathProblem(path, message, "write `activities_as: custom_object` in sfcode.yaml, or remove it", at="key")
    elif flows and not any(mapping.object == "Contact" for mapping in logging):
        message = "lists contacts, and no mapping of contacts logs flow_completed"
        yield PathProblem(path, message, "list the event in a mapping of contacts, or remove it", at="key")
    for index, flow in enumerate(flows):
        if flow in flows[:index]:
            yield PathProblem((*path, index), f"{flow} is listed twice", "keep one of them")


def _check_group_progress(rules: Sequence[ProgressRule], mappings: Sequence[Mapping]) -> Iterator[PathProblem]:
    path = ("group_progress",)
    if not any(mapping.delivery == "relay" for mapping in mappings):
        message = "needs the relay, and no mapping has delivery: relay"
        yield PathProblem(path, message, "add a mapping with delivery: relay, or remove the recipe", at="key")
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
                message = f"{name} is sent from {senders[name.lower()]} already, but an attribute has one source"
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
    """Compare the attributes of a rule with those of an earlier rule."""
    name, value = attribute
    for earlier_name, set_before in earlier.set_.items():
        if earlier_name.lower() != name.lower():
            continue
        if earlier_name != name:
            message = f"{name} is spelled {earlier_name} in group_progress[{number}], and would be another attribute in Appcues"
            yield PathProblem(path, message, f"write {earlier_name}", at="key")
        elif compared_as(set_before) != compared_as(value):
            message = f"{name} has another type in group_progress[{number}], and an attribute has one type"
            yield PathProblem(path, message, "write values of one type")
        elif set_before != value and rule.when.overlaps(earlier.when):
            message = f"the same event sets {name} to another value in group_progress[{number}]"
            yield PathProblem(path, message, "keep one of them, or limit them to different items")
