"""
Fold what waits for one profile into what has to be sent: for each attribute the newest state, and nulls where due.

Pure but for the guards, which learn from every record: what was delivered before is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sfcode.relay.appcues.delivered_state import Note, Notes, written
from sfcode.relay.appcues.mapping_view import Attribute
from sfcode.relay.appcues.null_guard import Guards
from sfcode.relay.appcues.record_state import State
from sfcode.relay.appcues.values import Value
from sfcode.relay.message import Claimed, Done, Settlement

Read = tuple[Claimed, State]
Newness = tuple[str, int]
"""When a record was changed and, of equally new states, which came last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attribute of one record."""

    newness: Newness
    mapping: str
    attribute: str
    note: Note
    value: Value = None
    sent: bool = False
    """Whether the value, or null, is sent."""
    left_out: bool = False
    """Whether it is not sent because its value is of the wrong type, or because clearing is stopped."""
    bad: str = ""
    """What is wrong with the value, in words that do not tell it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one record gives to a profile, and the messages which that settles."""

    messages: tuple[int, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def bad(self) -> list[str]:
        """Say which values are of the wrong type."""
        return [f"{each.mapping}.{each.attribute} {each.bad}" for each in self.outcomes if each.bad]

    @property
    def done(self) -> Done:
        """Settle its messages as delivered."""
        left_out = [outcome.attribute for outcome in self.outcomes if outcome.left_out]
        if left_out:
            return Done(f"left out: {', '.join(left_out)}")
        return Done("" if any(outcome.sent for outcome in self.outcomes) else "nothing to send")


@dataclass(frozen=True, slots=True)
class Fold:
    """What to send to one profile, in the order in which the records changed, and what is settled without sending."""

    parts: tuple[Part, ...]
    settled: Mapping[int, Settlement]


def fold(messages: Sequence[Read], before: Notes, guards: Guards) -> Fold:
    """Work out what to send. What is older than what was delivered is stale; what is equally old is not."""
    settled: dict[int, Settlement] = {}
    records: dict[tuple[str, str], list[_Arrived]] = {}
    for place, (message, state) in enumerate(messages):
        if _is_stale(state, before):
            settled[message.id] = Done("stale")
        else:
            arrived = _Arrived((state.stamp, place), message.id, state)
            records.setdefault((state.outline.name, state.record_id), []).append(arrived)
    outcomes = _judged(records, before, guards)
    groups = sorted(records.items(), key=lambda each: max(arrived.newness for arrived in each[1]))
    parts = (Part(tuple(each.message for each in group), tuple(outcomes[record])) for record, group in groups)
    return Fold(tuple(parts), settled)


def body(parts: Iterable[Part], delivered: Iterable[Part] = ()) -> dict[str, Value]:
    """Put parts together: the record that changed last wins, attribute by attribute, also over what was `delivered`."""
    newest = {each.attribute: each.newness for each in _in_order(delivered) if each.sent}
    return {
        each.attribute: each.value
        for each in _in_order(parts)
        if each.sent and each.newness >= newest.get(each.attribute, each.newness)
    }


def noted(parts: Iterable[Part], before: Notes) -> dict[tuple[str, str], Note]:
    """Add to what is known of a profile what the delivery of parts says. What has no time is not remembered."""
    return {
        **before,
        **{(each.mapping, each.attribute): each.note for each in _in_order(parts) if each.note.stamp},
    }


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A state, in the order of newness."""

    newness: Newness
    message: int
    state: State


def _in_order(parts: Iterable[Part]) -> list[Outcome]:
    return sorted((each for part in parts for each in part.outcomes), key=lambda each: each.newness)


def _said(state: State) -> Iterator[Attribute]:
    """List the attributes of which a state says anything."""
    return (
        each
        for each in state.outline.attributes
        if each.name in state.values or each.name in state.empty or each.name in state.bad
    )


def _is_stale(state: State, before: Notes) -> bool:
    """Tell whether all that a state says is older than what was delivered."""
    said = list(_said(state))
    return bool(said) and all(
        state.stamp < _known(state, each, before).stamp
        or (each.name in state.values and state.stamp < written(before, each.name, each.others))
        for each in said
    )


def _judged(
    records: Mapping[tuple[str, str], Sequence[_Arrived]], before: Notes, guards: Guards
) -> dict[tuple[str, str], list[Outcome]]:
    """
    Decide attribute by attribute, the eldest first, each knowing what became of the elder ones.

    Of a record counts the newest state that says anything of the attribute.
    """
    found: dict[tuple[str, str], list[Outcome]] = {record: [] for record in records}
    sayings: list[tuple[Newness, State, Attribute]] = []
    for group in records.values():
        said = {
            attribute.name: (each.newness, each.state, attribute)
            for each in sorted(group, key=lambda each: each.newness)
            for attribute in _said(each.state)
        }
        sayings += (each for each in said.values() if each[1].stamp >= _known(each[1], each[2], before).stamp)
    first = _first_values(arrived for group in records.values() for arrived in group)
    notes = dict(before)
    for newness, state, attribute in sorted(sayings, key=lambda each: each[0]):
        # What an elder message gives may have been delivered without anybody having noted it.
        had = first.get((state.outline.name, attribute.name), newness) < newness
        outcome = _outcome(newness, state, attribute, notes, guards, had=had)
        if outcome.note.stamp:
            notes[outcome.mapping, outcome.attribute] = outcome.note
        found[state.outline.name, state.record_id].append(outcome)
    return found


def _first_values(arrived: Iterable[_Arrived]) -> dict[tuple[str, str], Newness]:
    """Find by mapping and attribute the eldest state that has a value."""
    eldest_last = sorted(arrived, key=lambda each: each.newness, reverse=True)
    return {(each.state.outline.name, name): each.newness for each in eldest_last for name in each.state.values}


def _outcome(
    newness: Newness, state: State, attribute: Attribute, notes: Notes, guards: Guards, *, had: bool
) -> Outcome:
    name, mapping = attribute.name, state.outline.name
    own = _known(state, attribute, notes)
    wins = state.stamp >= written(notes, name, attribute.others)

    def outcome(
        value: Value = None, *, given: bool, sent: bool = False, left_out: bool = False, bad: str = ""
    ) -> Outcome:
        note = Note(state.stamp, given, state.stamp if sent else own.written)
        return Outcome(newness, mapping, name, note, value, sent, left_out, bad)

    if name in state.values:
        guards.with_value(mapping, name)
        return outcome(state.values[name], given=True, sent=wins)
    if name in state.bad:
        return outcome(given=own.given, left_out=True, bad=state.bad[name])
    given = own.given or had
    if not (wins and (given or _is_due_unasked(state, attribute, notes, guards))):
        return outcome(given=False)
    if state.complete or guards.clears(mapping, name, state.record_id if given else ""):
        return outcome(given=False, sent=True)
    return outcome(given=given, left_out=True)


def _is_due_unasked(state: State, attribute: Attribute, notes: Notes, guards: Guards) -> bool:
    """
    Tell whether an empty attribute has to be taken away from the profile although this mapping gave it no value.

    The profile may have it from elsewhere, which counts where no other mapping writes it and nothing is known of it
    yet, or all of the record is known; and where somebody has ever seen the field filled, since without any access it
    would look the same.
    """
    if attribute.others:
        return False
    mapping = state.outline.name
    return state.complete or ((mapping, attribute.name) not in notes and guards.seen(mapping, attribute.name))


def _known(state: State, attribute: Attribute, notes: Notes) -> Note:
    return notes.get((state.outline.name, attribute.name)) or _NOTHING


_NOTHING = Note("", given=False)
