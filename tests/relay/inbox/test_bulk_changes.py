"""Bulk changes in the inbox: visible to every process, and completed by another process if theirs is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from sfcode.relay.change_runner import BulkChangeRunner
from sfcode.relay.inbox import Filter, Inbox, bulk_changes, open_inbox, records, search
from sfcode.relay.inbox.bulk_changes import KEPT, LEASE
from sfcode.relay.inbox.tables import INBOX
from sfcode.relay.inbox.types import ChangeAction, Unavailable
from sfcode.secret import Secret
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import message, states
from tests.waiting import PATIENCE

WORKER = Path(__file__).with_name("worker.py")
ANN = "ann@host"
ODD = Filter(reason="odd")


def park(inbox: Inbox, count: int, reason: str = "odd", first: int = 0) -> None:
    inbox.accept([message(number, f"user:{number}", parked=reason) for number in range(first, first + count)])


def begin(inbox: Inbox, action: ChangeAction = "replay", choice: Filter = ODD, holder: str = "") -> int:
    return inbox.begin_change(action, choice, ANN, holder)


def lease_ends(elapse: Elapse) -> None:
    elapse(LEASE.total_seconds() + 1)


def edit_row(inbox: Inbox, text: str = "") -> str:
    """Replace the stored selection of a change, and return the former one."""
    with inbox._database.write() as tx:
        stored = tx.db.exec_driver_sql("SELECT choice FROM relay_changes").scalar_one()
        if text:
            tx.db.exec_driver_sql("UPDATE relay_changes SET choice = ?", (json.dumps(text),))
        return str(stored)


def test_a_change_of_a_killed_process_is_ended_by_another_and_each_message_changed_once(
    database_url: str, inbox: Inbox, elapse: Elapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 3)
    park(inbox, 14)
    park(inbox, 2, "locked", first=14)
    process = subprocess.run([sys.executable, str(WORKER), "replay", database_url, "6"], check=False, timeout=PATIENCE)
    assert process.returncode == -9
    (change,) = inbox.bulk_changes.under_way()
    assert (change.done, change.total, change.is_held, change.ended_at) == (6, (14, False), True, None)
    assert inbox.bulk_changes.take("other") is None, "its lease is not over"
    elapse(3600)  # the killed process used the real clock, which may be ahead of the test's
    (change,) = inbox.bulk_changes.under_way()
    assert not change.is_held
    assert inbox.bulk_changes.take("other") is not None
    assert inbox.bulk_changes.take("third") is None, "one is enough"
    ended = inbox.bulk_changes.run(change.id, "other")
    assert ended is not None
    assert (ended.done, ended.problem, ended.ended_at is not None) == (14, "", True)
    assert inbox.bulk_changes.under_way() == ()
    (line,) = inbox.audit_lines()
    assert (line.id, line.who, line.action, line.selection, line.number) == (
        change.id,
        ANN,
        "replay",
        {"reason": "odd"},
        14,
    )
    entries = inbox.page(Filter(state="ready"))
    acts = [[event.event for event in stored.history] for entry in entries if (stored := inbox.find(entry.id))]
    assert acts == [["replayed"]] * 14
    assert states(inbox)[15] == "parked"


def test_a_change_reaches_all_messages_also_where_not_all_were_counted(inbox: Inbox, monkeypatch) -> None:
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(search, "AT_ONCE", 2)
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 3)
    inbox.accept([message(number, f"user:{number % 2}", parked="odd") for number in range(14)])
    id_ = begin(inbox, choice=Filter(subject="user:1", reason="odd"), holder="this")
    change = inbox.bulk_changes.run(id_, "this")
    assert change is not None
    assert (change.done, change.total, change.ended_at is not None) == (7, (2, True), True)
    assert {number for number, state in states(inbox).items() if state == "ready"} == set(range(1, 14, 2))


def test_a_change_skips_nothing_when_a_condition_becomes_less_selective_between_its_steps(
    inbox: Inbox, monkeypatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    inbox.accept([message(number, "user:1", parked="odd") for number in range(6)])
    entries = inbox.page(Filter())
    with inbox._database.write() as tx:
        records.add_records(tx, [(entry.id, "busy") for entry in entries])
        # The order of receipt is the reverse of the order of IDs, in which messages of a record are searched.
        for entry in entries:
            earlier = entry.received_at - timedelta(hours=entry.id)
            tx.db.execute(INBOX.update().where(INBOX.c.id == entry.id).values(received_at=earlier))
    id_ = begin(inbox, choice=Filter(subject="user:1", record="busy"), holder="this")
    assert inbox.bulk_changes.step(id_, "this")
    inbox.accept([message(number, "user:1", parked="odd") for number in range(6, 20)])
    change = inbox.bulk_changes.run(id_, "this")
    assert change is not None
    assert change.done == 6
    assert {number for number, state in states(inbox).items() if state == "ready"} == set(range(6))


def test_a_change_belongs_to_the_process_that_began_it_or_else_to_the_next(inbox: Inbox) -> None:
    begin(inbox, holder="first")
    assert inbox.bulk_changes.take("other") is None
    free = begin(inbox)
    change_of_other = inbox.bulk_changes.take("other")
    assert change_of_other is not None
    assert (change_of_other.id, change_of_other.is_held) == (free, True)
    assert inbox._write(lambda tx: bulk_changes._take(tx, "late")) is None, "another one was faster"


def test_each_step_extends_the_lease(inbox: Inbox, elapse: Elapse, monkeypatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 1)
    park(inbox, 3)
    id_ = begin(inbox, holder="first")
    for _ in range(2):
        elapse(LEASE.total_seconds() * 2 / 3)
        assert inbox.bulk_changes.take("other") is None
        assert inbox.bulk_changes.step(id_, "first")
    lease_ends(elapse)
    assert inbox.bulk_changes.take("other")


def test_a_process_that_lost_a_change_takes_no_further_step(inbox: Inbox, elapse: Elapse, monkeypatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    park(inbox, 6)
    id_ = begin(inbox, holder="slow")
    assert inbox.bulk_changes.step(id_, "slow")
    lease_ends(elapse)
    assert inbox.bulk_changes.take("fast")
    assert inbox.bulk_changes.step(id_, "slow") is None
    inbox.bulk_changes.end(id_, "slow", "too late")
    ended = inbox.bulk_changes.run(id_, "fast")
    assert ended is not None
    assert (ended.done, ended.problem) == (6, "")


def test_a_process_that_ends_leaves_the_rest_to_others_at_once(inbox: Inbox, monkeypatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    park(inbox, 5)
    id_ = begin(inbox, "discard", holder="first")
    change = inbox.bulk_changes.run(id_, "first", lambda change: change.done < 2)
    assert change is not None
    assert (change.done, change.ended_at) == (2, None)
    assert inbox.bulk_changes.step(id_, "first") is None
    assert inbox.bulk_changes.take("second")
    assert inbox.bulk_changes.run(id_, "second")
    assert inbox.count(ODD).number == 0


def test_a_relay_process_that_stops_holds_no_change(inbox: Inbox, monkeypatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 1)
    park(inbox, 100)
    runner = BulkChangeRunner(inbox, "this")
    id_ = runner.begin("discard", ODD, ANN)
    runner.stop()
    runner.wake()
    change = inbox.bulk_changes.find(id_)
    assert change is not None
    assert not change.is_held
    assert change.done + inbox.count(ODD).number == 100
    assert change.problem == ""


def test_a_stopped_change_ends_where_it_is_and_the_audit_says_who(inbox: Inbox, monkeypatch) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    park(inbox, 5)
    id_ = begin(inbox, holder="first")
    assert inbox.bulk_changes.step(id_, "first")
    assert inbox.bulk_changes.stop(id_, "bob")
    assert inbox.bulk_changes.step(id_, "first") is None
    change = inbox.bulk_changes.find(id_)
    assert change is not None
    assert (change.done, change.problem, change.is_held) == (2, "bob stopped it.", False)
    assert not inbox.bulk_changes.stop(id_, "carl"), "it has ended"
    assert [(line.who, line.action, line.selection, line.number) for line in inbox.audit_lines()] == [
        ("bob", "stop", {"change": id_}, 1),
        (ANN, "replay", {"reason": "odd"}, 2),
    ]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (KeyboardInterrupt(), "It was interrupted."),
        (RuntimeError("secret"), "RuntimeError."),
        (Unavailable("The database is away."), "The database is away."),
    ],
)
def test_an_interrupted_command_ends_its_change(
    inbox: Inbox, error: BaseException, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    park(inbox, 5)

    def interrupt(_done: int) -> None:
        raise error

    with pytest.raises(type(error)):
        inbox.replay(ODD, ANN, interrupt)
    (line,) = inbox.audit_lines()
    change = inbox.bulk_changes.find(line.id)
    assert change is not None
    assert (change.done, change.problem, change.ended_at is not None) == (2, problem, True)
    assert inbox.bulk_changes.take("other") is None


def test_a_selection_is_stored_unchanged_until_its_change_is_deleted(inbox: Inbox, elapse: Elapse) -> None:
    now = inbox.stats().now
    choice = Filter((1, 2), "parked", "odd", "appcues", "nps_score", "user:7", "003A", now - timedelta(days=1), now)
    id_ = begin(inbox, choice=choice)
    change = inbox.bulk_changes.find(id_)
    assert change is not None
    assert change.choice == choice
    assert inbox.bulk_changes.take("other")
    assert inbox.bulk_changes.run(id_, "other")
    assert inbox.bulk_changes.purge() == 0
    elapse(KEPT.total_seconds() + 1)
    begin(inbox)
    assert inbox.bulk_changes.purge() == 1
    assert inbox.bulk_changes.find(id_) is None
    assert len(inbox.audit_lines()) == 2


def test_a_forgotten_person_is_in_no_selection(inbox: Inbox) -> None:
    inbox.accept([message(1, "user:7", parked="odd"), message(2, "user:8", parked="odd")])
    own, other = (begin(inbox, choice=Filter(subject=f"user:{user}")) for user in (7, 8))
    inbox.forget(inbox.find_person("7", ()), {})
    assert inbox.bulk_changes.find(own) is None
    assert inbox.bulk_changes.find(other) is not None


def test_a_selection_is_encrypted_and_a_damaged_one_selects_nothing(sqlite_url: str) -> None:
    with open_inbox(sqlite_url, keys=[Secret("0123456789abcdef0123456789abcdef0123456789A=")]) as inbox:
        park(inbox, 2)
        id_ = begin(inbox, choice=Filter(subject="user:0"))
        assert "user:0" not in edit_row(inbox)
        edit_row(inbox, "damaged")
        assert inbox.bulk_changes.take("other")
        change = inbox.bulk_changes.run(id_, "other")
        assert change is not None
        assert (change.done, change.ended_at is not None) == (0, True)
        assert inbox.count(ODD).number == 2
