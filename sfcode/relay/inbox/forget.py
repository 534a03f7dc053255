"""Delete the data of one person from the inbox: messages, latest states, and references to the person's records."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.relay.inbox import intents, state
from sfcode.relay.inbox.accept import subject
from sfcode.relay.inbox.audit import add_audit_line
from sfcode.relay.inbox.bulk_changes import delete_changes_about
from sfcode.relay.inbox.data_cipher import START
from sfcode.relay.inbox.dialects import RunTransaction, Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.settle import reopen_idle
from sfcode.relay.inbox.tables import INBOX, LANES, LATEST, lane
from sfcode.relay.rewrite import rewrite_key
from sfcode.relay.state_names import NULL_GUARD, RECORD_KINDS, RECORD_LIST, read_kind

AT_ONCE = 1_000
"""The number of messages that one transaction deletes."""
GUARDS = f"{NULL_GUARD}:"
"""The prefix of the states that store null guards."""
STATES_OF_RECORDS = tuple(f"{kind}:" for kind in RECORD_KINDS)
"""The prefixes of the states of records; a mapping or an object, and the record's ID follow."""
REWRITES_OF_RECORDS = tuple(map(rewrite_key, STATES_OF_RECORDS))
"""The prefixes of the keys of messages that write records again."""


@dataclass(frozen=True, slots=True)
class PersonData:
    """The data of one person in the inbox."""

    messages: tuple[int, ...]
    """IDs of messages."""
    records: frozenset[str]
    """IDs of the person's Salesforce records, as far as messages and states contain them."""
    states: tuple[str, ...]
    """Names of latest states."""
    subject: str = ""
    """The subject of messages about the person."""
    user_id: str = ""
    state_names: tuple[str, ...] = ()
    """The names of states that contain the user's ID, whether or not they are stored."""


def find_person(tx: Transaction, user_id: str, state_names: Iterable[str]) -> PersonData:
    """
    Find the data of a user: messages about the user, and states by name or by the IDs of the user's records.

    `state_names` are the states whose names contain the user's ID. All searches use an index, except the search for
    messages whose user is unknown.
    """
    person_subject = subject(f"user:{user_id}", {})
    rows = tx.db.execute(sa.select(INBOX.c.id, INBOX.c.payload).where(INBOX.c.subject == person_subject)).all()
    records = frozenset(str(row.payload["record"]["Id"]) for row in rows if _has_record(row.payload))
    person = _find_states(tx, PersonData((), records, (), person_subject, user_id, tuple(state_names)))
    ids = {row.id for row in rows} | _find_rewrites(tx, person) | _find_unread(tx, user_id)
    return replace(person, messages=tuple(sorted(ids)))


def forget_person(
    read: RunTransaction, write: RunTransaction, person: PersonData, selection: Mapping[str, Any], who: str
) -> tuple[int, int]:
    """
    Delete the data of a person, and store an audit line; return the numbers of deleted messages and states.

    Messages are deleted first, until none is left. Then no delivery stores new states or follow-ups of the person, since it
    can do so only while its messages exist. Without states, no settlement queues messages that write them again.
    """
    messages = 0
    while person.messages:
        for start in range(0, len(person.messages), AT_ONCE):
            messages += write(partial(_delete_messages, ids=person.messages[start : start + AT_ONCE]))
        person = read(partial(_find_rest, person=person))
    states, person = write(partial(_delete_states, person=person))
    messages = write(
        partial(_finish, person=person, selection={**selection, "states": states}, who=who, messages=messages)
    )
    return messages, states


def _find_rest(tx: Transaction, person: PersonData) -> PersonData:
    """Find the data of a person that was stored after the last search."""
    rest = find_person(tx, person.user_id, person.state_names)
    return replace(rest, records=rest.records | person.records)


def _find_states(tx: Transaction, person: PersonData) -> PersonData:
    """Find the latest states of a person, and the records that they refer to."""
    states_by_name = state.latest(tx, person.state_names)
    records = set(person.records)
    for latest_state in states_by_name.values():
        if read_kind(latest_state.name) == RECORD_LIST:
            records |= set(json.loads(latest_state.value or "[]"))
    names = {*person.states, *states_by_name, *_find_names(tx, LATEST.c.name, STATES_OF_RECORDS, records)}
    return replace(person, records=frozenset(records), states=tuple(sorted(names)))


def _find_rewrites(tx: Transaction, person: PersonData) -> set[int]:
    """Return the IDs of the messages that write a person's states again."""
    subjects = _find_names(tx, INBOX.c.subject, REWRITES_OF_RECORDS, person.records)
    subjects |= set(map(rewrite_key, (*person.states, *person.state_names)))
    return set(tx.db.scalars(sa.select(INBOX.c.id).where(within(INBOX.c.subject, subjects))))


def _find_unread(tx: Transaction, user_id: str) -> set[int]:
    """Return the IDs of messages whose user is unknown and that contain the user's ID as a value."""
    stored = sa.type_coerce(INBOX.c.payload, sa.Text)
    # Encrypted rows must be decrypted here; the database leaves out plain rows without the ID.
    text = stored.contains(json.dumps(user_id)[1:-1], autoescape=True) | stored.startswith(START, autoescape=True)
    rows = tx.db.execute(sa.select(INBOX.c.id, INBOX.c.payload).where(INBOX.c.subject == subject("", {}), text)).all()
    return {row.id for row in rows if _holds(row.payload, user_id)}


def _holds(value: Any, user_id: str) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(item, user_id) for item in value.values())
    if isinstance(value, list):
        return any(_holds(item, user_id) for item in value)
    return not isinstance(value, bool) and str(value) == user_id


def _find_names(tx: Transaction, column: sa.Column[str], starts: Iterable[str], records: Collection[str]) -> set[str]:
    """
    Return the names in a column that consist of a prefix, any one word, the ID of a record, and optionally more.

    The index is not scanned: after each word, the search jumps behind all names with that word.
    """
    matching_names: set[str] = set()
    for start in starts if records else ():
        after = start
        while name := tx.db.scalar(sa.select(sa.func.min(column)).where(column >= after, column < _end(start))):
            head = f"{start}{name.removeprefix(start).partition(':')[0]}:"
            for record in records:
                exact, more = f"{head}{record}", f"{head}{record}:"
                names = tx.db.scalars(sa.select(column).where(column >= exact, column < _end(more)))
                matching_names |= {candidate for candidate in names if candidate == exact or candidate.startswith(more)}
            after = _end(head)
    return matching_names


def _end(start: str) -> str:
    """Return the smallest text after all texts with a prefix that ends in a colon."""
    return f"{start[:-1]};"


def _delete_messages(tx: Transaction, ids: Collection[int]) -> int:
    """
    Delete messages, and lanes that become empty; return the number of messages.

    The lanes are locked first. So a settlement of these messages is stored completely before, or finds them deleted.
    """
    rows = tx.db.execute(sa.select(INBOX.c.source, INBOX.c.key).where(within(INBOX.c.id, ids)).distinct()).all()
    if not rows:
        return 0
    lanes = sorted(lane(row.source, row.key) for row in rows)
    tx.db.execute(
        tx.database.for_update(sa.select(LANES.c.name).where(within(LANES.c.name, lanes)).order_by(LANES.c.name))
    )
    number = tx.db.execute(INBOX.delete().where(within(INBOX.c.id, ids))).rowcount
    reopen_idle(tx, lanes)
    return number


def _delete_states(tx: Transaction, person: PersonData) -> tuple[int, PersonData]:
    """
    Delete the latest states of a person whose messages are deleted; return their number, and the completed data.

    The IDs of the person's records are also removed from the null guards, which list records that became empty.
    """
    person = _find_states(tx, person)
    names = {*person.states, *person.state_names}
    intents.forget(tx, names)
    count = tx.db.execute(LATEST.delete().where(within(LATEST.c.name, names))).rowcount
    guards = tx.db.execute(
        sa.select(LATEST.c.name, LATEST.c.value).where(LATEST.c.name >= GUARDS, LATEST.c.name < _end(GUARDS))
    ).all()
    for name, text in guards:
        value = json.loads(text)
        run = [record for record in value.get("run", ()) if record not in person.records]
        if run != list(value.get("run", ())):
            remaining_guard = json.dumps({**value, "run": run}, separators=(",", ":"))
            tx.db.execute(LATEST.update().where(LATEST.c.name == name).values(value=remaining_guard))
    return count, person


def _finish(tx: Transaction, person: PersonData, selection: Mapping[str, Any], who: str, messages: int) -> int:
    """
    Delete bulk changes, and messages that settlements queued before the states were deleted; store an audit line.

    Returns the number of all deleted messages, given the number so far.
    """
    messages += _delete_messages(tx, _find_rewrites(tx, person))
    delete_changes_about(tx, person.subject, person.records)
    add_audit_line(tx, who, "forget", selection, messages)
    return messages


def _has_record(payload: Mapping[str, Any]) -> bool:
    record = payload.get("record")
    return isinstance(record, Mapping) and isinstance(record.get("Id"), str)
