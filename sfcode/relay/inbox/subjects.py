"""Fill in the subjects of messages that an older version stored; messages are searched by their subjects."""

from __future__ import annotations

import functools

import sqlalchemy as sa

from sfcode.relay.inbox.accept import subject
from sfcode.relay.inbox.column_types import SafeText
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.parameters import given_rows
from sfcode.relay.inbox.tables import INBOX

AT_ONCE = 1_000
"""The maximum number of rows of one statement."""


def fill_subjects(tx: Transaction) -> None:
    """Write the subjects of rows that have none."""
    last: int | None = 0
    while last is not None:
        last = fill_next_subjects(tx, last)


def fill_next_subjects(tx: Transaction, last: int) -> int | None:
    """Write the subjects of the next rows that have none; return the ID of the last one, or None at the end."""
    columns = sa.select(INBOX.c.id, INBOX.c.key, INBOX.c.payload)
    rows = list(tx.fetch(columns.where(INBOX.c.id > last, INBOX.c.subject == "").order_by(INBOX.c.id).limit(AT_ONCE)))
    pairs = [(str(id_), subject(key, payload)) for id_, key, payload in rows]
    tx.db.execute(_update_subjects(tx.db.dialect.name), {"rows": pairs})
    return int(rows[-1][0]) if len(rows) == AT_ONCE else None


@functools.lru_cache
def _update_subjects(dialect: str) -> sa.Update:
    """Return the statement that writes the subjects of `rows`."""
    values = given_rows(dialect, [sa.Column("row", SafeText), sa.Column("name", SafeText)])
    return INBOX.update().where(INBOX.c.id == sa.cast(values.c.row, sa.BigInteger)).values(subject=values.c.name)
