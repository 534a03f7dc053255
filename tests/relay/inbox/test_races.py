"""Transactions of several processes on PostgreSQL that access the same rows, in each interleaving."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from sfcode.relay.inbox import GroupCommit, Inbox, RowLocked, Unavailable, open_inbox
from sfcode.relay.inbox import accept as accepting
from sfcode.relay.inbox import claim as claiming
from sfcode.relay.inbox import settle as settling
from sfcode.relay.message import Delivered, Delivery
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, states, take
from tests.waiting import PATIENCE


@pytest.fixture
def inbox(postgres_inbox_url: str) -> Iterator[Inbox]:
    with open_inbox(postgres_inbox_url) as inbox:
        yield inbox


@pytest.fixture
def other(postgres_inbox_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection of another client."""
    with psycopg.connect(postgres_inbox_url) as db:
        yield db


@pytest.fixture
def meanwhile(postgres_inbox_url: str) -> Iterator[Callable[..., Future[Any]]]:
    """Return a function that runs work in a thread, and returns when the work waits for a lock in this database."""
    with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres_inbox_url, autocommit=True) as db:

        def run(call: Callable[..., Any], *arguments: Any) -> Future[Any]:
            future = pool.submit(call, *arguments)
            until = time.monotonic() + PATIENCE
            while not future.done() and time.monotonic() < until:
                waiting = db.execute(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity"
                    " WHERE application_name = current_setting('application_name'))"
                )
                if waiting.fetchone():
                    return future
            raise AssertionError(f"it did not wait: {future}")

        yield run


def test_a_message_that_arrives_while_its_lane_is_about_to_close_keeps_it_open(inbox: Inbox, meanwhile) -> None:
    inbox.accept(keyed("a"))
    claim = take(inbox)
    with inbox._database.write() as tx:
        accepting.accept(tx, [[message(9, "user:a")]])
        settled = meanwhile(settle, inbox, claim)
    assert settled.result(PATIENCE) == 1
    assert numbers(take(inbox)) == [9]


def test_a_message_that_arrives_while_its_lane_closes_opens_it_again(inbox: Inbox, meanwhile) -> None:
    inbox.accept(keyed("a"))
    claim = take(inbox)
    with inbox._database.write() as tx:
        settling.settle(tx, claim, Delivery({claim.messages[0].id: Delivered()}), {})
        accepted = meanwhile(inbox.accept, [message(9, "user:a")])
    assert accepted.result(PATIENCE) == 1
    assert numbers(take(inbox)) == [9]


def test_a_claim_takes_free_keys_and_does_not_wait_for_locked_ones(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "b", "c"))
    request = claiming.ClaimRequest("appcues", limit=2, per_key=1, keys=2, lease=60, deadline=0)
    with inbox._database.write() as tx:
        rows = claiming.claim(tx, request)
        assert rows is not None
        claim = rows.read()
        second_claim = take(inbox, limit=10, per_key=10)
        assert not {message.key for message in claim.messages} & {message.key for message in second_claim.messages}
        assert idle(inbox)
    assert sorted(numbers(claim) + numbers(second_claim)) in ([0, 2, 3], [0, 1, 2, 3])


def test_a_claim_does_not_wait_for_messages_that_arrive(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b"))
    with inbox._database.write() as tx:
        accepting.accept(tx, [[message(9, "user:a")]])
        assert numbers(take(inbox)) == [1]
    assert numbers(take(inbox, per_key=5)) == [0, 9]


def test_the_same_message_in_two_transactions_is_kept_once(inbox: Inbox, meanwhile) -> None:
    with inbox._database.write() as tx:
        assert accepting.accept(tx, [[message(1)]]) == (1,)
        accepted = meanwhile(inbox.accept, [message(1), message(2)])
    assert accepted.result(PATIENCE) == 1
    assert sorted(states(inbox)) == [1, 2]


def test_a_message_whose_other_transaction_fails_is_kept_all_the_same(inbox: Inbox, meanwhile) -> None:
    with inbox._database.write() as tx:
        accepting.accept(tx, [[message(1)]])
        accepted = meanwhile(inbox.accept, [message(1)])
        tx.db.rollback()
    assert accepted.result(PATIENCE) == 1
    assert sorted(states(inbox)) == [1]


def test_a_transaction_that_lost_a_deadlock_is_retried(inbox: Inbox, other: psycopg.Connection[Any], meanwhile) -> None:
    other.execute("SET deadlock_timeout = '60s'")  # so that PostgreSQL ends the inbox's transaction, and not this one
    statement = (
        "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at, received_at)"
        " VALUES ('appcues', %s, 'k', 'e', '{}', 'ready', '', '', 0, now(), now())"
    )
    other.execute(statement, ["m1"])
    accepted = meanwhile(inbox.accept, [message(2), message(1)])
    other.execute(statement, ["m2"])  # a deadlock, which PostgreSQL ends
    other.rollback()
    assert accepted.result(PATIENCE) == 2


def test_a_server_that_goes_away_in_the_middle_is_unavailable_and_later_it_is_not(
    inbox: Inbox, other: psycopg.Connection[Any], postgres_inbox_url: str, meanwhile
) -> None:
    other.execute("LOCK TABLE relay_inbox IN EXCLUSIVE MODE")
    accepted = meanwhile(inbox.accept, [message(1)])
    with psycopg.connect(postgres_inbox_url) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = current_setting('application_name') AND wait_event_type = 'Lock'"
        )
    with pytest.raises(Unavailable):
        accepted.result(PATIENCE)
    other.rollback()
    assert inbox.accept([message(1)]) == 1


def test_the_server_ends_hanging_transactions(inbox: Inbox) -> None:
    with inbox._database.write() as tx:
        assert tx.db.exec_driver_sql("SHOW statement_timeout").scalar() == "1min"
        assert tx.db.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "10s"
        assert tx.db.exec_driver_sql("SHOW lock_timeout").scalar() == "1s"


def test_a_process_that_is_suspended_in_its_transaction_does_not_prevent_accepts(postgres_inbox_url: str) -> None:
    """
    The process holds the lane of one key.

    Messages of this key are still stored, and delivered once the process is gone.
    """
    with open_inbox(postgres_inbox_url) as inbox:
        inbox.accept(keyed("a", "b"))
        with psycopg.connect(postgres_inbox_url) as frozen:
            frozen.execute("SELECT * FROM relay_lanes WHERE key = 'user:a' FOR UPDATE")
            began = time.monotonic()
            counts = inbox.accept_each([[message(2, "user:a")], [message(3, "user:b")], [message(4, "user:c")]])
            assert counts == (1, 1, 1)
            assert inbox.accept([message(5, "user:d"), message(6, "user:a")]) == 2
            assert time.monotonic() - began < PATIENCE / 2, "a second, on a machine with nothing else to do"
            assert inbox.open_locked_lanes() == 1
            assert numbers(take(inbox, per_key=10)) == [1, 3, 4, 5], "the keys of the others are delivered"
            # The owner finally deletes the lane, since it does not see the messages that were stored meanwhile.
            frozen.execute("DELETE FROM relay_lanes WHERE key = 'user:a'")
        assert idle(inbox)
        assert inbox.open_locked_lanes() == 0
        assert numbers(take(inbox, per_key=10)) == [0, 2, 6]


def test_a_message_that_a_frozen_process_is_storing_fails_alone(postgres_inbox_url: str) -> None:
    with open_inbox(postgres_inbox_url) as inbox, psycopg.connect(postgres_inbox_url) as frozen:
        inbox.accept([message(1)])
        frozen.execute(
            "INSERT INTO relay_inbox (source, message_id, key, kind, payload, state, reason, detail, attempts, due_at,"
            " received_at) VALUES ('appcues', 'm7', 'user:7', 'e', '{}', 'ready', '', '', 0, now(), now())"
        )

        async def act() -> list[object]:
            async with GroupCommit(inbox) as commit:
                calls = [commit.accept([message(number, f"user:{number}")]) for number in (6, 7, 8)]
                return await asyncio.gather(*calls, return_exceptions=True)

        six, seven, eight = asyncio.run(act())
        assert (six, eight) == (1, 1)
        assert isinstance(seven, RowLocked)
