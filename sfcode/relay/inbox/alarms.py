"""Alarms as rows, so that several processes can raise them, and each can be acknowledged separately."""

from __future__ import annotations

import json
from collections.abc import Iterable

import sqlalchemy as sa

from sfcode.relay.alarms import Alarm
from sfcode.relay.inbox.audit import add_audit_line
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import ALARMS, SETTINGS

MOST = 500
"""The maximum number of alarms; the oldest ones are deleted."""
MOST_OF_NAME = 20
"""The maximum number of alarms of one name, so that an alarm whose detail changes often does not remove alarms of other
names."""
LONGEST_DETAIL = 500
"""The maximum length of a detail in characters: an index entry of PostgreSQL has at most about 2,700 bytes."""
FORMER = "alarms"
"""The setting in which an older version stored all alarms."""


def raise_alarms(tx: Transaction, raised: Iterable[Alarm]) -> None:
    """Store alarms; if an alarm is already raised, increase its count."""
    insert = tx.database.insert(ALARMS)
    upsert = insert.on_conflict_do_update(
        index_elements=["name", "detail"],
        set_={"at": insert.excluded.at, "times": ALARMS.c.times + insert.excluded.times},
    )
    # Sorted to avoid deadlocks.
    rows = {(alarm.name, alarm.detail[:LONGEST_DETAIL]): alarm for alarm in raised}
    for (name, detail), alarm in sorted(rows.items()):
        tx.db.execute(upsert, {"name": name, "detail": detail, "at": alarm.at, "times": alarm.times})
    newest = sa.select(ALARMS.c.id).order_by(ALARMS.c.at.desc(), ALARMS.c.id.desc()).limit(MOST)
    tx.db.execute(ALARMS.delete().where(ALARMS.c.id.not_in(newest)))
    rank = sa.func.row_number().over(partition_by=ALARMS.c.name, order_by=(ALARMS.c.at.desc(), ALARMS.c.id.desc()))
    ranked = sa.select(ALARMS.c.id, rank.label("rank")).subquery()
    older = sa.select(ranked.c.id).where(ranked.c.rank > MOST_OF_NAME)
    tx.db.execute(ALARMS.delete().where(ALARMS.c.id.in_(older)))


def read_alarms(tx: Transaction) -> tuple[Alarm, ...]:
    """Return the alarms that are not acknowledged, the newest first."""
    rows = tx.db.execute(sa.select(ALARMS).order_by(ALARMS.c.at.desc(), ALARMS.c.id.desc()))
    return tuple(Alarm(row.name, row.detail, row.at, row.times, row.id) for row in rows)


def acknowledge(tx: Transaction, ids: Iterable[int], who: str) -> int:
    """Delete alarms by their IDs, and store an audit line; return how many existed."""
    removed = ALARMS.delete().where(ALARMS.c.id.in_(list(ids))).returning(ALARMS.c.name)
    names = tx.db.scalars(removed).all()
    if names:
        add_audit_line(tx, who, "ack", {"alarms": sorted(set(names))}, len(names))
    return len(names)


def remove_alarms(tx: Transaction, name: str, detail: str) -> None:
    """Remove the alarms of a condition that has ended."""
    tx.db.execute(ALARMS.delete().where(ALARMS.c.name == name, ALARMS.c.detail == detail[:LONGEST_DETAIL]))


def move_former(tx: Transaction) -> None:
    """Move the alarms that an older version stored in a setting to their table."""
    text = tx.db.scalar(sa.select(SETTINGS.c.value).where(SETTINGS.c.name == FORMER))
    raise_alarms(tx, [Alarm(**alarm) for alarm in json.loads(text or "[]")])
    tx.db.execute(SETTINGS.delete().where(SETTINGS.c.name == FORMER))
