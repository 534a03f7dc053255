"""Pauses in the inbox: stored, reported by one process, and ended by a resume."""

from __future__ import annotations

import pytest

from sfcode.relay.alarms import Alarm
from sfcode.relay.current_pauses import wait_for
from sfcode.relay.inbox import Filter, Inbox, open_inbox, pauses
from sfcode.relay.inbox import inbox as module
from sfcode.relay.inbox.pauses import LONG, LOOK_AGAIN, PAUSED, REMIND
from sfcode.relay.inbox.settle import RESUME_KNOWN
from sfcode.relay.inbox.settle import settle as settle_in
from sfcode.relay.inbox.types import RowLocked
from sfcode.relay.message import Delivery, Retry
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, take


def put_off(inbox: Inbox, mapping: str = "contact") -> None:
    """Postpone due messages, like a process that knows of a pause."""
    settle(inbox, take(inbox), wait_for(mapping), retry=lambda _, __: LOOK_AGAIN)


def test_a_pause_is_kept_with_who_made_it_until_it_is_ended(database_url: str) -> None:
    with open_inbox(database_url) as inbox:
        assert inbox.pause("mapping", "contact", "ann@host")
        assert not inbox.pause("mapping", "contact", "bob@host")
        assert inbox.pause("direction", "salesforce", "bob@host")
    with open_inbox(database_url) as inbox:
        assert [(str(pause), pause.who) for pause in inbox.pauses()] == [
            ("mapping contact", "ann@host"),
            ("deliveries to Salesforce", "bob@host"),
        ]
        assert inbox.resume("mapping", "contact", "carl@host")
        assert not inbox.resume("mapping", "contact", "carl@host")
        assert [str(pause) for pause in inbox.pauses()] == ["deliveries to Salesforce"]
        audit_lines = [(line.who, line.action, dict(line.selection), line.number) for line in inbox.audit_lines()]
        assert audit_lines == [
            ("carl@host", "resume", {"mapping": "contact"}, 1),
            ("bob@host", "pause", {"direction": "salesforce"}, 1),
            ("ann@host", "pause", {"mapping": "contact"}, 1),
        ]


def test_a_long_pause_is_reported_to_one_process_and_again_after_a_day(inbox: Inbox, elapse: Elapse) -> None:
    inbox.pause("mapping", "contact", "ann@host")
    assert inbox.take_long_pauses() == ()
    elapse(LONG.total_seconds() + 1)
    (pause,) = inbox.take_long_pauses()
    assert pause.alarm_detail == "mapping contact, by ann@host"
    assert inbox.take_long_pauses() == ()
    elapse(REMIND.total_seconds() + 1)
    assert len(inbox.take_long_pauses()) == 1
    inbox.raise_alarms([Alarm(PAUSED, pause.alarm_detail, "2026"), Alarm(PAUSED, "mapping lead, by ann@host", "2026")])
    inbox.resume("mapping", "contact", "ann@host")
    assert [alarm.detail for alarm in inbox.alarms()] == ["mapping lead, by ann@host"]


def test_a_resume_ends_the_alarm_of_its_pause_however_long_its_detail_is(inbox: Inbox, elapse: Elapse) -> None:
    inbox.pause("mapping", "contact", "ann" * 500)
    elapse(LONG.total_seconds() + 1)
    (pause,) = inbox.take_long_pauses()
    inbox.raise_alarms([Alarm(PAUSED, pause.alarm_detail, "2026")])
    assert inbox.alarms()
    inbox.resume("mapping", "contact", "ann@host")
    assert inbox.alarms() == ()


def test_only_messages_of_the_resumed_mapping_become_due(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    inbox.pause("mapping", "contact", "ann@host")
    inbox.accept(keyed("a", "b", "c"))
    put_off(inbox)
    inbox.accept([message(3, "user:d")])
    settle(inbox, take(inbox), Retry("503"), retry=lambda _, __: LOOK_AGAIN)
    assert inbox.stats().counts_by_reason["appcues", "ready", PAUSED] == 3
    assert idle(inbox)
    assert inbox.wake_resumed() == 0, "it is still paused"
    inbox.resume("mapping", "contact", "ann@host")
    assert inbox.wake_resumed() == 3
    assert inbox.recall("resumed:contact") is None
    assert inbox.page(Filter(reason=PAUSED)) == ()
    assert numbers(take(inbox)) == [0, 1, 2]


def test_a_resumed_direction_wakes_no_message_of_a_paused_mapping(inbox: Inbox) -> None:
    inbox.pause("mapping", "contact", "ann@host")
    inbox.pause("direction", "salesforce", "ann@host")
    inbox.accept(keyed("a"))
    put_off(inbox)
    inbox.resume("direction", "salesforce", "ann@host")
    assert inbox.wake_resumed() == 0
    assert idle(inbox)


def test_messages_of_a_resume_without_its_time_become_due(inbox: Inbox) -> None:
    """A process of an older version, which stores no time, has resumed their mapping."""
    inbox.pause("mapping", "contact", "ann@host")
    inbox.accept(keyed("a"))
    put_off(inbox)
    inbox.resume("mapping", "contact", "ann@host")
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql("DELETE FROM relay_settings WHERE name = 'resumed:contact'")
    assert idle(inbox)
    assert inbox.wake_resumed() == 1
    assert numbers(take(inbox)) == [0]


def test_a_lane_that_somebody_holds_is_not_opened_by_a_resume(inbox: Inbox) -> None:
    inbox.pause("mapping", "contact", "ann@host")
    inbox.accept(keyed("a"))
    put_off(inbox)
    inbox.resume("mapping", "contact", "ann@host")
    inbox.wake_resumed()
    claim = take(inbox)
    assert inbox.wake_resumed() == 0
    assert idle(inbox)
    settle(inbox, claim)


def test_a_resume_is_stored_until_any_process_has_made_all_of_its_messages_due(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_inbox(database_url) as inbox:
        inbox.pause("mapping", "contact", "ann@host")
        inbox.pause("mapping", "lead", "ann@host")
        inbox.accept(keyed("a", "b", "c"))
        put_off(inbox)
        inbox.resume("mapping", "contact", "ann@host")
        # The process ends after the first step.
        assert inbox._write(lambda tx: pauses.wake_resumed(tx, limit=2)) == 2
    with open_inbox(database_url) as inbox:
        assert inbox.wake_resumed() == 1
        assert numbers(take(inbox)) == [0, 1, 2]


def test_a_resume_wakes_nothing_that_began_to_wait_after_it(inbox: Inbox, elapse: Elapse) -> None:
    inbox.pause("mapping", "contact", "ann@host")
    inbox.pause("mapping", "lead", "ann@host")
    inbox.resume("mapping", "contact", "ann@host")
    elapse(pauses.SLACK.total_seconds() + 1)
    inbox.accept(keyed("a"))
    put_off(inbox, "lead")
    assert inbox.wake_resumed() == 0
    assert idle(inbox)
    inbox.resume("mapping", "lead", "ann@host")
    assert inbox.wake_resumed() == 1


def test_of_two_resumes_the_later_one_wakes_its_messages_as_well(inbox: Inbox, elapse: Elapse) -> None:
    inbox.pause("mapping", "contact", "ann@host")
    inbox.pause("mapping", "lead", "ann@host")
    inbox.resume("mapping", "contact", "ann@host")
    elapse(pauses.SLACK.total_seconds() + 1)
    inbox.accept(keyed("a"))
    put_off(inbox, "lead")
    inbox.resume("mapping", "lead", "ann@host")
    assert inbox.wake_resumed() == 1
    assert numbers(take(inbox)) == [0]


def test_no_message_waits_for_a_mapping_that_another_process_has_resumed(inbox: Inbox, elapse: Elapse) -> None:
    inbox.pause("mapping", "contact", "ann@host")
    inbox.accept(keyed("a"))
    claim = take(inbox)
    inbox.resume("mapping", "contact", "ann@host")
    inbox.wake_resumed()
    settle(inbox, claim, wait_for("contact"), retry=lambda _, __: LOOK_AGAIN)
    assert idle(inbox), "until this process has heard of it"
    assert inbox.page(Filter(reason=PAUSED)) == (), "it does not wait for a person"
    elapse(RESUME_KNOWN.total_seconds() + 1)
    assert numbers(take(inbox)) == [0]


def test_a_resume_waits_for_a_settlement_that_postpones_a_message(postgres_url: str) -> None:
    with open_inbox(postgres_url) as inbox:
        inbox.pause("mapping", "contact", "ann@host")
        inbox.accept(keyed("a"))
        claim = take(inbox)
        ends = {message.id: wait_for("contact") for message in claim.messages}
        with inbox._database.write() as tx:
            settle_in(tx, claim, Delivery(ends), dict.fromkeys(ends, LOOK_AGAIN))
            with pytest.raises(RowLocked):
                inbox.resume("mapping", "contact", "ann@host")
        assert inbox.resume("mapping", "contact", "ann@host")
        assert inbox.wake_resumed() == 1
