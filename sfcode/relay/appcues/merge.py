"""
Merge the waiting messages of one profile into one request: the newest value of each attribute, and nulls to clear.

Pure except for the guards, which count records with and without values. The delivered state is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.appcues.delivered_state import DeliveredAttribute, DeliveredState, newest_write
from sfcode.relay.appcues.mapping_view import AttributeView
from sfcode.relay.appcues.null_guard import NullGuards
from sfcode.relay.appcues.record_state import RecordState
from sfcode.relay.appcues.values import Value
from sfcode.relay.message import ClaimedMessage, Delivered, Settlement

Read = tuple[ClaimedMessage, RecordState]
Newness = tuple[str, int]
"""The time of a record's change and, to order equal times, the position of its message."""


@dataclass(frozen=True, slots=True)
class AttributeDecision:
    """Whether one attribute of one record is sent, and what the delivered state stores about it."""

    newness: Newness
    mapping: str
    object: str
    """The object in lower case, as in the delivered state."""
    attribute: str
    note: DeliveredAttribute
    value: Value = None
    sent: bool = False
    """Whether the value, or null, is sent."""
    left_out: bool = False
    """Whether it is not sent because its value is of the wrong type, or because clearing is stopped."""
    bad: str = ""
    """Why the value is invalid, in words that do not contain it."""


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """The attributes that one record contributes to a profile, and the messages that are settled with them."""

    messages: tuple[int, ...]
    changes: tuple[AttributeDecision, ...]

    @property
    def bad(self) -> list[str]:
        """A description of the values of the wrong type."""
        return [f"{change.mapping}.{change.attribute} {change.bad}" for change in self.changes if change.bad]

    @property
    def done(self) -> Delivered:
        """The settlement of the record's messages once the record is delivered."""
        left_out = [outcome.attribute for outcome in self.changes if outcome.left_out]
        if left_out:
            return Delivered(f"left out: {', '.join(left_out)}")
        return Delivered("" if any(outcome.sent for outcome in self.changes) else "nothing to send")


@dataclass(frozen=True, slots=True)
class MergedProfile:
    """The changes of one profile, by record in order of change, and the messages that are settled without a request."""

    parts: tuple[RecordChanges, ...]
    settled: Mapping[int, Settlement]


def merge_states(messages: Sequence[Read], before: DeliveredState, guards: NullGuards) -> MergedProfile:
    """Merge messages. A message that is older than the delivered state is stale; one with the same time is not."""
    settled: dict[int, Settlement] = {}
    records: dict[tuple[str, str], list[_ReceivedState]] = {}
    for place, (message, state) in enumerate(messages):
        if _is_stale(state, before):
            settled[message.id] = Delivered("stale")
        else:
            arrived = _ReceivedState((state.stamp, place), message.id, state)
            records.setdefault((state.view.name, state.record_id), []).append(arrived)
    changes = _decide_attributes(records, before, guards)
    groups = sorted(records.items(), key=lambda entry: max(arrived.newness for arrived in entry[1]))
    parts = (RecordChanges(tuple(entry.message for entry in group), tuple(changes[record])) for record, group in groups)
    return MergedProfile(tuple(parts), settled)


def request_body(parts: Iterable[RecordChanges], delivered: Iterable[RecordChanges] = ()) -> dict[str, Value]:
    """Return the attributes to send, without those that a newer record of `delivered` has already set."""
    newest = {decision.attribute: decision.newness for decision in _in_order(delivered) if decision.sent}
    return {
        decision.attribute: decision.value
        for decision in _in_order(parts)
        if decision.sent and decision.newness >= newest.get(decision.attribute, decision.newness)
    }


def update_delivered_state(
    parts: Iterable[RecordChanges], before: DeliveredState
) -> dict[tuple[str, str], DeliveredAttribute]:
    """Return the delivered state after a delivery. Records without a time are not remembered."""
    return {
        **before,
        **{
            (decision.object, decision.attribute): decision.note for decision in _in_order(parts) if decision.note.stamp
        },
    }


@dataclass(frozen=True, slots=True)
class _ReceivedState:
    """A record state with its position in the order of changes."""

    newness: Newness
    message: int
    state: RecordState


def _in_order(parts: Iterable[RecordChanges]) -> list[AttributeDecision]:
    return sorted((decision for part in parts for decision in part.changes), key=lambda decision: decision.newness)


def _stated_attributes(state: RecordState) -> Iterator[AttributeView]:
    """Yield the attributes for which a state contains a value, an invalid value, or a null."""
    return (
        attribute
        for attribute in state.view.attributes
        if attribute.name in state.values or attribute.name in state.empty or attribute.name in state.bad
    )


def _is_stale(state: RecordState, before: DeliveredState) -> bool:
    """Return whether every attribute of a state is older than what was delivered."""
    attributes = list(_stated_attributes(state))
    return bool(attributes) and all(
        state.stamp < _find_delivered(state, attribute, before).stamp
        or (
            attribute.name in state.values
            and state.stamp < newest_write(before, attribute.name, attribute.other_objects)
        )
        for attribute in attributes
    )


def _decide_attributes(
    records: Mapping[tuple[str, str], Sequence[_ReceivedState]], before: DeliveredState, guards: NullGuards
) -> dict[tuple[str, str], list[AttributeDecision]]:
    """
    Decide on each attribute, oldest record first, so that later decisions take earlier ones into account.

    For each record, the newest state that contains the attribute counts.
    """
    decisions: dict[tuple[str, str], list[AttributeDecision]] = {record: [] for record in records}
    undelivered: list[tuple[Newness, RecordState, AttributeView]] = []
    for group in records.values():
        newest = {
            attribute.name: (entry.newness, entry.state, attribute)
            for entry in sorted(group, key=lambda entry: entry.newness)
            for attribute in _stated_attributes(entry.state)
        }
        undelivered += (
            entry for entry in newest.values() if entry[1].stamp >= _find_delivered(entry[1], entry[2], before).stamp
        )
    first = _first_values(arrived for group in records.values() for arrived in group)
    delivered_state = dict(before)
    for newness, state, attribute in sorted(undelivered, key=lambda entry: entry[0]):
        # An older message may have been delivered without its state being stored.
        had_earlier_value = first.get((_object(state), attribute.name), newness) < newness
        outcome = _outcome(newness, state, attribute, delivered_state, guards, had_earlier_value=had_earlier_value)
        if outcome.note.stamp:
            delivered_state[outcome.object, outcome.attribute] = outcome.note
        decisions[state.view.name, state.record_id].append(outcome)
    return decisions


def _first_values(arrived: Iterable[_ReceivedState]) -> dict[tuple[str, str], Newness]:
    """Return the position of the oldest state with a value, by object and attribute."""
    eldest_last = sorted(arrived, key=lambda state: state.newness, reverse=True)
    return {(_object(state.state), name): state.newness for state in eldest_last for name in state.state.values}


def _outcome(
    newness: Newness,
    state: RecordState,
    attribute: AttributeView,
    delivered_state: DeliveredState,
    guards: NullGuards,
    *,
    had_earlier_value: bool,
) -> AttributeDecision:
    name, mapping = attribute.name, state.view.name
    own = _find_delivered(state, attribute, delivered_state)
    is_newest = state.stamp >= newest_write(delivered_state, name, attribute.other_objects)

    def outcome(
        value: Value = None, *, has_value: bool, sent: bool = False, left_out: bool = False, bad: str = ""
    ) -> AttributeDecision:
        note = DeliveredAttribute(state.stamp, has_value, state.stamp if sent else own.written)
        return AttributeDecision(newness, mapping, _object(state), name, note, value, sent, left_out, bad)

    if name in state.values:
        guards.record_value(mapping, name)
        return outcome(state.values[name], has_value=True, sent=is_newest)
    if name in state.bad:
        return outcome(has_value=own.has_value, left_out=True, bad=state.bad[name])
    had_value = own.has_value or had_earlier_value
    unlisted = name in state.unlisted
    if unlisted:
        guards.record_value(mapping, name)
    if not (is_newest and (had_value or _clears_unsent(state, attribute, delivered_state, guards))):
        return outcome(has_value=False)
    if state.complete or unlisted or guards.may_clear(mapping, name, state.record_id if had_value else ""):
        return outcome(has_value=False, sent=True)
    return outcome(has_value=had_value, left_out=True)


def _clears_unsent(
    state: RecordState, attribute: AttributeView, delivered_state: DeliveredState, guards: NullGuards
) -> bool:
    """
    Return whether an empty attribute must be cleared, although no record of this object ever sent a value for it.

    Another program may have set the attribute. It is not cleared if a mapping of another object writes it too. It is
    cleared if the message contains the whole record, or if the attribute was never delivered and some record had a
    value in the field. Otherwise the integration user may be unable to read the field, which then looks empty.
    """
    if attribute.other_objects:
        return False
    is_known = (_object(state), attribute.name) in delivered_state
    return state.complete or (not is_known and guards.had_value(state.view.name, attribute.name))


def _find_delivered(
    state: RecordState, attribute: AttributeView, delivered_state: DeliveredState
) -> DeliveredAttribute:
    return delivered_state.get((_object(state), attribute.name)) or _NOTHING


def _object(state: RecordState) -> str:
    return state.view.object_key


_NOTHING = DeliveredAttribute("", has_value=False)
