"""
The records that messages concern or were written to, so that messages can be found by record.

A message has several records: the contact whose fields it wrote, the event that was created for it, its external ID. Their table
is only inserted into; triggers delete the rows with their message.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import sqlalchemy as sa

from sfcode.relay.inbox.column_types import SafeText
from sfcode.relay.inbox.dialects import InsertInto, Transaction
from sfcode.relay.inbox.parameters import given_rows
from sfcode.relay.inbox.tables import RECORDS

_SQLITE = (
    "CREATE TRIGGER relay_records_removed AFTER DELETE ON relay_inbox"
    " BEGIN DELETE FROM relay_records WHERE message = OLD.id; END"
)
_POSTGRESQL = (
    "CREATE FUNCTION relay_records_removed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN"
    " DELETE FROM relay_records WHERE message = ANY (ARRAY(SELECT id FROM removed)); RETURN NULL; END $$"
)
_POSTGRESQL_TRIGGER = (
    "CREATE TRIGGER relay_records_removed AFTER DELETE ON relay_inbox REFERENCING OLD TABLE AS removed"
    " FOR EACH STATEMENT EXECUTE FUNCTION relay_records_removed()"
)


def create_triggers(tx: Transaction) -> None:
    """Create the triggers that delete records with their messages."""
    for statement in (_SQLITE,) if tx.db.dialect.name == "sqlite" else (_POSTGRESQL, _POSTGRESQL_TRIGGER):
        tx.db.exec_driver_sql(statement)


def add_records(tx: Transaction, records: Iterable[tuple[int, str]]) -> None:
    """Store the records of messages."""
    rows = [(str(message), record) for message, record in sorted(set(records))]
    if rows:
        tx.db.execute(_insert_records(tx.database.insert, tx.db.dialect.name), {"rows": rows})


@functools.lru_cache
def _insert_records(insert: InsertInto, dialect: str) -> sa.Insert:
    """Return the statement that stores the records of `rows`."""
    values = given_rows(dialect, [sa.Column("message", sa.Text), sa.Column("record", SafeText)])
    rows = sa.select(sa.cast(values.c.message, sa.BigInteger), values.c.record).order_by(values.c.position)
    return insert(RECORDS).from_select(["message", "record"], rows).on_conflict_do_nothing()
