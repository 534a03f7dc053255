"""Store the settlements of a claim, and reopen its lanes."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from sfcode.relay.inbox.accept import accept
from sfcode.relay.inbox.column_types import format_time
from sfcode.relay.inbox.dialects import InsertInto, Transaction
from sfcode.relay.inbox.history import AttemptHead, extend, render_attempt
from sfcode.relay.inbox.intents import withdraw, write_again
from sfcode.relay.inbox.parameters import ListMembership, ListParameter, given_rows, within
from sfcode.relay.inbox.records import add_records
from sfcode.relay.inbox.state import latest
from sfcode.relay.inbox.tables import INBOX, LANES, LATEST, PAUSES, age, lane, open_rows
from sfcode.relay.message import (
    Claim,
    ClaimedMessage,
    Delivered,
    Delivery,
    FollowUp,
    LatestState,
    Parked,
    Released,
    Retry,
    Settlement,
)

GAVE_UP = "gave_up"
RESUME_KNOWN = timedelta(seconds=5)
"""The time until the next heartbeat, after which every process knows that a mapping was resumed."""
LONGEST_DETAIL = 2_000


def settle(
    tx: Transaction,
    claim: Claim,
    delivery: Delivery,
    delays: Mapping[int, timedelta | None],
) -> int:
    """
    Store settlements and latest states; return the number of messages. If the lease was lost, store nothing.

    `delays` has the wait of each message that is retried, or None if its attempts are used up.
    """
    if not hold(tx, claim):
        rewrite_names = withdraw(tx, claim, delivery)
        write_again(tx, claim.source, rewrite_names | delivery.written)
        return 0
    rows = []
    settlements, delays = _without_resumed(tx, delivery.settlements, delays)
    for message in claim.messages:
        settlement = settlements.get(message.id, Released())
        delay = delays.get(message.id)
        row = _row(message, settlement, tx.now, tx.now + delay if delay is not None else None)
        rows.append(_with_attempt(row, message, delivery, tx.now))
    parameters = {"rows": rows, "ids": [message.id for message in claim.messages]}
    tx.db.execute(_update_messages(tx.db.dialect.name), parameters)
    add_records(tx, _records(delivery))
    for id_, payload in delivery.redacted.items():
        tx.db.execute(INBOX.update().where(INBOX.c.id == id_).values(payload=payload))
    reopen(tx, lanes(claim))
    rewrite_names = withdraw(tx, claim, delivery) | _overtaken(tx, delivery)
    remember_latest(tx, delivery.latest)
    write_again(tx, claim.source, rewrite_names)
    _store(tx, delivery.followups)
    return len(claim.messages)


def _without_resumed(
    tx: Transaction, settlements: Mapping[int, Settlement], delays: Mapping[int, timedelta | None]
) -> tuple[Mapping[int, Settlement], Mapping[int, timedelta | None]]:
    """
    Make messages due soon that would wait for a mapping which another process has resumed.

    A concurrent resume waits for this transaction, so that it finds the waiting messages.
    """
    paused = {
        id_: settlement
        for id_, settlement in settlements.items()
        if isinstance(settlement, Retry) and settlement.paused_mapping
    }
    if not paused:
        return settlements, delays
    names = sa.select(PAUSES.c.name).where(PAUSES.c.scope == "mapping").order_by(PAUSES.c.name)
    still_paused = set(tx.db.scalars(names.with_for_update(read=True)))
    resumed = {id_: end for id_, end in paused.items() if end.paused_mapping not in still_paused}
    ready = {id_: replace(end, reason="") for id_, end in resumed.items()}
    return {**settlements, **ready}, {**delays, **dict.fromkeys(resumed, RESUME_KNOWN)}


def _store(tx: Transaction, followups: Iterable[FollowUp]) -> None:
    for followup in {followup.message.message_id: followup for followup in followups}.values():
        message = followup.message
        if accept(tx, [[message]], after=timedelta(seconds=followup.after))[0] and followup.why:
            stored = (INBOX.c.source == message.source) & (INBOX.c.message_id == message.message_id)
            tx.db.execute(INBOX.update().where(stored).values(detail=_cut(followup.why)))


def _overtaken(tx: Transaction, delivery: Delivery) -> set[str]:
    """Return the states of a delivery for which a newer state was settled before the delivery announced them."""
    written_states = {state.name: state for state in delivery.latest if state.name in delivery.written}
    rewritten_states = {state.name: state for state in delivery.rewritten if state.name not in written_states}
    stored = latest(tx, [*written_states, *rewritten_states])
    newer = {name for name, state in written_states.items() if name in stored and stored[name].stamp > state.stamp}
    return newer | {name for name, state in rewritten_states.items() if name in stored and stored[name] != state}


def hold(tx: Transaction, claim: Claim) -> bool:
    """Lock the lanes of a claim; return whether it is still valid."""
    own_lanes = sa.select(LANES.c.name).where(within(LANES.c.name, lanes(claim))).order_by(LANES.c.name)
    tx.database.lock(tx.db, own_lanes)
    ids = [message.id for message in claim.messages]
    query = sa.select(sa.func.count()).where(
        within(INBOX.c.id, ids), INBOX.c.state == "leased", INBOX.c.lease_token == claim.token
    )
    return tx.db.execute(query).scalar_one() == len(ids)


def lanes(claim: Claim) -> list[str]:
    """Return the lanes of a claim in locking order."""
    return sorted({lane(message.source, message.key) for message in claim.messages})


def reopen(tx: Transaction, names: Collection[str]) -> None:
    """Set locked lanes to the due time of their oldest open row; close those without open rows."""
    named_lanes, own_rows = within(LANES.c.name, names), open_rows(INBOX, LANES.c.source, LANES.c.key)
    # Not NOT EXISTS, which PostgreSQL may plan as a join with all open rows.
    eldest = sa.select(INBOX.c.due_at).where(own_rows).order_by(age(INBOX)).limit(1).scalar_subquery()
    closed = tx.db.execute(LANES.delete().where(named_lanes, eldest.is_(None))).rowcount
    if closed < len(names):
        tx.db.execute(LANES.update().where(named_lanes).values(due_at=eldest))


def reopen_idle(tx: Transaction, names: Collection[str]) -> None:
    """Reopen the locked lanes that no claim holds; lanes of a claim are postponed to the end of its lease."""
    rows = open_rows(INBOX, LANES.c.source, LANES.c.key)
    leased = sa.select(sa.func.min(age(INBOX))).where(rows, INBOX.c.state == "leased").scalar_subquery()
    idle = tx.db.scalars(sa.select(LANES.c.name).where(within(LANES.c.name, names), leased.is_(None))).all()
    if idle:
        reopen(tx, idle)


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


@functools.lru_cache
def _upsert_latest(insert: InsertInto, dialect: str) -> sa.Insert:
    """Return the statement that stores the states of `rows` that are not older than the stored ones."""
    values = given_rows(dialect, [LATEST.c.name, LATEST.c.stamp, LATEST.c.value])
    rows = sa.select(values.c.name, values.c.stamp, values.c.value).order_by(values.c.position)
    upsert = insert(LATEST).from_select(["name", "stamp", "value"], rows)
    return upsert.on_conflict_do_update(
        index_elements=["name"],
        set_={"stamp": upsert.excluded.stamp, "value": upsert.excluded.value},
        where=upsert.excluded.stamp >= LATEST.c.stamp,
    )


class SettledRow(NamedTuple):
    """The new values of a row, as texts; None leaves a column unchanged."""

    id: str
    state: str
    added_attempts: str
    """The number of attempts to add: 0 or 1, as text."""
    reason: str | None = None
    detail: str | None = None
    due_at: str | None = None
    finished_at: str | None = None
    history: str | None = None


def _row(message: ClaimedMessage, settlement: Settlement, now: datetime, due: datetime | None) -> SettledRow:
    """Return the new values of a row after its settlement."""
    id_ = str(message.id)
    match settlement:
        case Delivered(note):
            return SettledRow(id_, "done", "1", "", _cut(note), finished_at=format_time(now))
        case Parked(reason, detail):
            return SettledRow(id_, "parked", "1", reason, _cut(detail), finished_at=format_time(now))
        case Retry(error, counts=counts, reason=reason) if due is not None:
            return SettledRow(id_, "ready", str(int(counts)), reason, _cut(error), due_at=format_time(due))
        case Retry(error):
            return SettledRow(id_, "dead", "1", GAVE_UP, _cut(error), finished_at=format_time(now))
        case Released():
            return SettledRow(id_, "ready", "0")


def _with_attempt(row: SettledRow, message: ClaimedMessage, delivery: Delivery, now: datetime) -> SettledRow:
    """Add the attempt to the history, unless the message was released without an attempt."""
    if row.detail is None:
        return row
    writes = delivery.writes.get(message.id, ())
    outcome = "retry" if row.state == "ready" else row.state
    head = AttemptHead(
        format_time(now), delivery.seconds, outcome, row.reason or "", row.detail, row.due_at, len(writes)
    )
    line = render_attempt(head, writes)
    return row._replace(history=extend(message.history, line))


@functools.lru_cache
def _update_messages(dialect: str) -> sa.Update:
    """
    Return the statement that stores `rows`; on PostgreSQL `ids` are their IDs.

    One statement updates all messages. Grouping them by outcome would not help, since each has its own history.
    """
    texts = ("reason", "detail", "history")
    columns = [sa.Column(name, INBOX.c[name].type if name in texts else sa.Text()) for name in SettledRow._fields]
    elements = given_rows(dialect, columns)
    moment = sa.DateTime(timezone=True) if dialect == "postgresql" else sa.Text()
    values = {
        "state": elements.c.state,
        "attempts": INBOX.c.attempts + sa.cast(elements.c.added_attempts, sa.Integer),
        "lease_until": None,
        "lease_token": None,
        **{name: sa.func.coalesce(elements.c[name], INBOX.c[name]) for name in texts},
        **{
            name: sa.func.coalesce(sa.cast(elements.c[name], moment), INBOX.c[name])
            for name in ("due_at", "finished_at")
        },
    }
    is_claimed = INBOX.c.id == sa.cast(elements.c.id, sa.BigInteger)
    if dialect == "postgresql":
        # With the IDs as a condition, PostgreSQL finds the rows by index, whatever size it expects of the other table.
        is_claimed &= ListMembership(INBOX.c.id, sa.bindparam("ids", type_=ListParameter(sa.BigInteger())))
    return INBOX.update().where(is_claimed).values(values)


def _records(delivery: Delivery) -> Iterable[tuple[int, str]]:
    return (
        (message, record_id)
        for message, writes in delivery.writes.items()
        for write in writes
        for record_id in write.record_ids
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 3]}..."
