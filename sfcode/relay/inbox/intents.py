"""
Write intents: the states that a claim may be writing to Salesforce or Appcues.

A claim announces states in a separate transaction before its first call, and withdraws them when it is settled. Two claims
that announced one state at the same time may have written it in either order: the claim that is settled last writes the
newest value again. States that were never withdrawn, because a process died, and states of calls with an unknown outcome
are written again once these calls must have ended.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import timedelta

import sqlalchemy as sa

from sfcode.relay.inbox.accept import accept
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.tables import INBOX, INTENTS, LATEST
from sfcode.relay.message import Claim, Delivery, Source
from sfcode.relay.rewrite import rewrite_key, rewrites

AT_ONCE = 1_000


def announce(tx: Transaction, claim: Claim, names: Collection[str]) -> int:
    """
    Store the names of the states that a claim may write; return the ID of the intent.

    The claim makes no call after its lease. A request that was sent before arrives within the length of another lease.
    """
    row = {
        "token": claim.token,
        "source": claim.source,
        "names": json.dumps(sorted(names)),
        "contested": "[]",
        "expires_at": tx.now + timedelta(seconds=2 * claim.lease),
    }
    id_: int = tx.db.execute(INTENTS.insert().values(row).returning(INTENTS.c.id)).scalar_one()
    return id_


def withdraw(tx: Transaction, claim: Claim, delivery: Delivery) -> set[str]:
    """
    Withdraw the intents of a claim; return the states that other, already settled claims wrote at the same time.

    States whose calls may still run stay announced for another lease: states with an unknown outcome, and all states of a
    row that the delivery does not mention, since it was interrupted.
    """
    of_source = sa.select(INTENTS.c.id, INTENTS.c.token, INTENTS.c.names).where(INTENTS.c.source == claim.source)
    rows = tx.db.execute(of_source).all()
    own = {row.id: frozenset[str](json.loads(row.names)) for row in rows if row.token == claim.token}
    uncertain = delivery.doubted.union(*(names for id_, names in own.items() if id_ not in delivery.intents))
    possibly_written = uncertain | delivery.written
    shared = {
        row.id: common
        for row in rows
        if row.id not in own and possibly_written and (common := possibly_written.intersection(json.loads(row.names)))
    }
    contested = _lock(tx, [*own, *shared])
    shared_states: set[str] = set()
    for id_ in own:
        shared_states |= contested.get(id_, set())
    for id_, common in shared.items():
        if id_ in contested:
            _contest(tx, id_, contested[id_] | common)
        else:
            shared_states |= common  # the claim was settled while this transaction waited for its lock
    if own:
        tx.db.execute(INTENTS.delete().where(within(INTENTS.c.id, own)))
    if uncertain:
        announce_doubt(tx, claim, uncertain)
    return (shared_states & possibly_written) - uncertain


def announce_doubt(tx: Transaction, claim: Claim, names: Collection[str]) -> None:
    """Announce the states that calls of a settled claim may still write, until these calls must have ended."""
    id_ = announce(tx, claim, names)
    until = tx.now + timedelta(seconds=claim.lease)
    tx.db.execute(INTENTS.update().where(INTENTS.c.id == id_).values(expires_at=until))


def expire(tx: Transaction) -> int:
    """Queue messages that write the states of expired intents again, and delete the intents; return the number of states."""
    due = sa.select(INTENTS.c.id, INTENTS.c.source, INTENTS.c.names).where(INTENTS.c.expires_at <= tx.now)
    names: dict[Source, set[str]] = {}
    ids: list[int] = []
    for row in tx.db.execute(tx.database.for_update_skip_locked(due.order_by(INTENTS.c.id))).mappings():
        ids.append(row["id"])
        names.setdefault(row["source"], set()).update(json.loads(row["names"]))
    if ids:
        tx.db.execute(INTENTS.delete().where(within(INTENTS.c.id, ids)))
    for source, of_source in names.items():
        _contest_all(tx, source, of_source - write_again(tx, source, of_source))
    return sum(map(len, names.values()))


def _contest_all(tx: Transaction, source: Source, names: Collection[str]) -> None:
    """
    Mark the states as contested in the intents of other claims, so that these claims write them again.

    Locked intents are skipped: their claims are being settled, and have seen the expired intent.
    """
    rows = sa.select(INTENTS.c.id, INTENTS.c.names, INTENTS.c.contested).where(INTENTS.c.source == source)
    for row in (
        tx.db.execute(tx.database.for_update_skip_locked(rows.order_by(INTENTS.c.id))).mappings().all() if names else ()
    ):
        if common := set(json.loads(row["names"])).intersection(names):
            _contest(tx, row["id"], common.union(json.loads(row["contested"])))


def _contest(tx: Transaction, id_: int, names: Collection[str]) -> None:
    tx.db.execute(INTENTS.update().where(INTENTS.c.id == id_).values(contested=json.dumps(sorted(names))))


def forget(tx: Transaction, names: Collection[str]) -> None:
    """Remove states from the intents, so that they are not written again."""
    rows = sa.select(INTENTS.c.id, INTENTS.c.names, INTENTS.c.contested).order_by(INTENTS.c.id)
    for row in tx.db.execute(tx.database.for_update(rows)).mappings().all():
        remaining_names = {
            column: json.dumps(sorted(set(json.loads(row[column])).difference(names)))
            for column in ("names", "contested")
        }
        tx.db.execute(INTENTS.update().where(INTENTS.c.id == row["id"]).values(remaining_names))


def write_again(tx: Transaction, source: Source, names: Iterable[str]) -> set[str]:
    """
    Queue messages that write states again; return the states that are stored.

    A state that is not stored has no value to write. Either its first claim is not settled, so that its message will be
    delivered again, or the data of its person was deleted, and a late settlement must store nothing about the person.

    If a message for the same state is waiting, no other one is queued, since that message will write the newest value. So
    there is one message per state, even if every attempt of a long outage has an unknown outcome.
    """
    stored: set[str] = set()
    sorted_names = sorted(set(names))
    for start in range(0, len(sorted_names), AT_ONCE):
        states = sa.select(LATEST.c.name).where(within(LATEST.c.name, sorted_names[start : start + AT_ONCE]))
        # The lock only delays a transaction that deletes the states, which then finds the queued messages.
        locked = states.order_by(LATEST.c.name).with_for_update(read=True, key_share=True)
        keys = {rewrite_key(name): name for name in tx.db.scalars(locked)}
        stored.update(keys.values())
        is_open = (INBOX.c.source == source) & within(INBOX.c.key, keys) & INBOX.c.finished_at.is_(None)
        waiting = set(tx.db.scalars(sa.select(INBOX.c.key).where(is_open, INBOX.c.state == "ready")))
        accept(tx, [rewrites(source, (name for key, name in keys.items() if key not in waiting))])
    return stored


def _lock(tx: Transaction, ids: Collection[int]) -> dict[int, set[str]]:
    """Lock rows in a fixed order, and return their contested states; deleted rows are left out."""
    if not ids:
        return {}
    rows = sa.select(INTENTS.c.id, INTENTS.c.contested).where(within(INTENTS.c.id, ids)).order_by(INTENTS.c.id)
    locked = tx.db.execute(tx.database.for_update(rows)).mappings()
    return {row["id"]: set(json.loads(row["contested"])) for row in locked}
