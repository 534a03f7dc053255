"""Store the settlements of a claim, and reopen its lanes."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sfcode.relay.inbox.accept import accept
from sfcode.relay.inbox.dialects import InsertInto, Transaction
from sfcode.relay.inbox.intents import withdraw, write_again
from sfcode.relay.inbox.parameters import given_rows, within
from sfcode.relay.inbox.state import latest
from sfcode.relay.inbox.tables import INBOX, LANES, LATEST, age, lane, open_rows
from sfcode.relay.message import Claim, Delivered, Delivery, FollowUp, LatestState, Parked, Released, Retry, Settlement

GAVE_UP = "gave_up"
LONGEST_DETAIL = 2_000


def settle(
    tx: Transaction,
    claim: Claim,
    delivery: Delivery,
    delays: Mapping[int, timedelta | None],
) -> int:
    """
    Store settlements and latest states if the claim is still held, else nothing; return the number of messages.

    `delays` has the wait of each message that is retried, or None if its attempts are used up.
    """
    if not hold(tx, claim):
        rewrite_names = withdraw(tx, claim, delivery)
        write_again(tx, claim.source, rewrite_names | delivery.written)
        return 0
    same: defaultdict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for message in claim.messages:
        settlement = delivery.settlements.get(message.id, Released())
        delay = delays.get(message.id)
        values = _values(settlement, tx.now, tx.now + delay if delay is not None else None)
        same[tuple(values.items())].append(message.id)
    for change, ids in same.items():
        _update(tx, ids, dict(change))
    for id_, payload in delivery.redacted.items():
        tx.db.execute(INBOX.update().where(INBOX.c.id == id_).values(payload=payload))
    reopen(tx, lanes(claim))
    rewrite_names = withdraw(tx, claim, delivery) | _overtaken(tx, delivery)
    remember_latest(tx, delivery.latest)
    write_again(tx, claim.source, rewrite_names)
    _store(tx, delivery.followups)
    return len(claim.messages)


def _store(tx: Transaction, followups: Iterable[FollowUp]) -> None:
    for followup in {followup.message.message_id: followup for followup in followups}.values():
        accept(tx, [[followup.message]], after=timedelta(seconds=followup.after))


def _overtaken(tx: Transaction, delivery: Delivery) -> set[str]:
    """Name the states of a delivery than which newer ones were settled before it announced its own."""
    written_states = {state.name: state for state in delivery.latest if state.name in delivery.written}
    rewritten_states = {state.name: state for state in delivery.rewritten if state.name not in written_states}
    stored = latest(tx, [*written_states, *rewritten_states])
    newer = {name for name, state in written_states.items() if name in stored and stored[name].stamp > state.stamp}
    return newer | {name for name, state in rewritten_states.items() if name in stored and stored[name] != state}


def hold(tx: Transaction, claim: Claim) -> bool:
    """Lock the lanes of a claim; return whether it is still valid."""
    own_lanes = sa.select(LANES.c.name).where(within(LANES.c.name, lanes(claim))).order_by(LANES.c.name)
    tx.db.execute(tx.database.held(own_lanes)).all()
    ids = [message.id for message in claim.messages]
    query = sa.select(sa.func.count()).where(
        within(INBOX.c.id, ids), INBOX.c.state == "leased", INBOX.c.lease_token == claim.token
    )
    return tx.db.execute(query).scalar_one() == len(ids)


def lanes(claim: Claim) -> list[str]:
    """Return the lanes of a claim in locking order."""
    return sorted({lane(message.source, message.key) for message in claim.messages})


def reopen(tx: Transaction, names: Collection[str]) -> None:
    """Set locked lanes to when their oldest open row is due; close those without open rows."""
    named_lanes, own_rows = within(LANES.c.name, names), open_rows(INBOX, LANES.c.source, LANES.c.key)
    # Not NOT EXISTS, of which PostgreSQL may make a join with all open rows.
    eldest = sa.select(INBOX.c.due_at).where(own_rows).order_by(age(INBOX)).limit(1).scalar_subquery()
    closed = tx.db.execute(LANES.delete().where(named_lanes, eldest.is_(None))).rowcount
    if closed < len(names):
        tx.db.execute(LANES.update().where(named_lanes).values(due_at=eldest))


def remember_latest(tx: Transaction, states: Iterable[LatestState]) -> None:
    """Store states that are not older than the stored ones."""
    newest: dict[str, LatestState] = {}
    for state in states:
        if state.name not in newest or state.stamp >= newest[state.name].stamp:
            newest[state.name] = state
    if not newest:
        return
    rows = [(name, newest[name].stamp, newest[name].value) for name in sorted(newest)]
    tx.db.execute(_upsert_latest(tx.database.insert, tx.db.dialect.name), {"rows": rows})


@functools.cache
def _upsert_latest(insert: InsertInto, dialect: str) -> sa.Insert:
    """Return the statement that stores the states of `rows` that are not older than the stored ones."""
    given = given_rows(dialect, [LATEST.c.name, LATEST.c.stamp, LATEST.c.value])
    rows = sa.select(given.c.name, given.c.stamp, given.c.value).order_by(given.c.position)
    upsert = insert(LATEST).from_select(["name", "stamp", "value"], rows)
    return upsert.on_conflict_do_update(
        index_elements=["name"],
        set_={"stamp": upsert.excluded.stamp, "value": upsert.excluded.value},
        where=upsert.excluded.stamp >= LATEST.c.stamp,
    )


def _values(settlement: Settlement, now: datetime, due: datetime | None) -> dict[str, Any]:
    """Return the column values of a settlement; `again` counts the attempt."""
    match settlement:
        case Delivered(note):
            return {"state": "done", "reason": "", "detail": _cut(note), "finished_at": now, "again": 1}
        case Parked(reason, detail):
            return {"state": "parked", "reason": reason, "detail": _cut(detail), "finished_at": now, "again": 1}
        case Retry(error, counts=counts) if due is not None:
            return {"state": "ready", "reason": "", "detail": _cut(error), "due_at": due, "again": int(counts)}
        case Retry(error):
            return {"state": "dead", "reason": GAVE_UP, "detail": _cut(error), "finished_at": now, "again": 1}
        case Released():
            return {"state": "ready", "again": 0}


def _update(tx: Transaction, ids: Collection[int], values: dict[str, Any]) -> None:
    counted_attempts = values.pop("again")
    if counted_attempts:
        values["attempts"] = INBOX.c.attempts + counted_attempts
    tx.db.execute(INBOX.update().where(within(INBOX.c.id, ids)).values(lease_until=None, lease_token=None, **values))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 3]}..."
