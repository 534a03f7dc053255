"""
Schema migrations: statements from each version to the next, never edited once released.

Each step is one transaction, including its row in `relay_migrations`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from sfcode.errors import Refused
from sfcode.relay.inbox.alarms import move_former
from sfcode.relay.inbox.audit import move_former_lines
from sfcode.relay.inbox.counts import create_counts
from sfcode.relay.inbox.database_url import is_locked
from sfcode.relay.inbox.dialects import Database, Transaction
from sfcode.relay.inbox.records import create_triggers
from sfcode.relay.inbox.subjects import fill_next_subjects, fill_subjects
from sfcode.relay.inbox.tables import INBOX, MIGRATIONS
from sfcode.relay.inbox.types import MissingInbox


class Migration(NamedTuple):
    """One step: its name, statements with type names in braces, and a function that moves rows afterwards."""

    name: str
    statements: tuple[str, ...]
    move: Callable[[Transaction], None] | None = None
    fill: Callable[[Transaction, int], int | None] | None = None
    """
    Fills the column of the first statement in the next rows after an ID; returns the last row's ID, or None at the end.

    With this function, a large table that is in use is migrated in pieces before the step moves the rest.
    """


def _begin_history(tx: Transaction) -> None:
    create_triggers(tx)
    move_former_lines(tx)


LARGE = 20_000
"""The number of messages up to which a table is migrated at once, which blocks writers for less than a second."""
LOCK_TRIES = 600
LOCK_PAUSE = 0.5
"""Seconds between two attempts to lock a table; each attempt waits for a second."""

RECORD = (
    "CREATE TABLE IF NOT EXISTS relay_migrations (version integer PRIMARY KEY, name {text} NOT NULL,"
    " applied_at {moment} NOT NULL)"
)

HISTORY: tuple[Migration, ...] = (
    Migration(
        "inbox, lanes, latest, settings, processes",
        (
            (
                "CREATE TABLE relay_inbox (id {id}, source {text} NOT NULL, message_id {text} NOT NULL, key {text} NOT NULL,"
                " kind {text} NOT NULL, payload text NOT NULL, state {text} NOT NULL, reason {text} NOT NULL,"
                " detail {text} NOT NULL, attempts integer NOT NULL, due_at {moment} NOT NULL, lease_until {moment},"
                " lease_token {text}, received_at {moment} NOT NULL, finished_at {moment}, UNIQUE (source, message_id))"
            ),
            "CREATE INDEX relay_inbox_open ON relay_inbox (source, key, (id + 0)) WHERE finished_at IS NULL",
            "CREATE INDEX relay_inbox_finished ON relay_inbox (state, source, finished_at) WHERE finished_at IS NOT NULL",
            (
                "CREATE TABLE relay_lanes (name {text} PRIMARY KEY, source {text} NOT NULL, key {text} NOT NULL,"
                " due_at {moment} NOT NULL)"
            ),
            "CREATE INDEX relay_lanes_due ON relay_lanes (source, due_at)",
            "CREATE TABLE relay_latest (name {text} PRIMARY KEY, stamp {text} NOT NULL, value {text} NOT NULL)",
            "CREATE TABLE relay_settings (name {text} PRIMARY KEY, value {text} NOT NULL)",
            "CREATE TABLE relay_processes (id {text} PRIMARY KEY, started_at {moment} NOT NULL, seen_at {moment} NOT NULL)",
        ),
    ),
    Migration(
        "alarms",
        (
            (
                "CREATE TABLE relay_alarms (id {id}, name {text} NOT NULL, detail {text} NOT NULL, at {text} NOT NULL,"
                " times integer NOT NULL, UNIQUE (name, detail))"
            ),
        ),
        move_former,
    ),
    Migration("config of processes", ("ALTER TABLE relay_processes ADD COLUMN config {text} NOT NULL DEFAULT ''",)),
    Migration(
        "counters",
        (
            (
                "CREATE TABLE relay_counts (id {id}, source {text} NOT NULL, state {text} NOT NULL, reason {text} NOT NULL,"
                " number bigint NOT NULL)"
            ),
        ),
        create_counts,
    ),
    Migration(
        "subjects, and indexes for lists",
        (
            "ALTER TABLE relay_inbox ADD COLUMN subject {text} NOT NULL DEFAULT ''",
            "CREATE INDEX relay_inbox_subject ON relay_inbox (subject, received_at, id)",
            "CREATE INDEX relay_inbox_received ON relay_inbox (received_at, id) WHERE attempts >= 0",
            "CREATE INDEX relay_inbox_reason ON relay_inbox (reason, received_at, id) WHERE reason <> ''",
            "CREATE INDEX relay_inbox_state ON relay_inbox ((state || ':' || source), received_at, id)",
        ),
        fill_subjects,
        fill_next_subjects,
    ),
    Migration(
        "intents",
        (
            (
                "CREATE TABLE relay_intents (id {id}, token {text} NOT NULL, source {text} NOT NULL, names {text} NOT NULL,"
                " contested {text} NOT NULL, expires_at {moment} NOT NULL)"
            ),
            "CREATE INDEX relay_intents_source ON relay_intents (source)",
            "CREATE INDEX relay_intents_expires ON relay_intents (expires_at)",
        ),
    ),
    Migration(
        "activity, tokens and sessions of the dashboard",
        (
            (
                "CREATE TABLE relay_activity (begins bigint NOT NULL, source {text} NOT NULL, figure {text} NOT NULL,"
                " bound bigint NOT NULL, number bigint NOT NULL, PRIMARY KEY (begins, source, figure, bound))"
            ),
            (
                "CREATE TABLE relay_tokens (name {text} PRIMARY KEY, digest {text} NOT NULL UNIQUE, role {text} NOT NULL,"
                " created_at {moment} NOT NULL, expires_at {moment})"
            ),
            (
                "CREATE TABLE relay_sessions (digest {text} PRIMARY KEY, token {text} NOT NULL REFERENCES relay_tokens (name),"
                " expires_at {moment} NOT NULL)"
            ),
            "CREATE INDEX relay_sessions_token ON relay_sessions (token)",
        ),
    ),
    Migration(
        "notifications",
        (
            (
                "CREATE TABLE relay_notifications (receiver {text} NOT NULL, alarm bigint NOT NULL, name {text} NOT NULL,"
                " detail {text} NOT NULL, event {text} NOT NULL, number integer NOT NULL, attempts integer NOT NULL,"
                " due_at {moment} NOT NULL, sent_at {moment}, PRIMARY KEY (receiver, alarm))"
            ),
        ),
    ),
    Migration(
        "requests to the org",
        (
            (
                "CREATE TABLE relay_api_calls (hour bigint NOT NULL, direction {text} NOT NULL, mapping {text} NOT NULL,"
                " purpose {text} NOT NULL, number bigint NOT NULL, PRIMARY KEY (hour, direction, mapping, purpose))"
            ),
        ),
    ),
    Migration(
        "history, records, pauses, audit",
        (
            "ALTER TABLE relay_inbox ADD COLUMN history {text} NOT NULL DEFAULT ''",
            "CREATE TABLE relay_records (message bigint NOT NULL, record {text} NOT NULL, PRIMARY KEY (message, record)){keyed}",
            "CREATE INDEX relay_records_record ON relay_records (record, message)",
            (
                "CREATE TABLE relay_pauses (scope {text} NOT NULL, name {text} NOT NULL, who {text} NOT NULL,"
                " at {moment} NOT NULL, alarmed_at {moment}, PRIMARY KEY (scope, name))"
            ),
            (
                "CREATE TABLE relay_audit (id {id}, at {moment} NOT NULL, who {text} NOT NULL, action {text} NOT NULL,"
                " selection text NOT NULL, number bigint NOT NULL)"
            ),
        ),
        _begin_history,
    ),
    # Each index is a separate step, since a step blocks writers: this way for about a second each.
    Migration(
        "events in the index of reasons",
        (
            "CREATE INDEX relay_inbox_reason_kind ON relay_inbox (reason, received_at, id, kind) WHERE reason <> ''",
            "DROP INDEX relay_inbox_reason",
        ),
    ),
    Migration(
        "events in the index of states",
        (
            "CREATE INDEX relay_inbox_state_kind ON relay_inbox ((state || ':' || source), received_at, id, kind)",
            "DROP INDEX relay_inbox_state",
        ),
    ),
    Migration(
        "index of finished messages by event",
        (
            # Open messages are left out, since each would be written to the index three times; a search finds them by state.
            ("CREATE INDEX relay_inbox_kind ON relay_inbox (kind, received_at, id) WHERE finished_at IS NOT NULL"),
        ),
    ),
    Migration(
        "bulk changes",
        (
            (
                "CREATE TABLE relay_changes (id bigint PRIMARY KEY, action {text} NOT NULL, choice text NOT NULL,"
                " total bigint NOT NULL, is_partial boolean NOT NULL, after_at {moment}, after_id bigint, holder {text} NOT NULL,"
                " lease_until {moment} NOT NULL, ended_at {moment}, problem {text} NOT NULL)"
            ),
        ),
    ),
    Migration(
        "index of categories",
        (
            "CREATE INDEX relay_inbox_category ON relay_inbox (reason, state, source, kind, received_at, id)",
            "DROP INDEX relay_inbox_state_kind",
            "DROP INDEX relay_inbox_reason_kind",
            "DROP INDEX relay_inbox_kind",
        ),
    ),
)


def migrate(database: Database, name: str, *, create: bool = True) -> None:
    """
    Migrate a database to the schema of this version; `name` is used in messages.

    Raises:
        Refused: The tables have a newer version, or do not exist and `create` is false.

    """
    # Read without a lock first, so that `relay status` does not wait for a writer.
    version = _version(database)
    if not version and not create:
        raise MissingInbox(f"in {name}")
    while version < len(HISTORY):
        step = HISTORY[version]
        in_pieces = step.fill is not None and _is_large(database)
        with database.migrating() if in_pieces else contextlib.nullcontext():
            if in_pieces and _version(database) == version:
                _run_in_pieces(database, step)
            version = _run_step(database, version, statements=() if in_pieces else None)
    if version > len(HISTORY):
        raise Refused(
            f"{name} was created by a newer sfcode: its schema has version {version}, and this sfcode supports up to {len(HISTORY)}",
            "Use the version of sfcode of the other relay processes, or a newer one.",
        )


def _run_step(database: Database, expected: int, statements: tuple[str, ...] | None) -> int:
    """Run a step, optionally with other statements, unless another process has run it; return the version."""
    with database.write() as tx:
        database.lock_migrations(tx.db)
        _run(tx.db, (RECORD,), database.type_names)
        version = _last(tx.db)
        if version != expected:
            return version
        step = HISTORY[version]
        _run(tx.db, step.statements if statements is None else statements, database.type_names)
        if step.move is not None:
            step.move(tx)
        row = {"version": version + 1, "name": step.name, "applied_at": tx.now}
        tx.db.execute(MIGRATIONS.insert(), row)
        return version + 1


def _is_large(database: Database) -> bool:
    """Return whether other processes would wait long if the inbox were migrated in one transaction."""
    if not database.has_many_writers:
        return False
    with database.read() as tx:
        return tx.db.execute(sa.select(INBOX.c.id).offset(LARGE).limit(1)).first() is not None


def _run_in_pieces(database: Database, step: Migration) -> None:
    """
    Run a step in short transactions, between which others can write; an interrupted step is resumed.

    A waiting lock blocks all later transactions, so each attempt to lock waits for one second only.
    """
    column, *indexes = (
        statement.replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS").replace(
            "CREATE INDEX", "CREATE INDEX IF NOT EXISTS"
        )
        for statement in step.statements
    )
    _run_alone(database, column)
    last: int | None = 0
    while last is not None and step.fill is not None:
        with database.write() as tx:
            last = step.fill(tx, last)
    for index in indexes:
        _run_alone(database, index)


def _run_alone(database: Database, statement: str) -> None:
    """Run a statement in a separate transaction, and repeat it until it gets its lock."""
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            with database.write() as tx:
                tx.db.exec_driver_sql("SET LOCAL statement_timeout = 0")
                _run(tx.db, (statement,), database.type_names)
                return
        except sa.exc.DBAPIError as error:
            if not tries_left or not is_locked(error):
                raise
            time.sleep(LOCK_PAUSE)


def _version(database: Database) -> int:
    with database.read() as tx:
        return _last(tx.db) if sa.inspect(tx.db).has_table(MIGRATIONS.name) else 0


def _last(db: sa.Connection) -> int:
    return db.execute(sa.select(sa.func.max(MIGRATIONS.c.version))).scalar() or 0


def _run(db: sa.Connection, statements: tuple[str, ...], type_names: Mapping[str, str]) -> None:
    for statement in statements:
        db.exec_driver_sql(statement.format_map(type_names))
