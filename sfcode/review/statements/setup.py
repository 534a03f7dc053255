"""Statements about the environment, event texts, project templates, and a new integration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from sfcode.checks.phrases import code, join_list
from sfcode.checks.risk import ELSEWHERE
from sfcode.checks.snapshot import Snapshot
from sfcode.config.project import Project
from sfcode.mapping.events import BY_NAME
from sfcode.plan.change import Action
from sfcode.plan.limits import limit_of
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context
from sfcode.text import count_noun

_NONE_BEFORE = "there was none before"


def new_integration_statements(context: Context) -> Iterator[Statement]:
    """Describe a new integration: where its data goes, and its user."""
    if context.before is not None:
        return
    project = context.after.project
    settings = project.settings
    new = sum(change.action is Action.CREATE and not change.address.is_record for change in context.changes)
    text = f"The integration is new: {count_noun(new, 'component')} will be created"
    yield Statement(Group.SETUP, text, Risk.MEDIUM, _NONE_BEFORE)
    region = {"us": "US", "eu": "EU"}[settings.appcues.region]
    text = f"Data will go to the Appcues account {code(settings.appcues.account_id)} ({region})"
    yield Statement(Group.LEAVING, text, Risk.MEDIUM, _NONE_BEFORE, project.at("appcues", "account_id"))
    if any(mapping.spec.to_appcues and mapping.spec.delivery == "relay" for mapping in project.mappings):
        text = f"Salesforce will send its messages to {code(settings.relay.url)}"
        yield Statement(Group.LEAVING, text, Risk.MEDIUM, _NONE_BEFORE, project.at("relay", "url"))
    text = f"The integration user will be {code(settings.integration_user.username)}"
    yield Statement(Group.ACCESS, text, Risk.MEDIUM, _NONE_BEFORE, project.at("integration_user", "username"))


def environment_statements(context: Context) -> Iterator[Statement]:
    """Describe the differences of the environment."""
    if context.before is None:
        return
    old, new = context.before.project, context.after.project
    name = new.environment
    if old.target.org != new.target.org:
        words = [f"the org {code(org)}" if org else "no org of its own" for org in (old.target.org, new.target.org)]
        text = f"Environment {code(name)} will be {words[1]} instead of {words[0]}"
        yield Statement(Group.SETUP, text, Risk.HIGH, ELSEWHERE, new.at("environments", name, "org"))
    if old.target.protected and not new.target.protected:
        text = f"Environment {code(name)} will no longer be protected: apply will not ask for a saved plan"
        because = "a safeguard is removed"
        yield Statement(Group.SETUP, text, Risk.HIGH, because, new.at("environments", name, "protected"))
    elif new.target.protected and not old.target.protected:
        text = f"Environment {code(name)} will be protected: apply will ask for a saved plan"
        yield Statement(Group.SETUP, text, Risk.LOW, "", new.at("environments", name, "protected"))
    yield from _limits(old, new)


def _limits(old: Project, new: Project) -> Iterator[Statement]:
    for word in ("destroy", "change"):
        before, (after, path) = limit_of(old, word)[0], limit_of(new, word)
        if before == after:
            continue
        was, will = (code(limit) if limit else "any number" for limit in (before, after))
        text = (
            f"In {code(new.environment)} a plan may {word} {will} of the components instead of {was}, without an option"
        )
        risk = Risk.HIGH if after is None else Risk.MEDIUM if before else Risk.LOW
        because = "" if risk is Risk.LOW else "a safeguard is removed" if after is None else "a safeguard changes"
        yield Statement(Group.SETUP, text, risk, because, new.at(*path.split(".")))


def event_statements(context: Context) -> Iterator[Statement]:
    """Describe changed texts of activities, and changed attribute names of NPS answers."""
    if context.before is None:
        return
    old, new = context.before.project.events, context.after.project.events
    for event in sorted({*old.properties, *new.properties}):
        before, after = old.properties.get(event, {}), new.properties.get(event, {})
        for key, words in (("score", "score"), ("feedback", "feedback")):
            was, will = (code(side[key]) if key in side else "nothing" for side in (before, after))
            if was != will:
                text = f"The {words} in Appcues' event for {BY_NAME[event].plural} will be taken from {will} instead of {was}"
                yield Statement(Group.WRITTEN, text, Risk.MEDIUM, "another value is written")
    for name, text_after in new.activities.items():
        text_before = old.activities.get(name)
        for part in ("subject", "comment"):
            was = getattr(text_before, part) if text_before else ""
            will = getattr(text_after, part)
            if was != will:
                text = (
                    f"The {part} of activities for {BY_NAME[name].plural} will read {code(will)} instead of {code(was)}"
                )
                yield Statement(Group.WRITTEN, text)


def template_statements(context: Context) -> Iterator[Statement]:
    """Describe added, removed and changed project templates if components change with them."""
    if context.before is None:
        yield from _own(context.after)
        return
    touched = {change.address.type for change in context.changes}
    old, new = _templates(context.before), _templates(context.after)
    for name in sorted({*old, *new}):
        type_ = name.partition(".")[0]
        if old.get(name) == new.get(name) or not (type_ in touched or (name.startswith("_") and touched)):
            continue
        outcome = (
            "is new"
            if name not in old
            else "was removed, so sfcode's template is used"
            if name not in new
            else "has changed"
        )
        addresses = sorted(str(change.address) for change in context.changes if change.address.type == type_)
        text = f"The project's own template {code(name)} {outcome}"
        text += f": see {join_list(map(code, addresses))}" if addresses else ""
        yield Statement(Group.SETUP, text, Risk.MEDIUM, "components no longer follow sfcode's templates")


def _own(side: Snapshot) -> Iterator[Statement]:
    names = sorted(_templates(side))
    if names:
        text = f"The project has its own templates: {join_list(map(code, names))}"
        yield Statement(Group.SETUP, text, Risk.MEDIUM, "components no longer follow sfcode's templates")


def _templates(side: Snapshot) -> dict[str, str]:
    return {PurePosixPath(name).name: text for name, text in side.texts.items() if name.endswith(".j2")}


def remaining_statements(context: Context, has_others: bool) -> Iterator[Statement]:
    """List the changes that no other statement describes."""
    if has_others:
        return
    for change in context.changes:
        names = join_list(dict.fromkeys(code(attribute.path[0]) for attribute in change.attributes))
        text = f"{code(change.address)} changes: {names}"
        yield Statement(Group.SETUP, text, Risk.MEDIUM, "the change does not follow from a setting")
