"""
Fold what waits for one profile into what has to be sent: the latest state of each record, and nulls where they are due.

Pure but for the guards, which learn from every record: what was delivered before is an argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sfcode.relay.appcues.clearing import Guards
from sfcode.relay.appcues.outline import Attribute
from sfcode.relay.appcues.state import State
from sfcode.relay.appcues.values import Value
from sfcode.relay.message import Claimed, Done, Latest, Settlement

Read = tuple[Claimed, State]


@dataclass(frozen=True, slots=True)
class Part:
    """What one record gives to a profile, and the messages which that settles."""

    messages: tuple[int, ...]
    body: Mapping[str, Value]
    latest: Latest | None
    """What is remembered once it is delivered; None where the message does not say how old it is."""
    left_out: tuple[str, ...] = ()
    """Attributes that were not sent: values of the wrong type, and clearing that is stopped."""
    bad: tuple[str, ...] = ()
    """Which values are of the wrong type, in words that do not tell them."""

    @property
    def done(self) -> Done:
        """Settle its messages as delivered."""
        if self.left_out:
            return Done(f"left out: {', '.join(self.left_out)}")
        return Done("" if self.body else "nothing to send")


@dataclass(frozen=True, slots=True)
class Fold:
    """What to send to one profile, in the order in which the records changed, and what is settled without sending."""

    parts: tuple[Part, ...]
    settled: Mapping[int, Settlement]


def fold(messages: Iterable[Read], profile_id: str, known: Mapping[str, Latest], guards: Guards) -> Fold:
    """Work out what to send. Messages older than what was delivered of their record are stale; equally old ones are not."""
    by_record: dict[str, list[Read]] = {}
    for message, state in messages:
        by_record.setdefault(state.sent_name(profile_id), []).append((message, state))
    found: list[tuple[str, Part]] = []
    settled: dict[int, Settlement] = {}
    for name, group in by_record.items():
        sent = known.get(name)
        fresh = [(message, state) for message, state in group if sent is None or state.stamp >= sent.stamp]
        stale = {message.id for message, _ in group} - {message.id for message, _ in fresh}
        settled |= dict.fromkeys(stale, Done("stale"))
        if fresh:
            part = _part(fresh, name, sent, guards)
            found.append((max(state.stamp for _, state in fresh), part))
    parts = tuple(part for _, part in sorted(found, key=lambda each: each[0]))
    return Fold(parts, settled)


def body(parts: Iterable[Part]) -> dict[str, Value]:
    """Put parts together: the record that changed last wins."""
    return {name: value for part in parts for name, value in part.body.items()}


def _part(fresh: Sequence[Read], name: str, sent: Latest | None, guards: Guards) -> Part:
    # Of equally new ones the one that came last.
    newest = max((state for _, state in reversed(fresh)), key=lambda state: state.stamp)
    mapping = newest.outline.name
    # What an elder message gives may have been delivered without anybody having noted it.
    had = _attributes(sent).union(*(state.values for _, state in fresh))
    cleared, left_out = [], list(newest.bad)
    for attribute in newest.outline.attributes:
        if attribute.name in newest.values:
            guards.with_value(mapping, attribute.name)
        elif attribute.name in newest.empty and _is_due(attribute, newest, sent, had, guards):
            turned = newest.record_id if attribute.name in had else ""
            if newest.complete or guards.clears(mapping, attribute.name, turned):
                cleared.append(attribute.name)
            else:
                left_out.append(attribute.name)
    has = {*newest.values, *(had & set(left_out))}
    latest = Latest(name, newest.stamp, json.dumps(sorted(has), separators=(",", ":"))) if newest.stamp else None
    values = {**newest.values, **dict.fromkeys(cleared)}
    bad = tuple(f"{mapping}.{attribute} {what}" for attribute, what in newest.bad.items())
    return Part(tuple(message.id for message, _ in fresh), values, latest, tuple(left_out), bad)


def _is_due(attribute: Attribute, newest: State, sent: Latest | None, had: frozenset[str], guards: Guards) -> bool:
    """
    Tell whether an empty attribute has to be taken away from the profile.

    It has where this record gave it a value. Else the profile may have it from elsewhere, which counts where no other
    mapping writes it and the record is met for the first time, or all of it is known; and where somebody has ever seen the
    field filled, since without any access it would look the same.
    """
    if attribute.name in had:
        return True
    if attribute.shared:
        return False
    return newest.complete or (sent is None and guards.seen(newest.outline.name, attribute.name))


def _attributes(sent: Latest | None) -> frozenset[str]:
    """Read which attributes a record gave a value when it was delivered last."""
    return frozenset(json.loads(sent.value)) if sent and sent.value else frozenset()
