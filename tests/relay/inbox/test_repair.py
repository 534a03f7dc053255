"""Repairs of the inbox, its counts, and the rows that a replay or a purge leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox, bulk_changes
from sfcode.relay.inbox import inbox as module
from sfcode.relay.message import Delivered, LatestState, Parked, Retry, Source
from tests.relay.inbox.conftest import Clock, Elapse
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, states, take

HOUR = 3600


def set_ready(inbox: Inbox, source: str) -> None:
    """Set the parked messages of a source to ready with SQL, as a person could."""
    with inbox._database.write() as tx:
        tx.db.execute(
            sa.text(
                "UPDATE relay_inbox SET state = 'ready', finished_at = NULL"
                f" WHERE state = 'parked' AND source = '{source}'"
            )
        )


def test_a_repair_leaves_a_retry_where_it_was(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    inbox.accept(keyed("a"))
    settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(days=1))
    assert inbox.mend() == 0
    elapse(23 * HOUR)
    assert idle(inbox)
    elapse(2 * HOUR)
    assert numbers(take(inbox)) == [0]


def test_a_repair_takes_no_claim_from_its_owner(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a"))
    claim = take(inbox, lease=HOUR)
    assert inbox.mend() == 0
    assert idle(inbox)
    assert settle(inbox, claim) == 1


def test_a_repair_of_one_lane_leaves_the_retries_of_others(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "b"))
    settle(inbox, take(inbox, limit=1), Retry("503"), retry=lambda *_: timedelta(days=400))
    settle(inbox, take(inbox, limit=1), Retry("503"), retry=lambda *_: timedelta(hours=1))
    inbox.mend()
    assert numbers(take(inbox)) == [0]
    assert idle(inbox)
    entries = {entry.payload["number"]: entry for entry in inbox.page(Filter())}
    assert entries[0].due_at <= inbox.stats().now
    assert entries[1].due_at - inbox.stats().now > timedelta(minutes=30)


def test_a_repair_leaves_the_times_of_finished_messages(inbox: Inbox, clock: Clock) -> None:
    """The times are shown to people, who look for the day on which the clock was wrong."""
    inbox.accept(keyed("a", "b"))
    settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(days=400))
    with inbox._database.write() as tx:
        tx.db.execute(sa.text("UPDATE relay_inbox SET state = 'done', finished_at = due_at WHERE message_id = 'm0'"))
    inbox.mend()
    (entry,) = inbox.page(Filter(state="done"))
    assert entry.due_at > clock.now + timedelta(days=300)


def test_a_lane_of_the_other_source_does_not_replace_a_missing_one(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, source="salesforce", parked="odd")])
    set_ready(inbox, "salesforce")
    assert inbox.mend() == 1
    claim = inbox.claim("salesforce", limit=1, per_key=1, lease=60)
    assert claim is not None
    assert numbers(claim) == [2]


def test_a_repair_opens_no_lane_for_finished_messages(inbox: Inbox) -> None:
    inbox.accept([message(1, parked="odd"), message(2, "user:2")])
    settle(inbox, take(inbox))
    assert inbox.mend() == 0
    assert inbox.stats().waiting == {}
    assert idle(inbox)


def test_messages_of_one_key_that_were_set_ready_are_one_missing_lane(inbox: Inbox) -> None:
    inbox.accept([message(number, parked="odd") for number in range(3)])
    set_ready(inbox, "appcues")
    assert inbox.mend() == 1
    assert numbers(take(inbox, per_key=10)) == [0, 1, 2]


def test_a_key_whose_message_is_due_does_not_count_as_waiting(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    inbox.accept([*keyed("a", "b", "c", "d"), message(9, "user:a", source="salesforce")])
    take(inbox, limit=1)
    settle(inbox, take(inbox, limit=1), Retry("503"), retry=lambda *_: timedelta(hours=1))
    elapse(1)
    assert inbox.stats().waiting == {"appcues": 2}
    elapse(HOUR)
    assert inbox.stats().waiting == {}


def test_the_oldest_open_message_counts_whatever_its_state(inbox: Inbox, elapse: Elapse) -> None:
    """The alarm shows the age of the oldest open message, whether it is leased or ready."""
    inbox.accept([message(1, "user:a")])
    elapse(HOUR)
    inbox.accept([message(2, "user:b"), message(3, "user:a", source="salesforce")])
    take(inbox, limit=1)
    stats = inbox.stats()
    assert stats.now - stats.oldest["appcues"] > timedelta(minutes=59)
    assert stats.now - stats.oldest["salesforce"] < timedelta(minutes=30)
    settle(inbox, take(inbox, limit=1))
    elapse(HOUR)
    stats = inbox.stats()
    assert stats.now - stats.oldest["appcues"] > timedelta(minutes=119)


def test_each_source_has_its_own_oldest_messages(inbox: Inbox, elapse: Elapse) -> None:
    sources: tuple[Source, ...] = ("appcues", "salesforce")
    for source in sources:
        inbox.accept([message(2, source=source, parked="odd"), message(1, source=source)])
        elapse(HOUR)
        oldest_waiting = inbox.oldest_waiting(source)
        assert oldest_waiting is not None
        assert (oldest_waiting.source, oldest_waiting.message_id) == (source, "m1")
    stats = inbox.stats()
    for oldest in (stats.oldest, stats.oldest_blocked):
        hours = [round((stats.now - oldest[source]) / timedelta(hours=1)) for source in sources]
        assert hours == [2, 1]


def test_a_ready_message_that_is_older_than_the_leased_ones_is_the_oldest(
    inbox: Inbox, clock: Clock, elapse: Elapse
) -> None:
    inbox.accept(keyed("a"))
    settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(hours=5))
    elapse(HOUR)
    inbox.accept([message(5, "user:b")])
    take(inbox)
    stats = inbox.stats()
    assert stats.counts == {("appcues", "ready"): 1, ("appcues", "leased"): 1}
    assert stats.now - stats.oldest["appcues"] > timedelta(minutes=59)


def test_delivered_messages_have_no_part_in_the_reasons(inbox: Inbox) -> None:
    inbox.accept([message(1, "user:1"), message(2, "user:2"), message(3, "user:3", parked="odd")])
    settle(inbox, take(inbox, limit=1), Delivered("stale"))
    assert inbox.stats().reasons == {("appcues", "parked", "odd"): 1}


def test_reasons_and_counts_are_separate_for_each_source(inbox: Inbox) -> None:
    messages = [message(number, source=source, parked="odd") for number, source in ((1, "appcues"), (2, "salesforce"))]
    inbox.accept([*messages, message(3, parked="odd")])
    stats = inbox.stats()
    assert stats.counts == {("appcues", "parked"): 2, ("salesforce", "parked"): 1}
    assert stats.reasons == {("appcues", "parked", "odd"): 2, ("salesforce", "parked", "odd"): 1}
    assert stats.count("parked") == 3


def test_a_message_is_replaced_once(inbox: Inbox) -> None:
    inbox.accept([message(1, parked="odd")])
    (entry,) = inbox.page(Filter())
    assert inbox.replace(entry.id, [message(2)]) == 1
    assert inbox.replace(entry.id, [message(3)]) == 0
    assert states(inbox) == {2: "ready"}


def test_a_replayed_message_has_no_trace_of_its_failure(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    settle(inbox, take(inbox), Parked("odd", "no Contact has it"))
    inbox.replay(Filter())
    (entry,) = inbox.page(Filter())
    assert (entry.state, entry.reason, entry.detail, entry.attempts) == ("ready", "", "", 0)
    assert entry.finished_at is None
    assert entry.due_at <= inbox.stats().now


def test_a_replayed_message_of_a_retry_is_due_at_once(inbox: Inbox, clock: Clock) -> None:
    """The replay replaces the due time that the last retry had set."""
    inbox.accept(keyed("a", "a"))
    claim = take(inbox, per_key=2)
    settle(inbox, claim, Retry("503"), retry=lambda *_: timedelta(hours=5))
    with inbox._database.write() as tx:
        tx.db.execute(sa.text("UPDATE relay_inbox SET state = 'parked', finished_at = received_at"))
        tx.db.execute(sa.text("DELETE FROM relay_lanes"))
    assert inbox.replay(Filter()) == 2
    assert numbers(take(inbox, per_key=2)) == [0, 1]


def test_a_replay_in_steps_takes_each_message_once_and_leaves_the_others(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 3)
    parked = [message(number, f"user:{number}", parked="odd" if number % 2 else "locked") for number in range(14)]
    inbox.accept(parked)
    assert inbox.replay(Filter(reason="odd")) == 7
    assert inbox.replay(Filter(reason="odd")) == 0
    assert numbers(take(inbox)) == [1, 3, 5, 7, 9, 11, 13]
    assert inbox.stats().count("parked") == 7


def test_waiting_messages_are_made_due_in_steps_each_once(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    inbox.accept(keyed(*"abcde"))
    settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta(hours=1))
    assert inbox.replay(Filter(state="ready")) == 5
    assert numbers(take(inbox)) == [0, 1, 2, 3, 4]


def test_a_purge_of_several_states_counts_all_of_them(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    inbox.accept([message(number, f"user:{number}", parked="odd" if number > 4 else "") for number in range(8)])
    settle(inbox, take(inbox, limit=5))
    assert inbox.purge({"done": timedelta(0), "parked": timedelta(0)}) == 8
    assert states(inbox) == {}


def test_a_purge_takes_both_sources_and_only_what_is_old_enough(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1, parked="odd"), message(2, source="salesforce", parked="odd")])
    elapse(2 * HOUR)
    inbox.accept([message(3, parked="odd"), message(4, source="salesforce", parked="odd")])
    assert inbox.purge({"parked": timedelta(hours=1)}) == 2
    assert states(inbox) == {3: "parked", 4: "parked"}


def test_a_purge_takes_old_audit_lines_and_no_other(
    inbox: Inbox, elapse: Elapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    for name in ("a", "b", "c"):
        inbox.pause("mapping", name, "ann@host")
    elapse(2 * HOUR)
    inbox.pause("mapping", "d", "ann@host")
    assert inbox.purge({"audit": timedelta(hours=1)}) == 3
    assert [line.selection for line in inbox.audit_lines()] == [{"mapping": "d"}]


def test_a_page_is_no_longer_than_was_asked_for(inbox: Inbox) -> None:
    inbox.accept([message(number) for number in range(120)])
    assert [entry.payload["number"] for entry in inbox.page(Filter(), limit=2)] == [119, 118]
    assert len(inbox.page(Filter())) == 100


def test_processes_are_listed_by_their_start(inbox: Inbox, elapse: Elapse) -> None:
    for name in ("b", "a", "c"):
        inbox.heartbeat(name)
        elapse(2)
    inbox.heartbeat("b")
    assert [process.id for process in inbox.processes()] == ["b", "a", "c"]
    inbox.leave("a")
    assert [process.id for process in inbox.processes()] == ["b", "c"]


def test_a_process_is_forgotten_a_day_after_its_last_heartbeat_and_not_before(inbox: Inbox, elapse: Elapse) -> None:
    inbox.heartbeat("quiet")
    elapse(23 * HOUR)
    inbox.heartbeat("other")
    assert {process.id for process in inbox.processes(within=48 * HOUR)} == {"quiet", "other"}
    elapse(2 * HOUR)
    inbox.heartbeat("other")
    assert {process.id for process in inbox.processes(within=48 * HOUR)} == {"other"}


def test_a_state_noted_outside_of_a_delivery_never_goes_back(inbox: Inbox) -> None:
    inbox.note([LatestState("score", "2026-02", "9")])
    inbox.note([LatestState("score", "2026-01", "8"), LatestState("other", "2026-01", "1")])
    inbox.note([])
    assert {name: state.value for name, state in inbox.latest(["score", "other"]).items()} == {
        "score": "9",
        "other": "1",
    }


def test_a_newer_state_replaces_the_stamp_too(inbox: Inbox) -> None:
    """Without the new stamp, a value that is older than the stored one would be accepted as newer."""
    for stamp, value in (("2026-01", "7"), ("2026-03", "9"), ("2026-02", "8")):
        inbox.note([LatestState("score", stamp, value)])
    assert inbox.latest(["score"]) == {"score": LatestState("score", "2026-03", "9")}


def test_keys_of_deleted_messages_do_not_block_claims(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b", "c", "d"))
    with inbox._database.write() as tx:
        tx.db.execute(sa.text("DELETE FROM relay_inbox WHERE message_id IN ('m0', 'm1')"))
    claims = [inbox.claim("appcues", limit=1, per_key=2, lease=60) for _ in range(3)]
    assert [numbers(claim) for claim in claims if claim is not None] == [[2]]


def test_keys_of_deleted_messages_do_not_count_as_waiting(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b", "c"))
    with inbox._database.write() as tx:
        tx.db.execute(sa.text("DELETE FROM relay_inbox WHERE message_id = 'm0'"))
    take(inbox, per_key=2)
    assert inbox.stats().waiting == {"appcues": 2}


def test_the_oldest_of_several_messages_of_one_state_counts(inbox: Inbox, elapse: Elapse) -> None:
    for number in range(3):
        inbox.accept([message(number, f"user:{number}")])
        elapse(HOUR)
    stats = inbox.stats()
    assert timedelta(minutes=179) < stats.now - stats.oldest["appcues"] < timedelta(minutes=200)


def test_a_message_parked_on_arrival_does_not_delay_others(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1, "user:a", parked="odd")])
    elapse(1)
    inbox.accept([message(2, "user:b")])
    assert numbers(take(inbox, limit=1)) == [2]


@pytest.mark.parametrize(("end", "state"), [(Delivered(), "done"), (Retry("503"), "ready")])
def test_a_message_that_was_set_ready_by_hand_loses_its_old_reason(
    inbox: Inbox, clock: Clock, end: Delivered | Retry, state: str
) -> None:
    inbox.accept([message(1, parked="odd")])
    set_ready(inbox, "appcues")
    inbox.mend()
    settle(inbox, take(inbox), end, retry=lambda *_: timedelta())
    (entry,) = inbox.page(Filter())
    assert (entry.state, entry.reason, entry.attempts) == (state, "", 1)
