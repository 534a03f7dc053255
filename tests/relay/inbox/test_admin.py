"""Actions of people on an inbox: read, replay, purge."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox, State
from sfcode.relay.inbox import inbox as module
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.message import Delivered, Delivery, Parked, Retry
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, keyed, message, never, numbers, settle, states, take

ENDS = (Delivered(), Parked("unknown_user"), Parked("locked"), Retry("no"))


@pytest.fixture
def ended(inbox: Inbox, elapse: Elapse) -> Inbox:
    """Store messages 0 to 5, received a minute apart: done, parked, parked, dead, leased, ready."""
    for number, key in enumerate("abcdee"):
        inbox.accept([message(number, f"user:{key}", kind="even" if number % 2 == 0 else "odd")])
        elapse(60)
    claim = take(inbox, limit=4)
    ends = {message_.id: ENDS[message_.payload["number"]] for message_ in claim.messages}
    inbox.settle(claim, Delivery(ends), never)
    take(inbox)
    return inbox


def test_counts_by_source_state_and_reason(ended: Inbox, elapse: Elapse) -> None:
    ended.accept([message(1, source="salesforce", parked="no_data")])
    stats = ended.stats()
    assert stats.counts == {
        ("appcues", "ready"): 1,
        ("appcues", "leased"): 1,
        ("appcues", "done"): 1,
        ("appcues", "parked"): 2,
        ("appcues", "dead"): 1,
        ("salesforce", "parked"): 1,
    }
    assert stats.reasons == {
        ("appcues", "parked", "unknown_user"): 1,
        ("appcues", "parked", "locked"): 1,
        ("appcues", "dead", "gave_up"): 1,
        ("salesforce", "parked", "no_data"): 1,
    }
    assert (stats.count("parked"), stats.count("parked", "appcues"), stats.count("dead", "salesforce")) == (3, 2, 0)
    assert stats.waiting == {"appcues": 1}
    assert timedelta(seconds=110) < stats.now - stats.oldest["appcues"] < timedelta(seconds=300)
    assert "salesforce" not in stats.oldest


def test_an_empty_inbox_has_no_counts(inbox: Inbox) -> None:
    stats = inbox.stats()
    assert (stats.counts, stats.reasons, stats.oldest, stats.waiting) == ({}, {}, {}, {})


def listed(inbox: Inbox, choice: Filter) -> list[int]:
    return [entry.payload["number"] for entry in inbox.page(choice)]


def test_lists_filter_messages_newest_first(ended: Inbox) -> None:
    entries = ended.page(Filter())
    received = {entry.payload["number"]: entry.received_at for entry in entries}
    ids = {entry.payload["number"]: entry.id for entry in entries}
    assert listed(ended, Filter()) == [5, 4, 3, 2, 1, 0]
    assert listed(ended, Filter(state="parked")) == [2, 1]
    assert listed(ended, Filter(reason="locked")) == [2]
    assert listed(ended, Filter(kind="odd", state="dead")) == [3]
    assert listed(ended, Filter(kind="even")) == [4, 2, 0], "leased, parked and done"
    assert listed(ended, Filter(kind="odd")) == [5, 3, 1]
    assert listed(ended, Filter(kind="odd", source="salesforce")) == []
    assert listed(ended, Filter(subject="user:e")) == [5, 4]
    assert listed(ended, Filter(source="salesforce")) == []
    assert listed(ended, Filter(since=received[4])) == [5, 4]
    assert listed(ended, Filter(until=received[2])) == [1, 0]
    assert listed(ended, Filter(since=received[1], until=received[3])) == [2, 1]
    assert listed(ended, Filter(ids=(ids[1], ids[4]))) == [4, 1]
    assert listed(ended, Filter(ids=())) == []


def test_pages_follow_each_other(ended: Inbox) -> None:
    first = ended.page(Filter(), limit=4)
    second = ended.page(Filter(), limit=4, before=first[-1])
    assert [entry.payload["number"] for entry in (*first, *second)] == [5, 4, 3, 2, 1, 0]


def test_a_replay_resets_parked_and_dead_messages(ended: Inbox) -> None:
    assert ended.replay(Filter()) == 3
    claim = take(ended)
    assert numbers(claim) == [1, 2, 3]
    assert {message.attempts for message in claim.messages} == {0}
    assert states(ended)[0] == "done"


@pytest.mark.parametrize(
    ("choice", "replayed"),
    [
        (Filter(state="parked"), [1, 2]),
        (Filter(state="dead"), [3]),
        (Filter(state="done"), [0]),
        (Filter(reason="locked"), [2]),
        (Filter(kind="odd"), [1, 3]),
        (Filter(subject="user:b", source="appcues"), [1]),
        (Filter(source="salesforce"), []),
        (Filter(state="leased"), []),
    ],
)
def test_a_replay_changes_only_selected_finished_messages(ended: Inbox, choice: Filter, replayed: list[int]) -> None:
    assert ended.replay(choice) == len(replayed)
    assert idle(ended) if not replayed else numbers(take(ended)) == replayed


def test_a_replay_of_a_waiting_message_overtakes_no_older_one(ended: Inbox) -> None:
    assert ended.replay(Filter(state="ready")) == 1
    assert idle(ended), "its elder is leased"


def test_a_replay_by_id_skips_delivered_messages_without_the_state_done(ended: Inbox) -> None:
    ids = tuple(entry.id for entry in ended.page(Filter()))
    assert ended.replay(Filter(ids=ids)) == 3
    assert ended.replay(Filter(ids=ids, state="done")) == 1


def test_a_replayed_message_joins_its_lane_by_its_age(inbox: Inbox) -> None:
    """A replayed message is delivered out of order; open messages are delivered in order after it."""
    inbox.accept(keyed("a", "a", "a"))
    settle(inbox, take(inbox), Parked("odd"))
    settle(inbox, take(inbox))
    inbox.replay(Filter())
    assert numbers(take(inbox, per_key=10)) == [0, 2]


def test_a_replay_does_not_open_a_leased_lane(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a"))
    settle(inbox, take(inbox), Parked("odd"))
    claim = take(inbox)
    inbox.replay(Filter())
    assert idle(inbox)
    settle(inbox, claim)
    assert numbers(take(inbox)) == [0]


def test_a_large_replay_and_a_large_purge_go_in_steps(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 4)
    inbox.accept([message(number, f"user:{number % 5}", parked="odd") for number in range(10)])
    assert inbox.replay(Filter()) == 10
    for _ in range(2):
        settle(inbox, take(inbox), Parked("again"))
    assert inbox.purge({"parked": timedelta(0)}) == 10
    assert states(inbox) == {}


def test_a_purge_selects_by_state_and_end_time(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "b"))
    elapse(86_400 * 30)
    settle(inbox, take(inbox, limit=1), Delivered())
    settle(inbox, take(inbox, limit=1), Parked("odd"))
    elapse(86_400 * 2)
    keep: dict[State, timedelta] = {"done": timedelta(days=3), "parked": timedelta(days=1)}
    assert inbox.purge(keep) == 1
    assert list(states(inbox).values()) == ["done"]
    assert inbox.purge({"parked": timedelta(0), "dead": timedelta(0)}) == 0
    assert inbox.purge({"done": timedelta(days=1)}) == 1


@pytest.mark.parametrize("state", ["ready", "leased"])
def test_open_messages_are_never_purged(inbox: Inbox, elapse: Elapse, state: State) -> None:
    inbox.accept(keyed("a", "a"))
    take(inbox)
    elapse(86_400 * 365)
    assert inbox.purge({state: timedelta(0)}) == 0
    assert len(states(inbox)) == 2


def test_an_id_that_was_purged_is_new_again(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    settle(inbox, take(inbox))
    assert inbox.purge({"done": timedelta(0)}) == 1
    assert inbox.accept([message(1)]) == 1


def test_rows_that_somebody_set_ready_by_hand_are_found_again(ended: Inbox) -> None:
    with ended._database.write() as tx:
        tx.db.execute(sa.text("UPDATE relay_inbox SET state = 'ready', finished_at = NULL WHERE state = 'parked'"))
    assert idle(ended)
    assert ended.mend() == 2
    assert ended.mend() == 0
    assert numbers(take(ended)) == [1, 2]


def test_messages_deferred_while_the_clock_was_ahead_are_due_again(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "a", "b"))
    claim = take(inbox)
    ends = {message.id: Retry("no") for message in claim.messages}
    inbox.settle(claim, Delivery(ends), lambda *_: timedelta(days=400))
    elapse(3600)
    assert idle(inbox)
    inbox.mend()
    assert numbers(take(inbox, per_key=10)) == [0, 1, 2]


def test_rows_that_somebody_deleted_by_hand_leave_no_trace(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b"))
    with inbox._database.write() as tx:
        tx.db.execute(sa.text("DELETE FROM relay_inbox WHERE key = 'user:a'"))
    assert numbers(take(inbox, limit=10, per_key=10)) == [1]
    inbox.accept([message(9, "user:a")])
    assert numbers(take(inbox)) == [9]


def test_a_setting_has_its_last_stored_value(inbox: Inbox) -> None:
    assert inbox.recall("organization") is None
    inbox.remember("organization", "00D1")
    inbox.remember("organization", "00D2")
    assert inbox.recall("organization") == "00D2"


def test_knows_which_processes_are_alive(inbox: Inbox, elapse: Elapse) -> None:
    inbox.heartbeat("one", config="first digest")
    elapse(50)
    inbox.heartbeat("two", config="first digest")
    assert [process.id for process in inbox.processes(within=60)] == ["one", "two"]
    elapse(20)
    inbox.heartbeat("two", config="second digest")
    (alive,) = inbox.processes(within=60)
    assert (alive.id, alive.config) == ("two", "second digest")
    assert timedelta(seconds=19) < alive.seen_at - alive.started_at < timedelta(seconds=60)
    inbox.leave("two")
    assert inbox.processes(within=60) == ()
    assert [process.id for process in inbox.processes(within=1000)] == ["one"]
    elapse(86_400 * 2)
    inbox.heartbeat("three")
    assert [process.id for process in inbox.processes(within=86_400 * 30)] == ["three"]


def test_a_ping_says_that_the_database_answers(inbox: Inbox) -> None:
    inbox.check_writable()


def test_all_statements_of_a_read_see_the_same_rows(inbox: Inbox) -> None:
    """Otherwise a message that is claimed between two statements is neither ready nor leased."""
    inbox.accept([message(1)])
    with inbox._database.read() as tx:
        before = count_rows(tx)
        inbox.accept([message(2)])
        assert (before, count_rows(tx)) == (1, 1)
    with inbox._database.read() as tx:
        assert count_rows(tx) == 2


def count_rows(tx: Transaction) -> int:
    return int(tx.db.exec_driver_sql("SELECT COUNT(*) FROM relay_inbox").scalar_one())
