"""References between components: a field in a message, a message in a flow, a permission set in its assignment."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from sfcode.mapping.activities import ACTIVITY_OBJECTS
from sfcode.mapping.naming import MANAGED_BY
from sfcode.metadata.component import Address, Component, Value

QUALIFIED = {"PermissionSet", "Profile"}
"""Types of components that always qualify a field with its object."""


_RUN = re.compile(r"\w+")
_QUALIFIED_NAME = re.compile(r"(?<!\w)(?=(\w+\.\w+))")


def refers_to(component: Component, address: Address) -> bool:
    """Return whether a component refers to an address; an org does not delete what a component refers to."""
    if component.address == address:
        return False
    patterns = [*_patterns(component, address)]
    return any(pattern.search(text) for text in _texts(component.body) for pattern in patterns)


class References:
    """Finds the components that refer to an address, by an index of the words in the components."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._components = components

    @cached_property
    def _by_word(self) -> dict[tuple[str, str], list[Component]]:
        """The components by word or qualified name (`contact.plan__c`), where a word is also qualified by the component's object."""
        components: dict[tuple[str, str], list[Component]] = defaultdict(list)
        for component in self._components:
            text = "\n".join(_texts(component.body)).lower()
            words = {*_RUN.findall(text)}
            for key in {("", word) for word in words.union(_QUALIFIED_NAME.findall(text))}:
                components[key].append(component)
            for word in words:
                components[_owner(component).lower(), word].append(component)
        return components

    def find(self, address: Address) -> list[Component]:
        """Return the components that refer to an address."""
        owner, _, name = address.full_name.lower().partition(".")
        owners = {owner, *map(str.lower, ACTIVITY_OBJECTS)} if owner == "activity" else {owner}
        keys = [("", f"{owner_name}.{name}") if name else ("", owner_name) for owner_name in owners]
        keys += [(owner_name, word) for owner_name in owners for word in (name, f"{name.removesuffix('__c')}__r")]
        candidates = dict.fromkeys(component for key in keys for component in self._by_word.get(key, ()))
        return [component for component in candidates if refers_to(component, address)]


def claimed_components(components: Iterable[Component]) -> Iterator[Address]:
    """List the components whose description marks them as managed; parts of an app have the app's description."""
    all_components = list(components)
    claimed = {candidate.address for candidate in all_components if _says_managed(candidate.body.get("description"))}
    for component in all_components:
        app = Address("ExternalClientApplication", str(component.body.get("externalClientApplication", "")))
        if component.address in claimed or app in claimed:
            yield component.address


def _says_managed(description: Value) -> bool:
    return isinstance(description, str) and description.startswith(MANAGED_BY)


def _patterns(component: Component, address: Address) -> Iterator[re.Pattern[str]]:
    """Return the forms in which a component refers to an address. A flow, a rule and a message may have the same name."""
    owner, _, name = address.full_name.partition(".")
    if address.type == "CustomObject" or (
        address.type == "PermissionSet" and component.type == "PermissionSetAssignment"
    ):
        yield _word(address.full_name)
    elif address.type == "WorkflowOutboundMessage":
        if component.type == "Flow":
            yield _word(address.full_name)
        elif component.type == "WorkflowRule" and _owner(component).lower() == owner.lower():
            yield _word(name)
    elif address.type == "CustomField":
        owners = (*ACTIVITY_OBJECTS,) if owner == "Activity" else (owner,)
        yield from (_word(f"{owner_name}.{name}") for owner_name in owners)
        if component.type not in QUALIFIED and _owner(component).lower() in {
            owner_name.lower() for owner_name in (*owners, owner)
        }:
            yield _word(name)
            if name.endswith("__c"):
                yield _word(f"{name.removesuffix('__c')}__r")


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


def _owner(component: Component) -> str:
    """Return the object that a component belongs to."""
    start = component.body.get("start")
    if component.type == "Flow" and isinstance(start, Mapping):
        return str(start.get("object", ""))
    return component.full_name.partition(".")[0]


def _texts(value: Value | Mapping[str, Value]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
