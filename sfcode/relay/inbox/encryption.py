"""Check the encryption keys against the database, and encrypt older rows with the newest key."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from sfcode.errors import Refused
from sfcode.relay.inbox.dialects import RunTransaction, Transaction
from sfcode.relay.inbox.state import recall, remember
from sfcode.relay.inbox.tables import CHANGES, INBOX, LATEST
from sfcode.relay.inbox.types import Unavailable

CHECK = "data_keys"
"""The setting with a text that is encrypted with the oldest key that may be in use."""
DONE = "data_keys_done"
"""The setting with the name of the key with which all rows are encrypted."""
AT_ONCE = 500
PAUSE = 0.05
"""Seconds to wait after each piece, for other transactions."""
VARIABLE = "SFCODE_RELAY_DATA_KEYS"

_COLUMNS = (
    (INBOX, INBOX.c.id, ("payload", "detail", "history")),
    (LATEST, LATEST.c.name, ("value",)),
    (CHANGES, CHANGES.c.id, ("choice",)),
)


def check_keys(tx: Transaction, name: str) -> None:
    """Raise Refused unless the keys can decrypt the database `name`; record the newest key in a database without one."""
    cipher, check = tx.database.cipher, recall(tx, CHECK)
    if check is None:
        remember(tx, CHECK, cipher.encrypt(CHECK))
        return
    if not cipher.newest:
        raise Refused(f"{name} is encrypted, and {VARIABLE} is not set.", "Set it to the keys of the other processes.")
    try:
        fits = cipher.decrypt(check) == CHECK
    except Unavailable:
        fits = False
    if not fits:
        raise Refused(
            f"{name} is encrypted with a key that is not in {VARIABLE}.",
            "Set it to all keys that are in use, the newest first; an old one may go when housekeeping has replaced it.",
        )


class Encryption:
    """Encrypts the stored rows with the newest key, in pieces."""

    def __init__(self, read: RunTransaction, write: RunTransaction) -> None:
        self._read, self._write = read, write

    def renew(self, pause: Callable[[float], object] = time.sleep) -> int:
        """
        Encrypt each row that is not encrypted with the newest key; return the number of rows.

        `pause` is called after each piece, and ends the work if it returns true. When all rows are done, older keys are
        not needed any more.
        """
        total = 0
        newest = self._read(lambda tx: tx.database.cipher.newest)
        if not newest or self._read(lambda tx: recall(tx, DONE)) == newest:
            return total
        for table, key, columns in _COLUMNS:
            last: Any = None
            while True:
                last, count = self._write(partial(_renew, table=table, key=key, columns=columns, after=last))
                total += count
                if last is None:
                    break
                if pause(PAUSE):
                    return total
        if not total:  # no row was left, so no process without the key has written in the meantime
            self._write(_finish)
        return total


def _finish(tx: Transaction) -> None:
    remember(tx, CHECK, tx.database.cipher.encrypt(CHECK))
    remember(tx, DONE, tx.database.cipher.newest)


def _is_old(tx: Transaction, table: sa.Table, columns: Sequence[str]) -> sa.ColumnElement[bool]:
    start = tx.database.cipher.start
    texts = [sa.type_coerce(table.c[name], sa.Text) for name in columns]
    return sa.or_(*((text != "") & (sa.func.substr(text, 1, len(start)) != start) for text in texts))


def _renew(
    tx: Transaction, *, table: sa.Table, key: sa.Column[Any], columns: Sequence[str], after: Any
) -> tuple[Any, int]:
    """Encrypt up to `AT_ONCE` rows after a primary key; return the last primary key (None at the end) and the number of rows."""
    rows = sa.select(key, _is_old(tx, table, columns).label("is_old")).order_by(key).limit(AT_ONCE)
    batch = tx.db.execute(rows if after is None else rows.where(key > after)).all()
    old = [row[0] for row in batch if row.is_old]
    for value in old:
        # One transaction reads and writes the locked row, so that a claim changes it before or after.
        selected = sa.select(*(table.c[name] for name in columns)).where(key == value)
        stored = tx.db.execute(tx.database.for_update(selected)).first()
        if stored is not None:
            tx.db.execute(table.update().where(key == value).values(dict(zip(columns, stored, strict=True))))
    return (batch[-1][0] if len(batch) == AT_ONCE else None), len(old)
