"""Claims: which messages are claimed, and which wait for earlier ones of their key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.inbox.claim import COLUMNS, ClaimRequest, LaneRow, choose, claim
from sfcode.relay.message import ClaimedMessage, Delivered, Delivery, Parked, Released, Retry
from tests.relay.inbox.conftest import Clock, Elapse
from tests.relay.inbox.samples import idle, keyed, message, never, numbers, settle, states, take


def test_an_empty_inbox_has_nothing_to_claim(inbox: Inbox) -> None:
    assert idle(inbox)


def test_a_claim_holds_all_that_a_writer_needs(inbox: Inbox, clock: Clock) -> None:
    inbox.accept([message(7, "user:x", kind="nps_feedback")])
    (claimed,) = take(inbox).messages
    assert claimed == ClaimedMessage(
        claimed.id, "appcues", "m7", "user:x", "nps_feedback", {"number": 7}, 0, claimed.received_at, claimed.waited
    )
    assert abs(claimed.received_at - clock.now) < timedelta(minutes=5)


def test_one_message_of_each_key_comes_first(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "a", "b", "b", "c"))
    assert numbers(take(inbox, limit=100)) == [0, 3, 5]


def test_followers_fill_the_remaining_claim_in_order(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "a", "b", "b", "b", "c"))
    assert numbers(take(inbox, limit=5, per_key=3)) == [0, 1, 3, 4, 6]


def test_no_key_has_more_messages_than_requested(inbox: Inbox) -> None:
    inbox.accept(keyed(*"aaaaab"))
    assert numbers(take(inbox, limit=100, per_key=3)) == [0, 1, 2, 5]


def test_a_claim_has_no_more_messages_than_requested(inbox: Inbox) -> None:
    inbox.accept(keyed(*"abcdefgh"))
    assert len(take(inbox, limit=3, per_key=2).messages) == 3
    assert len(take(inbox, limit=10, per_key=2).messages) == 5


def test_fewer_keys_leave_room_for_more_of_each(inbox: Inbox) -> None:
    inbox.accept(keyed(*"aaabbc"))
    claim = inbox.claim("appcues", limit=100, per_key=10, keys=2, lease=60)
    assert claim is not None
    assert numbers(claim) == [0, 1, 2, 3, 4]


def test_the_longest_waiting_key_comes_first(inbox: Inbox, elapse: Elapse) -> None:
    for number in range(6):
        inbox.accept([message(number, f"user:{9 - number}")])
        elapse(1)
    assert [numbers(take(inbox, limit=2)) for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]


def test_a_leased_key_is_not_claimed_again(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "b"))
    take(inbox, limit=1)
    assert numbers(take(inbox, limit=10, per_key=10)) == [2]
    inbox.accept([message(9, "user:a")])
    assert idle(inbox)


def test_new_messages_come_after_existing_ones(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a"))
    claim = take(inbox)
    inbox.accept([message(9, "user:a")])
    settle(inbox, claim)
    assert numbers(take(inbox, per_key=10)) == [1, 9]


def test_a_key_whose_head_waits_for_a_retry_is_blocked_and_others_are_not(
    inbox: Inbox, clock: Clock, elapse: Elapse
) -> None:
    inbox.accept(keyed("a", "a", "b", "b"))
    claim = take(inbox)
    ends = {claim.messages[0].id: Retry("503"), claim.messages[1].id: Delivered()}
    inbox.settle(claim, Delivery(ends), lambda _, __: timedelta(seconds=100))
    other_claim = take(inbox, per_key=10)
    assert numbers(other_claim) == [3]
    settle(inbox, other_claim)
    elapse(95)
    assert idle(inbox)
    elapse(5)
    assert numbers(take(inbox, per_key=10)) == [0, 1]


@pytest.mark.parametrize("end", [Delivered(), Parked("unknown_user"), Retry("no")], ids=["done", "parked", "dead"])
def test_a_finished_message_does_not_block_its_key(inbox: Inbox, end: Delivered | Parked | Retry) -> None:
    inbox.accept(keyed("a", "a"))
    settle(inbox, take(inbox), end, retry=never)
    assert numbers(take(inbox)) == [1]


def test_a_message_that_is_not_due_ends_its_lane(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    """A message that is retried later must not be overtaken by later messages of its key."""
    inbox.accept(keyed("a", "a", "a"))
    claim = take(inbox, per_key=2)
    seconds = {claim.messages[0].id: 10, claim.messages[1].id: 50}
    settle(inbox, claim, Retry("no"), retry=lambda claimed, _: timedelta(seconds=seconds[claimed.id]))
    elapse(10)
    claim = take(inbox, per_key=10)
    assert numbers(claim) == [0]
    settle(inbox, claim)
    assert idle(inbox)
    elapse(40)
    assert numbers(take(inbox, per_key=10)) == [1, 2]


def test_an_expired_lease_is_handed_out_again(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "a", "b"))
    first = take(inbox, per_key=2, lease=60)
    elapse(55)
    assert idle(inbox)
    elapse(5)
    second_claim = take(inbox, limit=2, per_key=1)
    assert numbers(second_claim) == [0, 2]
    assert second_claim.token != first.token
    assert all(message.attempts == 0 for message in second_claim.messages)


def test_the_sources_do_not_block_each_other(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, source="salesforce")])
    assert numbers(take(inbox)) == [1]
    claim = inbox.claim("salesforce", limit=10, per_key=1, lease=60)
    assert claim is not None
    assert (numbers(claim), claim.messages[0].source) == ([2], "salesforce")


def test_the_deadline_is_on_the_monotonic_clock_and_not_later_than_the_lease(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    before = boot_time()
    claim = take(inbox, lease=30)
    assert before + 30 <= claim.deadline <= boot_time() + 30


def test_released_messages_are_claimed_again_unchanged(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a", "b"))
    inbox.release(take(inbox, per_key=2))
    second_claim = take(inbox, per_key=2)
    assert numbers(second_claim) == [0, 1, 2]
    assert {message.attempts for message in second_claim.messages} == {0}


def test_a_release_after_the_lease_was_lost_takes_nothing_from_the_new_owner(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a"))
    old = take(inbox)
    elapse(60)
    take(inbox)
    inbox.release(old)
    assert idle(inbox)


def test_a_released_message_waits_for_the_earlier_ones_of_its_key(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "a", "b"))
    claim = take(inbox, per_key=2)
    ends = dict(zip((message.id for message in claim.messages), (Retry("no"), Released(), Delivered()), strict=True))
    assert inbox.settle(claim, Delivery(ends), lambda _, __: timedelta(seconds=20)) == 3
    assert states(inbox) == {0: "ready", 1: "ready", 2: "done"}
    assert idle(inbox)
    elapse(20)
    second_claim = take(inbox, per_key=2)
    assert [(message.payload["number"], message.attempts) for message in second_claim.messages] == [(0, 1), (1, 0)]


def test_the_heads_of_all_lanes_are_chosen_before_any_follower(clock: Clock) -> None:
    due, later = clock.now, clock.now + timedelta(seconds=1)
    places = [LaneRow(0, "a", 1, due), LaneRow(1, "a", 2, due), LaneRow(2, "a", 5, due)]
    places += [LaneRow(0, "b", 3, due), LaneRow(1, "b", 4, later), LaneRow(2, "b", 6, due)]
    assert choose(places, clock.now, 10) == [1, 3, 2, 5]
    assert choose(places, clock.now, 3) == [1, 3, 2]
    assert choose([LaneRow(0, "c", 7, later)], clock.now, 3) == [7], "its lane is due, so it is"


def test_a_message_that_was_received_while_the_clock_was_ahead_has_not_waited(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql("UPDATE relay_inbox SET received_at = '2999-01-01T00:00:00.000000Z'")
    (claimed,) = take(inbox).messages
    assert claimed.waited == timedelta()


@pytest.mark.parametrize("damage", ["payload = '{'", "payload = '[]'", "payload = ''"])
def test_a_damaged_row_is_parked_and_does_not_block_others(inbox: Inbox, damage: str) -> None:
    inbox.accept(keyed("a", "b", "a", "c"))
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql(f"UPDATE relay_inbox SET {damage} WHERE message_id = 'm0'")
    assert numbers(take(inbox, per_key=10)) == [1, 2, 3]
    (entry,) = inbox.page(Filter(state="parked"))
    assert (entry.message_id, entry.reason) == ("m0", "unreadable")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("damage", "is_parked"),
    [
        ("payload = CAST(x'7bff' AS TEXT)", True),
        ("payload = x'ff'", True),
        ("payload = 5", True),
        ("attempts = 'x'", True),
        ("attempts = x'ff'", True),
        ("detail = x'ff'", False),
        ("kind = x'ff00'", False),
        ("kind = CAST(x'ff' AS TEXT)", False),
        ("received_at = 5", False),
        ("received_at = x'ff'", False),
        ("received_at = '0001-01-01T00:00:00+14:00'", False),
        ("due_at = x'00'", False),
    ],
)
def test_a_value_of_another_type_does_not_block_others(inbox: Inbox, damage: str, is_parked: bool) -> None:
    """SQLite stores any bytes in any column."""
    inbox.accept(keyed("a", "b", "a", "c"))
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql(f"UPDATE relay_inbox SET {damage} WHERE message_id = 'm0'")
    claim = take(inbox, per_key=10)
    assert numbers(claim) == ([1, 2, 3] if is_parked else [0, 1, 2, 3])
    assert len(inbox.page(Filter())) == 4
    assert inbox.settle(claim, Delivery({message.id: Delivered() for message in claim.messages}), lambda *_: None) > 0
    assert inbox.stats().count("done") == len(claim.messages)
    assert inbox.purge({"done": timedelta(days=1)}) == 0


def test_payloads_are_read_after_the_transaction_for_which_others_wait(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b"))
    request = ClaimRequest("appcues", limit=2, per_key=1, keys=2, lease=60, deadline=5.0)
    with inbox._database.write() as tx:
        rows = claim(tx, request)
    assert rows is not None
    assert [type(row[COLUMNS.index("payload")]) for row in rows.rows] == [str, str]
    inbox.accept(keyed("a", "b", "c"))
    claim_read = rows.read()
    assert (numbers(claim_read), claim_read.deadline) == ([0, 1], 5.0)
    assert settle(inbox, claim_read) == 2
