"""The pauses as a process knows them: read from the inbox at each heartbeat, and checked before each claim and write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from sfcode.relay.inbox.pauses import LOOK_AGAIN, PAUSED, Pause, Scope
from sfcode.relay.message import Retry, Source

SIDES: dict[Source, str] = {"appcues": "salesforce", "salesforce": "appcues"}
"""The side that messages are delivered to, by their source."""


def find_pauses(
    pauses: Iterable[Pause], scope: Scope, name: str, present_names: Mapping[str, str]
) -> tuple[Pause, ...]:
    """Return the pauses of a direction, or of a mapping by its present or a former name; upper and lower case are equal."""
    if scope == "direction":
        return tuple(pause for pause in pauses if (pause.scope, pause.name) == (scope, name))

    def present(mapping: str) -> str:
        return present_names.get(mapping.lower(), mapping).lower()

    return tuple(pause for pause in pauses if pause.scope == scope and present(pause.name) == present(name))


class CurrentPauses:
    """The pauses of the inbox at the last heartbeat."""

    def __init__(self) -> None:
        self._pauses: tuple[Pause, ...] = ()
        self._present_names: Mapping[str, str] = {}

    def use_names(self, present_names: Mapping[str, str]) -> None:
        """Use the present names of renamed mappings: `present_names` has them by present and former names in lower case."""
        self._present_names = present_names

    def replace(self, pauses: Iterable[Pause]) -> None:
        """Replace the pauses by those of the inbox."""
        self._pauses = tuple(pauses)

    def __iter__(self) -> Iterator[Pause]:
        """Iterate over the pauses, the longest first."""
        return iter(self._pauses)

    @property
    def mappings(self) -> Mapping[str, str]:
        """The paused mappings by their present names, each with the name under which it was paused."""
        names = (pause.name for pause in self._pauses if pause.scope == "mapping")
        return {self._present_names.get(name.lower(), name): name for name in names}

    def stops(self, source: Source) -> bool:
        """Return whether deliveries of a source's messages are paused."""
        return any(pause.scope == "direction" and pause.name == SIDES[source] for pause in self._pauses)

    def refusals(self, names: Collection[str]) -> dict[str, Retry]:
        """Return the settlement of their messages for each paused mapping among `names`."""
        paused = self.mappings
        return {name: wait_for(paused[name]) for name in paused.keys() & names}


def wait_for(mapping: str) -> Retry:
    """Return the settlement of a message of a paused mapping."""
    text = f"mapping {mapping} is paused"
    return Retry(text, LOOK_AGAIN.total_seconds(), counts=False, of_mapping=True, reason=PAUSED, paused_mapping=mapping)
