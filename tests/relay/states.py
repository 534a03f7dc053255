"""The stored states that a writer reads, without an inbox."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sfcode.relay.message import Claim, LatestState


@dataclass
class States:
    """The latest states, and the announced intents."""

    find: Callable[[Iterable[str]], Mapping[str, LatestState]] = lambda _names: {}
    announced: list[frozenset[str]] = field(default_factory=list)
    """The names of each intent; the ID of an intent is its position in the list, from 1."""

    def latest(self, names: Iterable[str], /) -> Mapping[str, LatestState]:
        return self.find(names)

    def announce(self, _claim: Claim, names: Collection[str], /) -> int:
        self.announced.append(frozenset(names))
        return len(self.announced)
