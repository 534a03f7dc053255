"""The numbers of rows that a claim and a settlement read are proportional to their messages, for any backlog."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.inbox import claim as claiming
from sfcode.relay.inbox import settle as settling
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.message import Claim, Delivered, Delivery, Retry
from tests.relay.inbox.conftest import Clock
from tests.relay.inbox.samples import message, take

BACKLOG = 5_000
TAKEN = 40
READ = sa.text(
    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname LIKE 'relay_%'"
)


def fill(inbox: Inbox, keys: int) -> None:
    for first in range(0, BACKLOG, 1000):
        inbox.accept([message(number, f"user:{number % keys}") for number in range(first, first + 1000)])


class Reads:
    """Counts the rows that a transaction reads, from the statistics of its session."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._before = self._count()

    def __call__(self) -> int:
        return self._count() - self._before

    def _count(self) -> int:
        return int(self._tx.db.execute(READ).scalar_one() or 0)


def claimed(tx: Transaction, per_key: int) -> Claim:
    rows = claiming.claim(tx, claiming.ClaimRequest("appcues", TAKEN, per_key, TAKEN, 60, 0))
    assert rows is not None
    return rows.read()


def settled(tx: Transaction, claim: Claim) -> None:
    assert settling.settle(tx, claim, Delivery({message.id: Delivered() for message in claim.messages}), {}) == len(
        claim.messages
    )


@pytest.mark.parametrize("keys", [BACKLOG, 7, 1], ids=["many keys", "some keys", "one key"])
@pytest.mark.parametrize("per_key", [1, 20])
def test_postgresql_reads_little_even_before_it_has_statistics(postgres_url: str, keys: int, per_key: int) -> None:
    with open_inbox(postgres_url) as inbox:
        fill(inbox, keys)
        with inbox._database.write() as tx:
            reads = Reads(tx)
            claim = claimed(tx, per_key)
            assert reads() <= 15 * TAKEN
            settled(tx, claim)
            assert reads() <= 30 * TAKEN


def test_postgresql_does_not_read_messages_that_wait_for_a_retry(postgres_url: str, clock: Clock) -> None:
    with clock.open_inbox(postgres_url) as inbox:
        fill(inbox, BACKLOG)
        front = take(inbox, limit=BACKLOG - 500)
        ends = Delivery({message.id: Retry("503") for message in front.messages})
        inbox.settle(front, ends, lambda _, __: timedelta(hours=1))
        with inbox._database.write() as tx:
            claimed(tx, 1)  # marks the index entries of the retried messages as dead
            reads = Reads(tx)
            claimed(tx, 1)
            assert reads() <= 15 * TAKEN


@pytest.mark.parametrize("per_key", [1, 20])
def test_sqlite_scans_no_table(sqlite_url: str, per_key: int) -> None:
    statements: list[tuple[str, Any]] = []
    with open_inbox(sqlite_url) as inbox:
        fill(inbox, BACKLOG)
        with inbox._database.write() as tx:
            note = lambda *event: statements.append((event[2], event[3]))  # noqa: E731 - it has to be the same one below
            sa.event.listen(tx.db, "before_cursor_execute", note)
            settled(tx, claimed(tx, per_key))
            sa.event.remove(tx.db, "before_cursor_execute", note)
            plans = [
                row[3]
                for statement, with_ in statements
                for row in tx.db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", with_)
            ]
    assert any("relay_lanes_due" in step for step in plans)
    assert any("relay_inbox_open" in step for step in plans)
    assert [step for step in plans if step.startswith("SCAN relay_")] == []
