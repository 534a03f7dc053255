"""Claims that take over expired leases, and the limits of a claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.inbox.settle import LONGEST_DETAIL
from sfcode.relay.message import Delivered, Parked, Retry
from tests.relay.inbox.conftest import Clock, Elapse
from tests.relay.inbox.samples import keyed, message, numbers, settle, states, take


def test_a_settled_message_holds_no_lease(inbox: Inbox, clock: Clock) -> None:
    """The token of a settled claim cannot settle its message again, even if the message is leased again."""
    inbox.accept(keyed("a"))
    old = take(inbox)
    settle(inbox, old, Retry("503"), retry=lambda *_: timedelta())
    with inbox._database.read() as tx:
        row = tx.db.exec_driver_sql("SELECT lease_until, lease_token FROM relay_inbox").one()
    assert tuple(row) == (None, None)
    new = take(inbox)
    assert new.token != old.token
    assert settle(inbox, old) == 0
    assert settle(inbox, new) == 1


def test_a_limit_bounds_the_keys_too(inbox: Inbox) -> None:
    """Keys of which no message was claimed must stay free for other workers."""
    inbox.accept(keyed("a", "b", "c", "d"))
    claim = inbox.claim("appcues", limit=2, per_key=2, keys=10, lease=60)
    assert claim is not None
    assert numbers(claim) == [0, 1]
    assert numbers(take(inbox)) == [2, 3]


def test_the_last_follower_that_fits_is_taken(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "a", "b"))
    assert numbers(take(inbox, limit=3, per_key=2)) == [0, 1, 3]


def test_one_key_fills_a_claim_alone(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "a", "a"))
    assert numbers(take(inbox, limit=3, per_key=10)) == [0, 1, 2]


def test_a_finished_message_between_open_ones_is_passed_over(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, parked="odd"), message(3)])
    assert numbers(take(inbox, per_key=2)) == [1, 3]


def test_messages_of_another_source_with_the_same_key_do_not_follow(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, source="salesforce"), message(3)])
    claim = take(inbox, per_key=3)
    assert numbers(claim) == [1, 3]
    settle(inbox, claim)
    assert states(inbox) == {1: "done", 2: "ready", 3: "done"}


def test_a_damaged_row_behind_others_is_parked_and_their_order_stays(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "a"))
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql("UPDATE relay_inbox SET payload = '{' WHERE message_id = 'm1'")
    claim = take(inbox, per_key=3)
    assert numbers(claim) == [0, 2]
    assert [claimed.attempts for claimed in claim.messages] == [0, 0]


@pytest.mark.parametrize("payload", ["[" * 100_000, "null", "7", '"text"'])
def test_a_payload_that_is_no_object_is_parked(inbox: Inbox, payload: str) -> None:
    inbox.accept(keyed("a", "b"))
    with inbox._database.write() as tx:
        tx.db.execute(sa.text("UPDATE relay_inbox SET payload = :it WHERE message_id = 'm0'"), {"it": payload})
    assert numbers(take(inbox)) == [1]
    (entry,) = inbox.page(Filter(state="parked"))
    assert (entry.message_id, entry.reason, entry.payload) == ("m0", "unreadable", {})


def test_a_damaged_time_does_not_block_other_messages(inbox: Inbox, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL keeps no such value")
    inbox.accept(keyed("a", "b"))
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql("UPDATE relay_inbox SET received_at = 'yesterday' WHERE message_id = 'm0'")
    claim = take(inbox)
    assert numbers(claim) == [0, 1]
    assert claim.messages[0].received_at.year == 1970


@pytest.mark.parametrize(("length", "end"), [(LONGEST_DETAIL, "x"), (LONGEST_DETAIL + 1, "...")])
@pytest.mark.parametrize("way", ["note", "parked", "retry", "dead"])
def test_a_detail_is_cut_beyond_its_longest_length(inbox: Inbox, clock: Clock, length: int, end: str, way: str) -> None:
    text = "x" * length
    settlement = {"note": Delivered(text), "parked": Parked("odd", text)}.get(way, Retry(text))
    inbox.accept(keyed("a"))
    settle(inbox, take(inbox), settlement, retry=lambda *_: timedelta() if way == "retry" else None)
    (entry,) = inbox.page(Filter())
    assert len(entry.detail) == LONGEST_DETAIL
    assert entry.detail.endswith(end)


def test_every_end_counts_as_an_attempt(inbox: Inbox, clock: Clock) -> None:
    inbox.accept(keyed("a"))
    for attempts in (1, 2):
        settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta())
        assert inbox.page(Filter())[0].attempts == attempts
    settle(inbox, take(inbox), Parked("odd"))
    assert inbox.page(Filter())[0].attempts == 3


def test_a_dead_message_counts_its_last_attempt_and_has_the_time_of_its_end(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a"))
    elapse(600)
    settle(inbox, take(inbox), Retry("503", counts=False))
    (entry,) = inbox.page(Filter())
    assert (entry.state, entry.attempts) == ("dead", 1)
    assert entry.finished_at is not None
    assert entry.finished_at - entry.received_at > timedelta(seconds=590)
