"""
Counters of the inbox by source, state and reason, updated by triggers in every transaction that changes a row.

So the counters are correct whatever changes a row: a claim, a purge, or SQL of a person. SQLite has one writer at a
time, so each counter is one row. On PostgreSQL, processes would wait for each other's locks on that row. There, each
statement inserts rows with its differences, and the rows of one counter are summed from time to time.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import COUNTS, INBOX

AT_ONCE = 10_000
"""The maximum number of rows of differences that one transaction sums."""

_ADD = (
    "INSERT INTO relay_counts (source, state, reason, number) VALUES (NEW.source, NEW.state, NEW.reason, 1)"
    " ON CONFLICT (source, state, reason) DO UPDATE SET number = number + 1"
)
_SUBTRACT = (
    "UPDATE relay_counts SET number = number - 1"
    " WHERE source = OLD.source AND state = OLD.state AND reason = OLD.reason"
)
_SQLITE = (
    "CREATE UNIQUE INDEX relay_counts_names ON relay_counts (source, state, reason)",
    f"CREATE TRIGGER relay_inbox_added AFTER INSERT ON relay_inbox BEGIN {_ADD}; END",
    f"CREATE TRIGGER relay_inbox_removed AFTER DELETE ON relay_inbox BEGIN {_SUBTRACT}; END",
    (
        "CREATE TRIGGER relay_inbox_changed AFTER UPDATE OF source, state, reason ON relay_inbox"
        " WHEN NEW.state IS NOT OLD.state OR NEW.reason IS NOT OLD.reason OR NEW.source IS NOT OLD.source"
        f" BEGIN {_SUBTRACT}; {_ADD}; END"
    ),
)


def _function(name: str, rows: str) -> str:
    added_up = "INSERT INTO relay_counts (source, state, reason, number) SELECT source, state, reason, sum(number)"
    grouped = "GROUP BY source, state, reason HAVING sum(number) <> 0"
    head = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT"
    return f"{head} AS $$ BEGIN {added_up} FROM ({rows}) AS changes {grouped}; RETURN NULL; END $$"


def _trigger(event: str, tables: str, function: str) -> str:
    return (
        f"CREATE TRIGGER {function} AFTER {event} ON relay_inbox REFERENCING {tables}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


_ADDED = "SELECT source, state, reason, 1 AS number FROM added"
_REMOVED = "SELECT source, state, reason, -1 AS number FROM removed"
_POSTGRESQL = (
    _function("relay_inbox_added", _ADDED),
    _function("relay_inbox_removed", _REMOVED),
    _function("relay_inbox_changed", f"{_ADDED} UNION ALL {_REMOVED}"),
    _trigger("INSERT", "NEW TABLE AS added", "relay_inbox_added"),
    _trigger("DELETE", "OLD TABLE AS removed", "relay_inbox_removed"),
    _trigger("UPDATE", "OLD TABLE AS removed NEW TABLE AS added", "relay_inbox_changed"),
)


def create_counts(tx: Transaction) -> None:
    """Create the counters with their triggers, and count the existing rows."""
    for statement in _SQLITE if tx.db.dialect.name == "sqlite" else _POSTGRESQL:
        tx.db.exec_driver_sql(statement)
    columns = (INBOX.c.source, INBOX.c.state, INBOX.c.reason)
    number = sa.func.count().label("number")
    rows = tx.db.execute(sa.select(*columns, number).group_by(*columns)).mappings().all()
    if rows:
        tx.db.execute(COUNTS.insert(), [dict(row) for row in rows])


def read_counts(tx: Transaction) -> Iterable[tuple[str, str, str, int]]:
    """Return source, state, reason and number of each counter that is not 0."""
    columns = (COUNTS.c.source, COUNTS.c.state, COUNTS.c.reason)
    number = sa.func.sum(COUNTS.c.number)
    rows = tx.db.execute(sa.select(*columns, number).group_by(*columns).having(number != 0))
    return [(source, state, reason, int(count)) for source, state, reason, count in rows]


def merge_counts(tx: Transaction) -> int:
    """Sum the differences of each counter, up to `AT_ONCE` rows; return the number of rows."""
    if tx.db.dialect.name == "sqlite":
        return 0
    rows = tx.database.for_update_skip_locked(sa.select(COUNTS.c.id).order_by(COUNTS.c.id).limit(AT_ONCE))
    ids = tx.db.scalars(rows).all()
    if len(ids) < 2:
        return 0
    merged = sa.text(
        "WITH gone AS (DELETE FROM relay_counts WHERE id = ANY(:ids) RETURNING source, state, reason, number)"
        " INSERT INTO relay_counts (source, state, reason, number)"
        " SELECT source, state, reason, sum(number) FROM gone GROUP BY source, state, reason HAVING sum(number) <> 0"
    )
    tx.db.execute(merged, {"ids": list(ids)})
    return len(ids)
