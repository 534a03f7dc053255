"""Remove what the inbox holds of one person: messages, latest states, and traces of their records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sfcode.relay.inbox import state
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import INBOX, LATEST

AUDIT = "audit:"
"""Begins the names of settings that say what was removed, when and by whom."""


@dataclass(frozen=True, slots=True)
class PersonData:
    """What the inbox holds of one person."""

    messages: tuple[int, ...]
    """Ids of rows."""
    records: frozenset[str]
    """Ids of Salesforce records that are the person's, as far as messages and states tell."""
    states: tuple[str, ...]
    """Names of latest states."""


def find_person(tx: Transaction, user_id: str, state_names: Iterable[str]) -> PersonData:
    """
    Find what is held of a user: messages by key or user id, and states by name or by the ids of the user's records.

    `state_names` are the states that are named by the user's id.
    """
    payload = sa.type_coerce(INBOX.c.payload, sa.Text)
    quoted = f'"user_id":{json.dumps(user_id)}'
    is_theirs = (
        (INBOX.c.key == f"user:{user_id}")
        | INBOX.c.key.startswith(f"user:{user_id}@", autoescape=True)
        | payload.contains(quoted, autoescape=True)
    )
    rows = tx.db.execute(sa.select(INBOX.c.id, INBOX.c.source, INBOX.c.key, INBOX.c.payload).where(is_theirs)).all()
    rows = [row for row in rows if _is_of(row.key, row.payload, user_id)]
    records = {str(row.payload["record"]["Id"]) for row in rows if _has_record(row.payload)}
    named = state.latest(tx, state_names)
    for found in named.values():
        if found.name.startswith("records:"):
            records |= set(json.loads(found.value or "[]"))
    names = set(named)
    ids = {row.id for row in rows}
    for record in records:
        like = LATEST.c.name.contains(f":{record}:", autoescape=True)
        names |= set(tx.db.scalars(sa.select(LATEST.c.name).where(like)))
        again = INBOX.c.key.startswith("rewrite:") & INBOX.c.key.endswith(f":{record}", autoescape=True)
        ids |= set(tx.db.scalars(sa.select(INBOX.c.id).where(again)))
    return PersonData(tuple(sorted(ids)), frozenset(records), tuple(sorted(names)))


def delete_messages(tx: Transaction, ids: Sequence[int]) -> int:
    """Delete rows of the inbox; return how many."""
    return tx.db.execute(INBOX.delete().where(INBOX.c.id.in_(ids))).rowcount


def delete_states(tx: Transaction, person: PersonData, audit: Mapping[str, Any]) -> int:
    """Delete latest states, remove the records from the guards over cleared attributes, and store an audit line."""
    count = 0
    if person.states:
        count = tx.db.execute(LATEST.delete().where(LATEST.c.name.in_(person.states))).rowcount
    guards = tx.db.execute(sa.select(LATEST.c.name, LATEST.c.value).where(LATEST.c.name.startswith("clearing:"))).all()
    for name, text in guards:
        value = json.loads(text)
        run = [record for record in value.get("run", ()) if record not in person.records]
        if run != list(value.get("run", ())):
            kept = json.dumps({**value, "run": run}, separators=(",", ":"))
            tx.db.execute(LATEST.update().where(LATEST.c.name == name).values(value=kept))
    at = f"{tx.now:%Y-%m-%dT%H:%M:%S.%fZ}"
    state.remember(tx, f"{AUDIT}{at}", json.dumps({"at": at, **audit}))
    return count


def _is_of(key: str, payload: Mapping[str, Any], user_id: str) -> bool:
    return key == f"user:{user_id}" or key.startswith(f"user:{user_id}@") or payload.get("user_id") == user_id


def _has_record(payload: Mapping[str, Any]) -> bool:
    record = payload.get("record")
    return isinstance(record, Mapping) and isinstance(record.get("Id"), str)
