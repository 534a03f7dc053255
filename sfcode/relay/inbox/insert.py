"""Statements that insert messages and lanes, with all rows in one parameter."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sfcode.relay.inbox.column_types import UtcDateTime, unescape
from sfcode.relay.inbox.dialects import InsertInto, Transaction
from sfcode.relay.inbox.parameters import given_rows
from sfcode.relay.inbox.tables import INBOX, LANES, lane_name

Insert = sqlite.Insert | postgresql.Insert


class MessageRow(NamedTuple):
    """The columns of a new row that are taken from its message."""

    source: str
    message_id: str
    key: str
    subject: str
    kind: str
    payload: Mapping[str, Any]
    reason: str
    history: str


def insert_new(
    tx: Transaction, rows: Sequence[MessageRow], due: datetime, *, with_lanes: bool, with_ids: bool
) -> dict[tuple[str, str], int] | None:
    """
    Insert the new messages; return their row IDs by source and message ID, or None if all are new.

    Nearly always all are new. With `with_ids`, the IDs are returned in any case. With `with_lanes`, the same statement opens
    their lanes, if the database supports it.
    """
    parameters = {"rows": rows, "received": tx.now, "due": due}
    if tx.database.writes_two_tables:
        statement = _insert_and_report(tx.database.insert, tx.db.dialect.name, with_lanes=with_lanes)
        new = tx.db.execute(statement, {**parameters, "most": len(rows) + with_ids}).scalar_one()
        return None if new is None else {(unescape(source), unescape(name)): id_ for source, name, id_ in new}
    insert = _insert_messages(tx.database.insert, tx.db.dialect.name)
    count = tx.db.execute(insert, parameters, execution_options={"preserve_rowcount": True}).rowcount
    if count == len(rows) and not with_ids:
        return None
    # No other transaction writes to the file at the same time, so the newest rows are those just inserted.
    newest = sa.select(INBOX.c.source, INBOX.c.message_id, INBOX.c.id).order_by(INBOX.c.id.desc()).limit(count)
    return {(source, message_id): id_ for source, message_id, id_ in tx.fetch(newest)}


def insert_lanes(tx: Transaction, lanes: Sequence[tuple[str, str, str]], due: datetime) -> None:
    """Insert lanes of names, sources and keys, and lock those that exist, in the given order."""
    tx.db.execute(_insert_lanes(tx.database.insert, tx.db.dialect.name), {"rows": lanes, "due": due})


@functools.lru_cache
def _insert_messages(insert: InsertInto, dialect: str) -> Insert:
    """Return the statement that stores the messages of `rows`, except those that are stored already."""
    values = given_rows(dialect, [INBOX.c[name] for name in MessageRow._fields])
    received, due = (sa.bindparam(name, type_=UtcDateTime()) for name in ("received", "due"))
    is_open = values.c.reason == ""
    columns = {
        **{name: values.c[name] for name in MessageRow._fields},
        "state": sa.case((is_open, "ready"), else_="parked"),
        "detail": sa.literal(""),
        "attempts": sa.literal(0),
        "due_at": due,
        "received_at": received,
        "finished_at": sa.case((is_open, sa.null()), else_=received),
    }
    rows = sa.select(*columns.values()).order_by(values.c.position)
    statement = insert(INBOX).from_select(list(columns), rows)
    return statement.on_conflict_do_nothing(index_elements=["source", "message_id"])


@functools.lru_cache
def _insert_and_report(insert: InsertInto, dialect: str, *, with_lanes: bool) -> sa.Select[Any]:
    """
    Return the statement that stores the messages of `rows` and returns the new ones if they are fewer than `most`.

    With `with_lanes`, the statement also opens the lanes of the new messages.
    """
    columns = (INBOX.c.source, INBOX.c.message_id, INBOX.c.id, INBOX.c.key, INBOX.c.finished_at)
    new = _insert_messages(insert, dialect).returning(*columns).cte("new")
    names = sa.func.json_build_array(new.c.source, new.c.message_id, new.c.id)
    listed = sa.select(sa.func.json_agg(names)).scalar_subquery()
    none: sa.ColumnElement[Any] = sa.literal_column("'[]'::json")
    are_fewer = sa.func.count() < sa.bindparam("most", type_=sa.Integer)
    report = sa.select(sa.case((are_fewer, sa.func.coalesce(listed, none)))).select_from(new)
    if not with_lanes:
        return report
    due = sa.bindparam("due", type_=UtcDateTime())
    name = lane_name(new).label("name")
    lanes = sa.select(name, new.c.source, new.c.key, due).distinct().where(new.c.finished_at.is_(None))
    # All transactions lock lanes in this order, to avoid deadlocks.
    opened = _open(insert, lanes.order_by(name)).cte("opened")
    return report.add_cte(opened)


@functools.lru_cache
def _insert_lanes(insert: InsertInto, dialect: str) -> Insert:
    """Return the statement that inserts the lanes of `rows`, and locks those that exist."""
    values = given_rows(dialect, [LANES.c.name, LANES.c.source, LANES.c.key])
    due = sa.bindparam("due", type_=UtcDateTime())
    return _open(insert, sa.select(values.c.name, values.c.source, values.c.key, due).order_by(values.c.position))


def _open(insert: InsertInto, lanes: sa.Select[Any]) -> Insert:
    # For an existing lane this changes nothing, but locks the row. DO NOTHING would not lock it, and the lane's
    # owner, which cannot see the rows of this transaction yet, could close it.
    statement = insert(LANES).from_select(["name", "source", "key", "due_at"], lanes)
    return statement.on_conflict_do_update(index_elements=["name"], set_={"due_at": LANES.c.due_at})
