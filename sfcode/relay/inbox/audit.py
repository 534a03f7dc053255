"""The audit: who changed the inbox, when, how, which messages and how many."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.column_types import format_time
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.tables import AUDIT, SETTINGS
from sfcode.relay.inbox.types import Filter

MOST_IDS = 20
"""The number of message IDs in an audit line."""
FORMER = "audit:"
"""The prefix of the settings with audit lines of an older version."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An action of a person."""

    id: int
    at: datetime
    who: str
    """`user@host` of a command, or the name of a token of the dashboard."""
    action: str
    """Name of the command: `replay`, `discard`, `pause`, ..."""
    selection: Mapping[str, Any]
    """The messages, alarms or mappings that were selected, without IDs of people."""
    number: int
    """The number of changed messages, alarms or mappings."""


def add_audit_line(tx: Transaction, who: str, action: str, selection: Mapping[str, Any], number: int) -> int:
    """Store an audit line; return its ID."""
    row = {"at": tx.now, "who": who, "action": action, "selection": dict(selection), "number": number}
    id_: int = tx.db.execute(AUDIT.insert().values(row).returning(AUDIT.c.id)).scalar_one()
    return id_


def add_to_number(tx: Transaction, id_: int, number: int) -> None:
    """Add to the number of an audit line."""
    tx.db.execute(AUDIT.update().where(AUDIT.c.id == id_).values(number=AUDIT.c.number + number))


def describe_selection(choice: Filter) -> dict[str, Any]:
    """Return the conditions of a selection, with the hash of a value that identifies a person."""
    conditions = {name: getattr(choice, name) for name in Filter.__slots__}
    texts = {name: value for name, value in conditions.items() if isinstance(value, str)}
    if subject := texts.pop("subject", None):
        texts["subject_sha256"] = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
    times = {name: format_time(value) for name, value in conditions.items() if isinstance(value, datetime)}
    ids = {"ids": list(choice.ids[:MOST_IDS])} if choice.ids else {}
    return {**ids, **texts, **times}


def read_audit(tx: Transaction, limit: int, before: int | None = None) -> tuple[AuditLine, ...]:
    """Return audit lines, the newest first; `before` is the ID of the last one of the previous page."""
    lines = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    rows = tx.db.execute(lines if before is None else lines.where(AUDIT.c.id < before))
    return tuple(AuditLine(row.id, tx.to_wall(row.at), row.who, row.action, row.selection, row.number) for row in rows)


def purge(tx: Transaction, age: timedelta, limit: int) -> int:
    """Delete up to `limit` lines that are older than `age`."""
    # In the order of the IDs, which is the order of the times, so that only old lines are read.
    old = sa.select(AUDIT.c.id).where(AUDIT.c.at <= tx.now - age).order_by(AUDIT.c.id).limit(limit)
    return tx.db.execute(AUDIT.delete().where(AUDIT.c.id.in_(old))).rowcount


def move_former_lines(tx: Transaction) -> None:
    """Move the lines of an older version to their table."""
    former = SETTINGS.c.name.startswith(FORMER)
    for text in tx.db.scalars(sa.select(SETTINGS.c.value).where(former).order_by(SETTINGS.c.name)).all():
        tx.db.execute(AUDIT.insert(), _former_row(json.loads(text)))
    tx.db.execute(SETTINGS.delete().where(former))


def _former_row(line: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in line.items() if name not in ("at", "by", "action", "messages")}
    return {
        "at": datetime.fromisoformat(str(line["at"])),
        "who": str(line.get("by", "")),
        "action": str(line.get("action", "forget")),
        "selection": rest,
        "number": int(line.get("messages", 0)),
    }
