"""What the config says of components that were in the org before: it must fit what is generated."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.resolved import settings_place
from sfcode.metadata.component import Address

FILL_IN = "FILL_IN"
NO_RELAY = "https://fill-in.invalid"
"""What `sfcode import` writes where an org cannot know the Appcues account and the relay."""


def taken_on(project: Project) -> frozenset[Address]:
    """List what is taken on as it is."""
    return frozenset(map(Address.parse, project.settings.as_is))


def replaced(project: Project) -> dict[Address, str]:
    """List what a relay takes the place of, with the mapping that does."""
    return {
        Address.parse(address): mapping.name
        for mapping in project.mappings
        for address in (mapping.spec.replaces if mapping.spec.delivery == "relay" else ())
    }


def existing_problems(project: Project, generated: Collection[Address]) -> Iterator[Diagnostic]:
    """Find what is to be taken on and nothing asks for, what is to go and is generated, what was never filled in."""
    if any(mapping.spec.delivery == "relay" for mapping in project.mappings):
        yield from _placeholders(project)
    for index, text in enumerate(project.settings.as_is):
        if Address.parse(text) not in generated:
            message = f"nothing in this project asks for {text}"
            hint = "take the line out: what no mapping asks for is not looked at; or correct it"
            yield Diagnostic.error(project.at("as_is", index), f"as_is[{index}]", message, hint)
    for mapping in project.mappings:
        for index, text in enumerate(mapping.spec.replaces):
            if Address.parse(text) in generated:
                message, hint = f"{text} is what this project makes itself", "take the line out"
                yield Diagnostic.error(mapping.at("replaces", index), f"replaces[{index}]", message, hint)


def _placeholders(project: Project) -> Iterator[Diagnostic]:
    settings = project.settings
    for path, value, placeholder in (
        (("appcues", "account_id"), settings.appcues.account_id, FILL_IN),
        (("relay", "url"), settings.relay.url, NO_RELAY),
    ):
        if value == placeholder:
            hint = "write the real one before `delivery: relay`, here or in the environment's variables"
            yield settings_place(project, *path).problem(f"{value} stands for something that is not filled in", hint)
