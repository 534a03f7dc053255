"""
Stop clearing an attribute that becomes empty in many records in a row.

When the integration user loses access to a field, Salesforce leaves the field out of its messages, as if the field had
been cleared in every record. So the relay counts, for each object and sent field, how many records in a row became
empty. A record with a value resets the count. After `AT_MOST` such records the attribute of the field is no longer
cleared, until a person allows it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.relay.appcues.mapping_view import AttributeView, MappingView, mapping_views
from sfcode.relay.appcues.values import FINEST
from sfcode.relay.message import LatestState
from sfcode.relay.state_names import NULL_GUARD

AT_MOST = 20
"""The number of records that may become empty in a row."""
ALARM: Final = "clearing_stopped"


@dataclass(frozen=True, slots=True)
class NullGuard:
    """The observed values of one field: whether there were any, and which records became empty."""

    seen: bool = False
    """Whether a record with a value was received, so that the field is readable."""
    run: tuple[str, ...] = ()
    """IDs of the records whose field became empty since the last record with a value."""
    stopped: str = ""
    """The time at which clearing was stopped; "" while the attribute is cleared."""

    def record_value(self) -> NullGuard:
        """Return the guard after a record with a value. A stop of clearing lasts until a person acknowledges it."""
        return self if self.seen and (self.stopped or not self.run) else replace(self, seen=True, run=())

    def record_empty(self, record_id: str, now: str) -> NullGuard:
        """Return the guard after a record that lost its value; each record counts once."""
        if self.stopped or record_id in self.run:
            return self
        run = (*self.run, record_id)
        return replace(self, run=run, stopped=now if len(run) >= AT_MOST else "")


@dataclass(frozen=True, slots=True)
class StoppedAttribute:
    """An attribute that is no longer cleared, and the time of the stop."""

    mapping: str
    attribute: str
    since: str
    name: str
    """The name of the latest state that stores the guard."""


class LatestStore(Protocol):
    """Stores latest states outside of a settlement."""

    def note(self, latest: Iterable[LatestState]) -> None:
        """Store states, except where a newer one is stored."""


class NullGuards:
    """The guards of all mappings during the delivery of one claim."""

    def __init__(self, mapping_views: Iterable[MappingView], states: Mapping[str, LatestState], now: str) -> None:
        guarded = [*_list_attributes(mapping_views)]
        self._names = {(view.name, attribute.name): _name(view, attribute) for view, attribute in guarded}
        self._before = {_name(*pair): _read(*pair, states) for pair in guarded}
        self._guards = dict(self._before)
        self._now = now
        self.tripped: list[str] = []
        """Attributes of which clearing was stopped, as `mapping.attribute`."""

    def had_value(self, mapping: str, attribute: str) -> bool:
        """Return whether any record ever had a value for an attribute."""
        return self._guards[self._names[mapping, attribute]].seen

    def record_value(self, mapping: str, attribute: str) -> None:
        """Record that a record had a value for an attribute."""
        key = self._names[mapping, attribute]
        self._guards[key] = self._guards[key].record_value()

    def may_clear(self, mapping: str, attribute: str, record_id: str = "") -> bool:
        """Return whether an empty attribute may be cleared, counting the record if it lost its value."""
        key = self._names[mapping, attribute]
        before = self._guards[key]
        if record_id:
            self._guards[key] = before.record_empty(record_id, self._now)
        if self._guards[key].stopped and not before.stopped:
            self.tripped.append(f"{mapping}.{attribute}")
        return not self._guards[key].stopped

    def list_changed(self) -> tuple[LatestState, ...]:
        """Return the guards that changed, as latest states."""
        return tuple(_dump(key, guard, self._now) for key, guard in self._guards.items() if guard != self._before[key])


def names(mapping_views: Iterable[MappingView]) -> list[str]:
    """Return the names of the latest states that store the guards."""
    return [name for pair in _list_attributes(mapping_views) for name in (_name(*pair), _legacy_name(*pair))]


def stopped_clearing(
    project: Project, latest: Callable[[Iterable[str]], Mapping[str, LatestState]]
) -> tuple[StoppedAttribute, ...]:
    """Return the attributes that are no longer cleared."""
    every = mapping_views(project).values()
    states = latest(names(every))
    stopped = {
        (view.name, attribute.name): StoppedAttribute(view.name, attribute.name, guard.stopped, _name(view, attribute))
        for view, attribute in _list_attributes(every)
        if (guard := _read(view, attribute, states)).stopped
    }
    return tuple(stopped.values())


def resume_clearing(inbox: LatestStore, stopped: StoppedAttribute, now: datetime) -> None:
    """
    Allow the attributes of a field to be cleared again, after a person has found out why the field became empty.

    Nulls that were withheld are not sent: `reconcile` or `backfill` sends the present values of the records.
    """
    inbox.note([_dump(stopped.name, NullGuard(seen=True), stamp(now))])


def stamp(now: datetime) -> str:
    """Format a time as `LatestState.stamp`."""
    utc = now.astimezone(UTC)
    return FINEST.format(utc, utc.microsecond)


def _list_attributes(mapping_views: Iterable[MappingView]) -> Iterator[tuple[MappingView, AttributeView]]:
    for view in mapping_views:
        for attribute in view.attributes:
            yield view, attribute


def _name(view: MappingView, attribute: AttributeView) -> str:
    return f"{NULL_GUARD}:{view.object}:{attribute.field}".lower()


def _legacy_name(view: MappingView, attribute: AttributeView) -> str:
    """Return the name by which earlier versions stored the guard; after a renaming of the mapping, it is not found."""
    return f"{NULL_GUARD}:{view.name}:{attribute.name}"


def _read(view: MappingView, attribute: AttributeView, states: Mapping[str, LatestState]) -> NullGuard:
    state = states.get(_name(view, attribute)) or states.get(_legacy_name(view, attribute))
    value: dict[str, Any] = json.loads(state.value) if state else {}
    return NullGuard(bool(value.get("seen")), tuple(value.get("run", ())), str(value.get("stopped", "")))


def _dump(name: str, guard: NullGuard, now: str) -> LatestState:
    value = {"seen": guard.seen, "run": list(guard.run), "stopped": guard.stopped}
    return LatestState(name, now, json.dumps(value, separators=(",", ":")))
