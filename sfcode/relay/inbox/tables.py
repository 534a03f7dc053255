"""
The tables for queries; migrations.py creates them.

An open row has no `finished_at`. Each key with open rows has a lane: a row that a claim locks, with the time from which the
oldest open row of the key may be delivered. So a key has one owner at a time, and claims read the start of one short index
for any length of the backlog.
"""

from __future__ import annotations

import sqlalchemy as sa

from sfcode.relay.inbox.column_types import EncryptedText, JsonText, SafeText, UtcDateTime

METADATA = sa.MetaData()

INBOX = sa.Table(
    "relay_inbox",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("source", SafeText, nullable=False),
    sa.Column("message_id", SafeText, nullable=False),
    sa.Column("key", SafeText, nullable=False),
    sa.Column("subject", SafeText, nullable=False),
    sa.Column("kind", SafeText, nullable=False),
    sa.Column("payload", JsonText, nullable=False),
    sa.Column("state", SafeText, nullable=False),
    sa.Column("reason", SafeText, nullable=False),
    sa.Column("detail", EncryptedText, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("lease_token", SafeText),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("history", EncryptedText, nullable=False),
)

RECORDS = sa.Table(
    "relay_records",
    METADATA,
    sa.Column("message", sa.BigInteger, primary_key=True),
    sa.Column("record", SafeText, primary_key=True),
)
"""The records of messages, see records.py. Triggers delete them with their messages."""

PAUSES = sa.Table(
    "relay_pauses",
    METADATA,
    sa.Column("scope", SafeText, primary_key=True),
    sa.Column("name", SafeText, primary_key=True),
    sa.Column("who", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("alarmed_at", UtcDateTime),
)

AUDIT = sa.Table(
    "relay_audit",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", SafeText, nullable=False),
    sa.Column("action", SafeText, nullable=False),
    sa.Column("selection", JsonText, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)

CHANGES = sa.Table(
    "relay_changes",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("action", SafeText, nullable=False),
    sa.Column("choice", JsonText, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("is_partial", sa.Boolean, nullable=False),
    sa.Column("after_at", UtcDateTime),
    sa.Column("after_id", sa.BigInteger),
    sa.Column("holder", SafeText, nullable=False),
    sa.Column("lease_until", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("problem", SafeText, nullable=False),
)
"""
Bulk changes (bulk_changes.py) by the ID of their audit line, with the selection and the position that was reached.
"""

COUNTS = sa.Table(
    "relay_counts",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("source", SafeText, nullable=False),
    sa.Column("state", SafeText, nullable=False),
    sa.Column("reason", SafeText, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)
"""The counters, see counts.py."""

LANES = sa.Table(
    "relay_lanes",
    METADATA,
    sa.Column("name", SafeText, primary_key=True),
    sa.Column("source", SafeText, nullable=False),
    sa.Column("key", SafeText, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
)

LATEST = sa.Table(
    "relay_latest",
    METADATA,
    sa.Column("name", SafeText, primary_key=True),
    sa.Column("stamp", SafeText, nullable=False),
    sa.Column("value", EncryptedText, nullable=False),
)

INTENTS = sa.Table(
    "relay_intents",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("token", SafeText, nullable=False),
    sa.Column("source", SafeText, nullable=False),
    sa.Column("names", SafeText, nullable=False),
    sa.Column("contested", SafeText, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

SETTINGS = sa.Table(
    "relay_settings",
    METADATA,
    sa.Column("name", SafeText, primary_key=True),
    sa.Column("value", SafeText, nullable=False),
)

PROCESSES = sa.Table(
    "relay_processes",
    METADATA,
    sa.Column("id", SafeText, primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("config", SafeText, nullable=False),
)

ALARMS = sa.Table(
    "relay_alarms",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("name", SafeText, nullable=False),
    sa.Column("detail", SafeText, nullable=False),
    sa.Column("at", SafeText, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)

ACTIVITY = sa.Table(
    "relay_activity",
    METADATA,
    sa.Column("begins", sa.BigInteger, primary_key=True),
    sa.Column("source", SafeText, primary_key=True),
    sa.Column("figure", SafeText, primary_key=True),
    sa.Column("bound", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)

TOKENS = sa.Table(
    "relay_tokens",
    METADATA,
    sa.Column("name", SafeText, primary_key=True),
    sa.Column("digest", SafeText, nullable=False),
    sa.Column("role", SafeText, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
)

SESSIONS = sa.Table(
    "relay_sessions",
    METADATA,
    sa.Column("digest", SafeText, primary_key=True),
    sa.Column("token", SafeText, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

NOTIFICATIONS = sa.Table(
    "relay_notifications",
    METADATA,
    sa.Column("receiver", SafeText, primary_key=True),
    sa.Column("alarm", sa.BigInteger, primary_key=True),
    sa.Column("name", SafeText, nullable=False),
    sa.Column("detail", SafeText, nullable=False),
    sa.Column("event", SafeText, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
)
"""The last and the next notification of each alarm for each receiver, see notifications.py."""

API_CALLS = sa.Table(
    "relay_api_calls",
    METADATA,
    sa.Column("hour", sa.BigInteger, primary_key=True),
    sa.Column("direction", SafeText, primary_key=True),
    sa.Column("mapping", SafeText, primary_key=True),
    sa.Column("purpose", SafeText, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
"""Numbers of requests to the org; `hour` is the Unix time at which the hour begins."""

MIGRATIONS = sa.Table(
    "relay_migrations",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("name", SafeText, nullable=False),
    sa.Column("applied_at", UtcDateTime, nullable=False),
)


def lane(source: str, key: str) -> str:
    """
    Return the name of a key's lane.

    Lanes have one key column, so that PostgreSQL does not read all lanes of a source if statistics are missing.
    """
    return f"{source}:{key}"


def lane_name(rows: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the SQL expression for the name of a row's lane."""
    return rows.c.source + sa.literal_column("':'") + rows.c.key


def age(rows: sa.FromClause) -> sa.ColumnElement[int]:
    """
    Return the SQL expression that orders the rows of one key: the ID plus 0.

    To find the first row by ID, PostgreSQL might scan the primary key with all finished rows; the index of open rows ends in
    this expression.
    """
    return rows.c.id + sa.literal_column("0")


def open_rows(rows: sa.FromClause, source: sa.ColumnElement[str], key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition for open rows of one key."""
    return (rows.c.source == source) & (rows.c.key == key) & rows.c.finished_at.is_(None)
