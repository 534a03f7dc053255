"""A rolling upgrade: processes of an older version continue beside a new one that has migrated the tables."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.inbox.migrations import HISTORY
from sfcode.relay.message import InboxMessage
from tests.relay.inbox.samples import settle, take

BASE = 6
"""The version of the tables for which the statements below are written."""
ADDITIONS = (
    r"CREATE (UNIQUE )?(TABLE|INDEX) .*",
    r"DROP INDEX \w+",  # older processes are slower without the index, but work
    r"ALTER TABLE \w+ ADD COLUMN \w+ \{?\w+\}?( NOT NULL DEFAULT \S+| DEFAULT \S+)?",
)
INSERT = (
    "INSERT INTO relay_inbox (source, message_id, key, subject, kind, payload, reason, state, detail, attempts, due_at,"
    " received_at, finished_at) VALUES (:source, :id, :key, :key, 'k', '{}', '', 'ready', '', 0, :now, :now, NULL)"
)
LANE = (
    "INSERT INTO relay_lanes (name, source, key, due_at) VALUES (:name, :source, :key, :now)"
    " ON CONFLICT (name) DO UPDATE SET due_at = relay_lanes.due_at"
)
CLAIM = "UPDATE relay_inbox SET state = 'leased', lease_until = :until, lease_token = 'old' WHERE key = :key AND state = 'ready'"
PUT_OFF = "UPDATE relay_lanes SET due_at = :until WHERE name = :name"
SETTLE = (
    "UPDATE relay_inbox SET state = 'done', reason = '', detail = 'by the old one', attempts = attempts + 1,"
    " lease_until = NULL, lease_token = NULL, finished_at = :now WHERE lease_token = 'old'"
)
CLOSE = "DELETE FROM relay_lanes WHERE name = :name"


@pytest.mark.parametrize("migration", HISTORY[BASE:], ids=lambda migration: migration.name)
def test_a_migration_adds_and_takes_nothing_from_older_processes(migration):
    for statement in migration.statements:
        assert any(re.fullmatch(addition, statement) for addition in ADDITIONS), statement


def run(inbox: Inbox, *statements: str, **values: object) -> None:
    """Run statements in one transaction, as a process of version `BASE` does, with times of the inbox's clock."""
    with inbox._database.write() as tx:
        moments = {"now": tx.now, "until": tx.now.replace(year=tx.now.year + 1)}
        if tx.db.dialect.name == "sqlite":
            moments = {name: f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for name, moment in moments.items()}  # type: ignore[misc]
        for statement in statements:
            names = set(re.findall(r":(\w+)", statement))
            tx.db.execute(sa.text(statement), {name: {**moments, **values}[name] for name in names})


def test_old_and_new_processes_accept_and_deliver_side_by_side(database_url: str) -> None:
    with open_inbox(database_url) as new:
        run(new, INSERT, LANE, source="appcues", id="old-1", key="user:a", name="appcues:user:a")
        new.accept(
            [InboxMessage("appcues", "new-1", "user:a", "k", {}), InboxMessage("appcues", "new-2", "user:b", "k", {})]
        )
        run(new, CLAIM, PUT_OFF, key="user:b", name="appcues:user:b")
        claim = take(new, per_key=5)
        assert [message.message_id for message in claim.messages] == ["old-1", "new-1"], "not what the old one has"
        settle(new, claim)
        run(new, SETTLE, CLOSE, name="appcues:user:b")
        assert new.claim("appcues", limit=5, per_key=5, lease=60) is None
        assert dict(new.stats().counts) == {("appcues", "done"): 3}
        assert {entry.message_id: entry.detail for entry in new.page(Filter())}["new-2"] == "by the old one"
