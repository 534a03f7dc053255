"""Bulk changes of selected messages: count, replay and discard, each with a line in the audit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfcode.relay.inbox import Filter, Inbox, bulk_changes
from sfcode.relay.message import Parked, Retry
from tests.relay.inbox.conftest import Clock
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, states, take


def lines(inbox: Inbox) -> list[tuple[str, str, int]]:
    return [(line.who, line.action, line.number) for line in inbox.audit_lines()]


def test_a_change_in_steps_is_one_line_with_its_progress(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 4)
    inbox.accept([message(number, f"user:{number % 5}", parked="odd") for number in range(10)])
    progress: list[int] = []
    assert inbox.count(Filter(reason="odd")).number == 10
    assert inbox.replay(Filter(reason="odd"), "ann@host", progress.append) == 10
    assert (progress[0], progress[-1]) == (4, 10)
    assert lines(inbox) == [("ann@host", "replay", 10)]
    (line,) = inbox.audit_lines()
    assert line.selection == {"reason": "odd"}


def test_an_audit_line_names_no_person(inbox: Inbox) -> None:
    since = inbox.stats().now - timedelta(days=1)
    inbox.replay(Filter(subject="user:ann@example.com", since=since, ids=tuple(range(1, 100))), "bob")
    (line,) = inbox.audit_lines()
    assert set(line.selection) == {"subject_sha256", "since", "ids"}
    assert "ann" not in str(line.selection)
    assert line.selection["ids"] == list(range(1, 21))


def test_audit_lines_come_in_pages(inbox: Inbox) -> None:
    for who in "abc":
        inbox.replay(Filter(), who)
    first = inbox.audit_lines(2)
    assert [line.who for line in (*first, *inbox.audit_lines(2, first[-1].id))] == ["c", "b", "a"]


def test_a_discarded_message_is_done_and_names_its_operator(inbox: Inbox) -> None:
    inbox.accept([message(1, parked="odd"), message(2, "user:2")])
    assert inbox.discard(Filter(), "ann@host") == 1
    (entry,) = inbox.page(Filter(reason="discarded"))
    assert (entry.payload["number"], entry.state, entry.detail) == (1, "done", "")
    assert entry.finished_at is not None
    stored = inbox.find(entry.id)
    assert stored is not None
    assert [(event.event, event.who) for event in stored.history] == [("discarded", "ann@host")]
    assert lines(inbox) == [("ann@host", "discard", 1)]
    assert inbox.replay(Filter(state="done")) == 1
    stored = inbox.find(entry.id)
    assert stored is not None
    assert [event.event for event in stored.history] == ["discarded", "replayed"]
    assert numbers(take(inbox)) == [1, 2]


def test_a_discarded_message_keeps_no_error(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    settle(inbox, take(inbox), Parked("odd", "the value of a person"))
    assert inbox.discard(Filter()) == 1
    assert [entry.detail for entry in inbox.page(Filter())] == [""]


def test_a_message_behind_a_discarded_one_is_delivered(inbox: Inbox, clock: Clock) -> None:
    inbox.accept(keyed("a", "a"))
    settle(inbox, take(inbox), Retry("503"), retry=lambda _, __: timedelta(hours=1))
    assert idle(inbox)
    first = inbox.page(Filter(state="ready"))[-1]
    assert inbox.discard(Filter(ids=(first.id,), state="ready")) == 1
    assert numbers(take(inbox)) == [1]


def test_the_last_message_of_a_key_is_discarded_with_its_lane(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    assert inbox.discard(Filter(state="ready")) == 1
    assert idle(inbox)
    with inbox._database.read() as tx:
        assert tx.db.exec_driver_sql("SELECT count(*) FROM relay_lanes").scalar() == 0


def test_a_leased_message_is_not_discarded_and_keeps_its_lane(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "a"))
    settle(inbox, take(inbox), Parked("odd"))
    claim = take(inbox)
    inbox.replay(Filter())  # older than the leased message of the same lane
    inbox.accept([message(2, "user:a")])
    newest = inbox.page(Filter())[0]
    assert inbox.discard(Filter(state="leased")) == 0
    assert inbox.discard(Filter(ids=(newest.id,), state="ready")) == 1
    assert idle(inbox)
    settle(inbox, claim)
    assert numbers(take(inbox)) == [0]
    assert states(inbox) == {0: "leased", 1: "done", 2: "done"}


def test_a_replay_of_waiting_messages_makes_them_due_and_skips_claims(inbox: Inbox) -> None:
    inbox.accept([message(1, "user:1"), message(2, "user:1"), message(3, "user:2")])
    settle(inbox, take(inbox), Retry("INVALID_FIELD"), retry=lambda _, __: timedelta(minutes=5))
    assert idle(inbox)
    inbox.accept([message(4, "user:3")])
    claim = take(inbox)
    assert numbers(claim) == [4]
    assert inbox.replay(Filter(state="ready"), "ann") == 3
    assert numbers(take(inbox, per_key=2)) == [1, 2, 3]
    assert lines(inbox) == [("ann", "replay", 3)]
    assert states(inbox)[4] == "leased"
