"""The counters equal the counted rows after any change, and frequent queries neither count nor scan the messages."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox, State, Unavailable, counts, open_inbox
from sfcode.relay.inbox import migrations as module
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.message import Delivered, Delivery, LatestState, Parked, Retry
from tests.relay.inbox.samples import message, take
from tests.waiting import PATIENCE

ROWS = 6_000
KEPT = 5_900
"""The number of rows that are done."""


def counted(inbox: Inbox) -> dict[tuple[str, str, str], int]:
    """Count the rows without the counters."""
    with inbox._database.read() as tx:
        rows = tx.db.execute(
            sa.text("SELECT source, state, reason, count(*) FROM relay_inbox GROUP BY source, state, reason")
        )
        return {(source, state, reason): number for source, state, reason, number in rows}


def execute(inbox: Inbox, statement: str) -> None:
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql(statement)


class TestCounters:
    def test_counters_equal_the_counted_rows_after_any_change(self, inbox: Inbox) -> None:
        rng = random.Random(3)
        counters: set[tuple[str, str, str]] = set()
        for step in range(60):
            first = 100 * step
            inbox.accept(
                [
                    message(first + number, f"user:{rng.randrange(9)}", parked=rng.choice(["", "", "no_data"]))
                    for number in range(rng.randrange(6))
                ]
            )
            inbox.accept([message(first, source="salesforce")] * 2)
            claim = inbox.claim("appcues", limit=rng.randrange(1, 9), per_key=3, lease=60)
            if claim and rng.random() < 0.8:
                ends = {
                    claimed.id: rng.choice([Delivered(), Parked("bad_text", "x"), Retry("503"), Parked("unknown_user")])
                    for claimed in claim.messages
                }
                when = rng.choice([None, timedelta()])
                inbox.settle(claim, Delivery(ends), lambda _, __, when=when: when)
            if step % 7 == 0:
                inbox.replay(Filter(reason=rng.choice(["bad_text", "unknown_user", "gave_up"])))
            if step % 11 == 0:
                execute(inbox, f"DELETE FROM relay_inbox WHERE id - 5 * (id / 5) = {rng.randrange(5)}")
            if step % 13 == 0:
                execute(inbox, "UPDATE relay_inbox SET state = 'ready', reason = '' WHERE id - 6 * (id / 6) = 0")
            if step % 9 == 0:
                inbox.merge_counts()
            assert inbox.stats().counts_by_reason == counted(inbox)
            counters.update(counted(inbox))
        assert len(counters) > 4

    def test_a_transaction_that_is_rolled_back_counts_nothing(self, inbox: Inbox) -> None:
        inbox.accept([message(1)])
        with contextlib.suppress(ZeroDivisionError), inbox._database.write() as tx:
            tx.db.exec_driver_sql("DELETE FROM relay_inbox")
            raise ZeroDivisionError
        assert inbox.stats().count("ready") == 1

    def test_rows_of_an_older_version_are_counted_once(
        self, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        older = [step.name for step in module.HISTORY].index("counters")
        monkeypatch.setattr(module, "HISTORY", module.HISTORY[:older])
        with open_inbox(empty_database_url) as inbox:
            moment = "'2026-11-23T17:00:00.000000Z'"
            for number, (state, end) in enumerate([("ready", "NULL"), ("done", moment), ("done", moment)]):
                execute(
                    inbox,
                    "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at,"
                    f" received_at, finished_at) VALUES ('appcues', 'm{number}', 'user:1', 'k', '{{}}', '{state}', '', '', 0,"
                    f" {moment}, {moment}, {end})",
                )
        monkeypatch.undo()
        with open_inbox(empty_database_url) as inbox:
            assert inbox.stats().counts == {("appcues", "ready"): 1, ("appcues", "done"): 2}
            assert len(inbox.page(Filter(subject="user:1"))) == 3


class TestDifferences:
    """On PostgreSQL each statement adds rows, so that no process waits for the counter of another process."""

    def rows(self, inbox: Inbox) -> int:
        with inbox._database.read() as tx:
            return int(tx.db.scalar(sa.text("SELECT count(*) FROM relay_counts")) or 0)

    def test_differences_are_added_up(self, postgres_inbox_url: str) -> None:
        with open_inbox(postgres_inbox_url) as inbox:
            for number in range(20):
                inbox.accept([message(number)])
            assert self.rows(inbox) == 20
            assert inbox.merge_counts() == 20
            assert self.rows(inbox) == 1
            assert inbox.stats().count("ready") == 20

    def test_counters_that_are_0_leave_no_row(self, postgres_inbox_url: str) -> None:
        with open_inbox(postgres_inbox_url) as inbox:
            inbox.accept([message(1)])
            execute(inbox, "DELETE FROM relay_inbox")
            inbox.merge_counts()
            assert (self.rows(inbox), inbox.stats().counts) == (0, {})

    def test_many_differences_are_added_up_in_pieces(
        self, postgres_inbox_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(counts, "AT_ONCE", 4)
        with open_inbox(postgres_inbox_url) as inbox:
            for number in range(10):
                inbox.accept([message(number)])
            inbox.merge_counts()
            assert self.rows(inbox) < 4
            assert inbox.stats().count("ready") == 10

    def test_an_open_transaction_does_not_block_others(self, postgres_inbox_url: str) -> None:
        """If processes shared the row of a counter, a suspended process would block the ingress of all others."""
        with open_inbox(postgres_inbox_url) as inbox, inbox._database.write() as tx:
            tx.db.exec_driver_sql("UPDATE relay_inbox SET state = 'done' WHERE false")
            with open_inbox(postgres_inbox_url) as second_inbox:
                second_inbox.accept([message(1)])
                second_inbox.merge_counts()
            insert = (
                "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at,"
                " received_at) VALUES ('appcues', 'x', 'user:9', 'k', '{}', 'ready', '', '', 0, now(), now())"
            )
            tx.db.exec_driver_sql(insert)
            finished = threading.Event()

            def accept() -> None:
                with open_inbox(postgres_inbox_url) as third:
                    third.accept([message(2)])
                    third.merge_counts()
                finished.set()

            thread = threading.Thread(target=accept)
            thread.start()
            assert finished.wait(PATIENCE)
            thread.join()
        with open_inbox(postgres_inbox_url) as inbox:
            assert inbox.stats().count("ready") == 3


def fill(inbox: Inbox, filled: Callable[[str], None] = lambda _: None) -> None:
    """
    Store many rows that are done, and a few of every other kind; call `filled` at each stage.

    The oldest and the newest row are among the few.
    """
    filled("empty")
    for first in range(0, ROWS, 1000):
        numbers = range(first, first + 1000)
        parked = {number: "unknown_user" if number % 600 == 0 else "done" for number in numbers}
        inbox.accept([message(number, f"user:{number % 1000}", parked=parked[number]) for number in numbers])
        if not first:
            filled("first")
    filled("parked")
    for last in (ROWS // 2, ROWS):
        execute(inbox, f"UPDATE relay_inbox SET state = 'done', reason = '' WHERE reason = 'done' AND id <= {last}")
        filled("half done" if last < ROWS else "done")
    inbox.accept([message(ROWS + number, f"user:{number}") for number in range(5)])
    take(inbox, limit=2)
    inbox.accept([message(ROWS + 10 + number, f"rewrite:Contact:003{number:015}") for number in range(1000)])
    states = [f"{kind}:Contact:003{number:015}:score" for number in range(1000) for kind in ("nps", "field")]
    states += [f"profile:user:{number}" for number in range(1000)]
    inbox.note([LatestState(name, "2026") for name in states])
    inbox.note([LatestState("records:user:7", "2026", json.dumps([f"003{number:015}" for number in (7, 8)]))])
    execute(inbox, "INSERT INTO relay_records (message, record) SELECT id, key FROM relay_inbox")
    inbox.merge_counts()
    filled("filled")


SEARCHES: dict[str, Callable[[Inbox], Any]] = {
    "counters": lambda inbox: inbox.stats(),
    "newest": lambda inbox: inbox.page(Filter(), 20),
    "next page": lambda inbox: inbox.page(Filter(), 20, inbox.page(Filter(), 1)[0]),
    "user": lambda inbox: inbox.page(Filter(subject="user:7"), 20),
    "reason": lambda inbox: inbox.page(Filter(reason="unknown_user"), 20),
    "reason that is not there": lambda inbox: inbox.page(Filter(reason="bad_text"), 20),
    "state": lambda inbox: inbox.page(Filter(state="leased"), 20),
    "state that is not there": lambda inbox: inbox.page(Filter(state="dead"), 20),
    "state and reason": lambda inbox: inbox.page(Filter(state="parked", reason="unknown_user", source="appcues"), 20),
    "time": lambda inbox: inbox.page(Filter(since=datetime.now(UTC) + timedelta(days=1)), 20),
    "user and time": lambda inbox: inbox.page(Filter(subject="user:7", since=datetime(2020, 1, 1, tzinfo=UTC)), 20),
    "reason and time": lambda inbox: inbox.page(
        Filter(reason="unknown_user", until=datetime(2020, 1, 1, tzinfo=UTC)), 20
    ),
    "event": lambda inbox: inbox.page(Filter(kind="nps_score"), 20),
    "event that is not there": lambda inbox: inbox.page(Filter(kind="other"), 20),
    "state and event": lambda inbox: inbox.page(Filter(state="parked", source="appcues", kind="other"), 20),
    "record": lambda inbox: inbox.page(Filter(record="user:7"), 20),
    "record that is not there": lambda inbox: inbox.page(Filter(record="003"), 20),
    "record and reason": lambda inbox: inbox.page(Filter(record="user:7", reason="bad_text"), 20),
    "count of a reason": lambda inbox: inbox.count(Filter(reason="bad_text")),
    "changes": lambda inbox: inbox.changes(datetime.now(UTC) + timedelta(days=1), 20),
    "one message": lambda inbox: inbox.find(ROWS),
    "replay": lambda inbox: inbox.replay(Filter(reason="bad_text")),
    "replay of a state": lambda inbox: inbox.replay(Filter(state="dead")),
    "replay of all": lambda inbox: inbox.replay(Filter(kind="other")),
    "person": lambda inbox: inbox.find_person("7", ["records:user:7", "profile:user:7"]),
    "nobody": lambda inbox: inbox.find_person("nobody", ["records:user:nobody"]),
    "purge": lambda inbox: inbox.purge({"done": timedelta(days=1)}),
}

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TOGETHER = (
    Filter(state="done", kind="nps_score"),
    Filter(state="done", source="appcues", until=LONG_AGO),
    Filter(kind="nps_score", source="salesforce"),
    Filter(kind="nps_score", until=LONG_AGO),
    Filter(kind="nps_score", reason="unknown_user"),
    Filter(source="salesforce"),
    Filter(source="appcues", until=LONG_AGO),
    Filter(record="user:7", state="done"),
    Filter(subject="user:7", state="done", kind="other"),
    Filter(subject="user:7", record="user:8"),
    Filter(state="done", source="appcues", kind="other"),
)
"""Filters of which some conditions match nearly all rows, but all conditions together match few."""
SEARCHES |= {
    f"together {number}": lambda inbox, choice=choice: inbox.search(choice, 20)
    for number, choice in enumerate(TOGETHER)
}


@contextmanager
def statements(inbox: Inbox) -> Iterator[list[tuple[str, Any]]]:
    """Record the SQL statements and their parameters."""
    executed: list[tuple[str, Any]] = []

    def note(_db: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        executed.append((statement, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    with open_inbox(f"sqlite:///{tmp_path_factory.mktemp('filled') / 'relay.db'}") as inbox:
        fill(inbox)
        yield inbox


@pytest.mark.parametrize("name", SEARCHES)
def test_sqlite_answers_by_an_index_and_sorts_nothing(filled_sqlite: Inbox, name: str) -> None:
    with statements(filled_sqlite) as executed:
        SEARCHES[name](filled_sqlite)
    with filled_sqlite._database.read() as tx:
        checked_statements = [
            (text, values) for text, values in executed if text.startswith(("SELECT", "DELETE", "UPDATE"))
        ]
        plans = [
            row[3]
            for text, values in checked_statements
            for row in tx.db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert plans
    ordered = (
        "SCAN relay_inbox USING INDEX relay_inbox_received",
        "SCAN relay_inbox USING COVERING INDEX relay_inbox_category",
        "SCAN relay_counts USING INDEX",
    )
    scans = [step for step in plans if step.startswith("SCAN relay_") and not step.startswith(ordered)]
    assert scans == []
    assert [step for step in plans if "TEMP B-TREE" in step] == []


@pytest.mark.parametrize("name", SEARCHES)
def test_sqlite_reads_as_much_as_it_shows(filled_sqlite: Inbox, name: str) -> None:
    """Reading an index in order is cheap only if it ends early, so the steps of the engine are counted."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def listen(connection: Any, *_: Any) -> None:
        connection.connection.dbapi_connection.set_progress_handler(count, 100)

    sa.event.listen(sa.Engine, "begin", listen)
    try:
        SEARCHES[name](filled_sqlite)
    finally:
        sa.event.remove(sa.Engine, "begin", listen)
    assert steps < 60, "6,000 steps; each row that is looked at takes some"


READ = sa.text(
    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname LIKE 'relay_%'"
)


@pytest.mark.parametrize("counted_when", ["never", "empty", "first", "parked", "half done", "done", "filled"])
def test_postgresql_reads_as_much_as_it_shows(postgres_url: str, counted_when: str) -> None:
    """PostgreSQL collects statistics in the background; until then they are missing or outdated."""
    with open_inbox(postgres_url) as inbox:
        for table in ("inbox", "lanes", "counts", "latest", "records"):
            execute(inbox, f"ALTER TABLE relay_{table} SET (autovacuum_enabled = false)")
        fill(inbox, lambda stage: execute(inbox, "ANALYZE") if stage == counted_when else None)
        totals = {}
        for name, search in SEARCHES.items():
            total = 0

            def work(tx: Transaction) -> None:
                nonlocal total
                total -= int(tx.db.execute(READ).scalar_one() or 0)

            def note(tx: Transaction) -> None:
                nonlocal total
                total += int(tx.db.execute(READ).scalar_one() or 0)

            with counting_reads(inbox, work, note):
                search(inbox)
            totals[name] = total
    assert {name: reads for name, reads in totals.items() if reads > 400} == {}


@contextmanager
def counting_reads(
    inbox: Inbox, before: Callable[[Transaction], None], after: Callable[[Transaction], None]
) -> Iterator[None]:
    """Call `before` and `after` at the start and the end of each transaction."""
    database = inbox._database
    write = database.write

    @contextmanager
    def counted_write(
        _seconds: float | None = None, *, durable: bool = True, one_statement: bool = False
    ) -> Iterator[Transaction]:
        # A single statement is executed in a transaction too, together with the statements that count.
        with write(durable=durable) as tx:
            before(tx)
            yield tx
            after(tx)

    database.write = database.read = counted_write  # type: ignore[method-assign]
    try:
        yield
    finally:
        del database.write, database.read


def test_the_keys_that_wait_are_counted_up_to_a_limit(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfcode.relay.inbox import admin

    monkeypatch.setattr(admin, "MOST_WAITING", 3)
    inbox.accept([message(number, f"user:{number}") for number in range(5)])
    take(inbox, limit=5)
    assert inbox.stats().waiting == {"appcues": 3}


def test_a_purge_pauses_between_its_steps(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfcode.relay.inbox import inbox as inbox_module

    monkeypatch.setattr(inbox_module, "AT_ONCE", 10)
    state: State = "parked"
    inbox.accept([message(number, parked="no_data") for number in range(35)])
    pauses: list[float] = []
    assert inbox.purge({state: timedelta(0)}, pauses.append) == 35
    assert len(pauses) == 3
    assert all(pause > 0 for pause in pauses)


def test_pages_by_time_and_state_follow_each_other(inbox: Inbox) -> None:
    inbox.accept([message(number, parked="no_data") for number in range(7)])
    inbox.accept([message(number, source="salesforce", parked="no_data") for number in range(7)])
    first = inbox.page(Filter(state="parked"), 5)
    entries = inbox.page(Filter(state="parked"), 20, first[-1])
    ids = [entry.id for entry in (*first, *entries)]
    assert ids == sorted(ids, reverse=True)
    assert Counter(entry.source for entry in (*first, *entries)) == {"appcues": 7, "salesforce": 7}


def test_queries_of_people_have_a_timeout_and_the_relay_continues(inbox: Inbox) -> None:
    endless = sa.text(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000000)"
        " SELECT max(n) FROM numbers"
    )
    for_people = inbox.limit_reads(0.2)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="took too long"):
        for_people._read(lambda tx: tx.db.execute(endless).scalar())
    assert time.monotonic() - began < PATIENCE / 2
    assert for_people.page(Filter()) == ()
    short = sa.text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"
    )
    for _ in range(4):  # each pooled connection is used, also those that had a time limit
        assert inbox._read(lambda tx: tx.db.execute(short).scalar()) == 300000
