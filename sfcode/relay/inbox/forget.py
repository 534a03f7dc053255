"""Delete the data of one person from the inbox: messages, latest states, and references to the person's records."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox import intents, state
from sfcode.relay.inbox.accept import subject
from sfcode.relay.inbox.audit import add_audit_line
from sfcode.relay.inbox.bulk_changes import delete_changes_about
from sfcode.relay.inbox.data_cipher import START
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.tables import INBOX, LATEST
from sfcode.relay.rewrite import rewrite_key

GUARDS = "clearing:"
"""The prefix of the states that store the guards over cleared attributes."""
STATES_OF_RECORDS = ("nps:", "field:", "answers:", "member:")
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


def find_person(tx: Transaction, user_id: str, state_names: Iterable[str]) -> PersonData:
    """
    Find the data of a user: messages about the user, and states by name or by the IDs of the user's records.

    `state_names` are the states whose names contain the user's ID. All searches use an index, except the search for
    messages whose user is unknown.
    """
    whom = subject(f"user:{user_id}", {})
    about = INBOX.c.subject == whom
    rows = tx.db.execute(sa.select(INBOX.c.id, INBOX.c.payload).where(about)).all()
    records = {str(row.payload["record"]["Id"]) for row in rows if _has_record(row.payload)}
    states_by_name = state.latest(tx, state_names)
    for latest_state in states_by_name.values():
        if latest_state.name.startswith("records:"):
            records |= set(json.loads(latest_state.value or "[]"))
    names = {*states_by_name, *_find_names(tx, LATEST.c.name, STATES_OF_RECORDS, records)}
    rewrites = _find_names(tx, INBOX.c.subject, REWRITES_OF_RECORDS, records).union(map(rewrite_key, names))
    ids = {row.id for row in rows} | set(tx.db.scalars(sa.select(INBOX.c.id).where(within(INBOX.c.subject, rewrites))))
    ids |= _find_unread(tx, user_id)
    return PersonData(tuple(sorted(ids)), frozenset(records), tuple(sorted(names)), whom)


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


def delete_messages(tx: Transaction, ids: Sequence[int]) -> int:
    """Delete messages; return their number."""
    return tx.db.execute(INBOX.delete().where(within(INBOX.c.id, ids))).rowcount


def delete_states(tx: Transaction, person: PersonData) -> int:
    """Delete latest states, and remove the records from the guards over cleared attributes; return how many states."""
    count = 0
    if person.states:
        count = tx.db.execute(LATEST.delete().where(within(LATEST.c.name, person.states))).rowcount
        intents.forget(tx, person.states)
    guards = tx.db.execute(
        sa.select(LATEST.c.name, LATEST.c.value).where(LATEST.c.name >= GUARDS, LATEST.c.name < _end(GUARDS))
    ).all()
    for name, text in guards:
        value = json.loads(text)
        run = [record for record in value.get("run", ()) if record not in person.records]
        if run != list(value.get("run", ())):
            remaining_guard = json.dumps({**value, "run": run}, separators=(",", ":"))
            tx.db.execute(LATEST.update().where(LATEST.c.name == name).values(value=remaining_guard))
    return count


def finish(tx: Transaction, person: PersonData, selection: Mapping[str, Any], who: str, messages: int) -> int:
    """Delete latest states and bulk changes after the messages, and store an audit line; return how many states."""
    states = delete_states(tx, person)
    if person.subject:
        delete_changes_about(tx, person.subject)
    add_audit_line(tx, who, "forget", {**selection, "states": states}, messages)
    return states


def _has_record(payload: Mapping[str, Any]) -> bool:
    record = payload.get("record")
    return isinstance(record, Mapping) and isinstance(record.get("Id"), str)
