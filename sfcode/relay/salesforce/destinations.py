"""The mappings that receive events of Appcues through the relay, each with its actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.conditions import Condition
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.salesforce.actions import ACTIONS, RECIPE_ACTIONS, ActionBuilder, build_actions
from sfcode.relay.salesforce.actions.action import EventAction, FieldName
from sfcode.relay.salesforce.event_reader import AppcuesEvent


@dataclass(frozen=True, slots=True)
class Destination:
    """A mapping with the lookup of its records and its actions. Names are those of the config."""

    name: str
    object: str
    match: Literal["user", "group"]
    key: str
    """The text field with the ID of the user or the group."""
    number: str = ""
    """The number field from which the formula field `key` is computed. Queries filter by it, since formulas have no index."""
    actions: tuple[EventAction, ...] = ()
    where: tuple[Condition, ...] = ()
    """The condition that records must fulfill (`where`)."""
    several: Literal["park", "newest"] = "park"
    """What to do if several records match an event."""
    follows_conversion: bool = False
    """Whether events of a converted lead are written to its contact."""
    recipe: str = ""
    """The recipe of the actions; "" for the actions of the mapping. The org may refuse one and accept the other."""
    names: tuple[str, ...] = ()
    """The present and former names in lower case; a follow-up message for one mapping may contain any of them."""

    @property
    def mapping(self) -> str:
        """The name of the mapping, without the recipe."""
        return self.name.partition(" ")[0]

    def has_name(self, name: str) -> bool:
        """Return whether a name is the present one or a former one."""
        return name.lower() in (self.name.lower(), *self.names)

    @property
    def fields_to_read(self) -> tuple[str, ...]:
        """The fields that a lookup selects."""
        converted = ("IsConverted",) if self.object == "Lead" else ()
        needed = {name for action in self.actions for name in action.fields_to_read}
        if self.follows_conversion:
            needed |= {"ConvertedContactId", "ConvertedAccountId"}
        if self.several == "newest":
            needed.add("LastModifiedDate")
        return ("Id", self.key, *converted, *sorted(needed - {self.key}))

    @property
    def fields_to_measure(self) -> frozenset[FieldName]:
        """The fields whose lengths must be read from the org."""
        return frozenset(field for action in self.actions for field in action.fields_to_measure)

    def actions_for(self, event: AppcuesEvent) -> tuple[EventAction, ...]:
        """Return the actions that handle an event."""
        return tuple(
            action for action in self.actions if action.handles(event) and (action.takes_past or not event.is_past)
        )


def destinations(project: Project) -> tuple[Destination, ...]:
    """Return the mappings that receive events through the relay."""
    receiving = [mapping for mapping in project.resolved if mapping.receives and mapping.by_relay]
    return (
        *(_destination(project, mapping, ACTIONS) for mapping in receiving),
        *(
            destination
            for recipe, actions in RECIPE_ACTIONS.items()
            for mapping in receiving
            if (destination := _destination(project, mapping, actions, recipe)).actions
        ),
    )


def _destination(
    project: Project, mapping: ResolvedMapping, builders: Sequence[ActionBuilder], recipe: str = ""
) -> Destination:
    ending = f" ({recipe})" if recipe else ""
    return Destination(
        f"{mapping.name}{ending}",
        mapping.object,
        mapping.match,
        mapping.user_id.field,
        mapping.source.field if mapping.source else "",
        build_actions(builders, project, mapping),
        mapping.where,
        mapping.several,
        mapping.follows_conversion and mapping.object == "Lead",
        recipe,
        tuple(f"{name}{ending}" for name in mapping.names),
    )
