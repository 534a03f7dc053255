"""Pauses in the inbox: kept, told once by one process, and over as soon as somebody says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfcode.relay.alarms import Alarm
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.inbox import inbox as module
from sfcode.relay.inbox.pauses import LONG, PAUSED, REMIND
from sfcode.relay.message import Retry
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, take

HOUR = timedelta(hours=1)


def put_off(inbox: Inbox) -> None:
    settle(
        inbox, take(inbox), Retry("mapping contact is paused", counts=False, reason=PAUSED), retry=lambda _, __: HOUR
    )


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
        told = [(line.who, line.action, dict(line.selection)) for line in inbox.audit_lines()]
        assert told == [
            ("carl@host", "resume", {"mapping": "contact"}),
            ("bob@host", "pause", {"direction": "salesforce"}),
            ("ann@host", "pause", {"mapping": "contact"}),
        ]


def test_a_long_pause_is_told_to_one_process_and_again_after_a_day(inbox: Inbox, elapse: Elapse) -> None:
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


def test_what_waits_for_a_resumed_mapping_is_due_at_once_and_nothing_else(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    inbox.accept(keyed("a", "b", "c"))
    put_off(inbox)
    inbox.accept([message(3, "user:d")])
    settle(inbox, take(inbox), Retry("503"), retry=lambda _, __: HOUR)
    assert inbox.stats().counts_by_reason["appcues", "ready", PAUSED] == 3
    assert idle(inbox)
    assert inbox.wake_paused() == 3
    assert inbox.page(Filter(reason=PAUSED)) == ()
    assert numbers(take(inbox)) == [0, 1, 2]


def test_a_lane_that_somebody_holds_is_not_opened_by_a_resume(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    put_off(inbox)
    inbox.wake_paused()
    claim = take(inbox)
    assert inbox.wake_paused() == 0
    assert idle(inbox)
    settle(inbox, claim)
