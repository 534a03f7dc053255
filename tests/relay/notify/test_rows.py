"""Due notifications with several processes and after restarts, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest

from sfcode.relay.alarms import Alarm
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.inbox.notifications import (
    AT_ONCE,
    LEASE,
    RESOLVED_ATTEMPTS,
    AlarmNotification,
    NotifyRule,
    claim_notifications,
)
from tests.relay.inbox.conftest import Clock

DAY = timedelta(days=1)
ALL = NotifyRule("ALL", (), DAY)
QUOTA = NotifyRule("QUOTA", ("salesforce_quota",), DAY)
Elapse = Callable[[timedelta], None]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(database_url: str, clock: Clock) -> Iterator[Inbox]:
    with clock.open_inbox(database_url) as inbox:
        yield inbox


@pytest.fixture
def elapse(database_url: str, clock: Clock) -> Elapse:
    def pass_by(time: timedelta) -> None:
        clock.elapse(time.total_seconds())
        if database_url.startswith("postgresql"):
            with psycopg.connect(database_url) as db:
                db.execute(
                    "UPDATE relay_notifications SET due_at = due_at - %(t)s, sent_at = sent_at - %(t)s", {"t": time}
                )

    return pass_by


def raise_alarms(inbox: Inbox, *names: str) -> None:
    inbox.raise_alarms([Alarm(name, "the detail", "2026-11-23T17:00:00Z") for name in names])


def claim(inbox: Inbox, *rules: NotifyRule) -> list[tuple[str, str, str]]:
    return [(entry.receiver, entry.event, entry.name) for entry in inbox.notifications.claim(rules)]


def take(inbox: Inbox, *rules: NotifyRule) -> list[AlarmNotification]:
    """Claim due notifications, and settle them as accepted."""
    due = inbox.notifications.claim(rules)
    for notification in due:
        inbox.notifications.settle(notification, None)
    return list(due)


def test_each_receiver_is_sent_each_alarm_that_it_chose_once(inbox):
    raise_alarms(inbox, "bad_value", "salesforce_quota")
    due = take(inbox, ALL, QUOTA)
    assert sorted((entry.receiver, entry.event, entry.name) for entry in due) == [
        ("ALL", "raised", "bad_value"),
        ("ALL", "raised", "salesforce_quota"),
        ("QUOTA", "raised", "salesforce_quota"),
    ]
    assert {(entry.detail, entry.times, entry.raised_at, entry.number, entry.attempts) for entry in due} == {
        ("the detail", 1, "2026-11-23T17:00:00Z", 0, 1)
    }
    raise_alarms(inbox, "bad_value")
    assert claim(inbox, ALL, QUOTA) == [], "raised again, and not acknowledged meanwhile"


def test_a_notification_is_sent_by_one_process_and_by_another_if_that_ends(inbox, database_url, clock, elapse):
    raise_alarms(inbox, "bad_value")
    (first,) = inbox.notifications.claim([ALL])
    with clock.open_inbox(database_url) as other:
        assert claim(other, ALL) == []
        elapse(LEASE)
        (second,) = other.notifications.claim([ALL])
        assert second.id == first.id, "by which the receiver knows it"
        inbox.notifications.settle(first, None)
        assert other.notifications.waiting() == {"ALL": 1}, "the first one has lost it"
        other.notifications.settle(second, None)
        assert other.notifications.waiting() == {}


def test_what_one_receiver_accepts_leaves_the_other_notifications_to_be_sent(inbox):
    raise_alarms(inbox, "bad_value", "salesforce_quota")
    due = {(entry.receiver, entry.name): entry for entry in inbox.notifications.claim([ALL, QUOTA])}
    inbox.notifications.settle(due["ALL", "salesforce_quota"], None)
    assert inbox.notifications.waiting() == {"ALL": 1, "QUOTA": 1}
    inbox.notifications.settle(due["QUOTA", "salesforce_quota"], timedelta())
    assert claim(inbox, ALL, QUOTA) == [("QUOTA", "raised", "salesforce_quota")]
    inbox.notifications.settle(due["ALL", "bad_value"], None)
    assert inbox.notifications.waiting() == {"QUOTA": 1}


def test_a_notification_is_claimed_by_one_process(postgres_url):
    with open_inbox(postgres_url) as inbox:
        raise_alarms(inbox, "bad_value")
        (first,) = inbox.notifications.claim([ALL])
        inbox.notifications.settle(first, timedelta())
        with inbox._database.write() as tx:
            assert len(claim_notifications(tx, [ALL])) == 1
            assert claim(inbox, ALL) == []


def test_a_refused_notification_is_sent_again(inbox, elapse):
    raise_alarms(inbox, "bad_value")
    (first,) = inbox.notifications.claim([ALL])
    inbox.notifications.settle(first, timedelta(hours=1))
    elapse(timedelta(minutes=59))
    assert claim(inbox, ALL) == []
    elapse(timedelta(minutes=2))
    (second,) = inbox.notifications.claim([ALL])
    assert (second.id, second.attempts) == (first.id, 2)


def test_an_alarm_is_repeated_until_acknowledged_and_then_resolved(inbox, elapse):
    raise_alarms(inbox, "bad_value")
    ids = [entry.id for entry in take(inbox, ALL)]
    for number in (1, 2):
        elapse(DAY - timedelta(minutes=1))
        assert claim(inbox, ALL) == []
        elapse(timedelta(minutes=2))
        (repetition,) = take(inbox, ALL)
        assert (repetition.event, repetition.number, repetition.attempts) == ("repeated", number, 1)
        ids.append(repetition.id)
    inbox.acknowledge(alarm.id for alarm in inbox.alarms())
    (end,) = take(inbox, ALL)
    assert (end.event, end.name, end.detail) == ("resolved", "bad_value", "the detail")
    assert len({*ids, end.id}) == 4
    elapse(3 * DAY)
    assert claim(inbox, ALL) == []
    raise_alarms(inbox, "bad_value")
    assert claim(inbox, ALL) == [("ALL", "raised", "bad_value")]


def test_each_receiver_is_reminded_at_its_own_pace(inbox, elapse):
    hourly = NotifyRule("HOURLY", (), timedelta(hours=1))
    raise_alarms(inbox, "bad_value")
    take(inbox, ALL, hourly)
    elapse(timedelta(hours=2))
    assert claim(inbox, ALL, hourly) == [("HOURLY", "repeated", "bad_value")]


def test_a_refused_repetition_waits_like_a_refused_first_notification(inbox, elapse):
    raise_alarms(inbox, "bad_value")
    take(inbox, ALL)
    elapse(2 * DAY)
    (repetition,) = inbox.notifications.claim([ALL])
    assert repetition.event == "repeated"
    assert claim(inbox, ALL) == [], "while it is sent"
    inbox.notifications.settle(repetition, timedelta(hours=1))
    assert claim(inbox, ALL) == []


def test_nothing_is_sent_of_an_alarm_that_was_acknowledged_at_once(inbox):
    raise_alarms(inbox, *(f"alarm{number:02}" for number in range(AT_ONCE + 1)))
    assert len(take(inbox, ALL)) == AT_ONCE
    inbox.acknowledge(alarm.id for alarm in inbox.alarms())
    events = [event for _ in range(2) for _, event, _ in claim(inbox, ALL)]
    assert events == ["resolved"] * AT_ONCE


def test_an_alarm_that_is_acknowledged_while_it_is_sent_is_resolved_after_that(inbox, elapse):
    raise_alarms(inbox, "bad_value")
    (raised,) = inbox.notifications.claim([ALL])
    inbox.acknowledge(alarm.id for alarm in inbox.alarms())
    assert claim(inbox, ALL) == []
    inbox.notifications.settle(raised, None)
    elapse(LEASE)
    assert claim(inbox, ALL) == [("ALL", "resolved", "bad_value")]


def test_a_sent_alarm_is_not_recorded_as_resolved(inbox, elapse):
    raise_alarms(inbox, "bad_value")
    (raised,) = inbox.notifications.claim([ALL])
    inbox.acknowledge(alarm.id for alarm in inbox.alarms())
    elapse(LEASE)
    (resolved,) = inbox.notifications.claim([ALL])
    assert (resolved.event, resolved.attempts) == ("resolved", 1)
    inbox.notifications.settle(raised, None)
    assert inbox.notifications.waiting() == {"ALL": 1}
    inbox.notifications.settle(resolved, None)
    assert inbox.notifications.waiting() == {}


def test_the_resolution_is_dropped_if_a_receiver_never_accepts_it(inbox, elapse):
    raise_alarms(inbox, "bad_value")
    take(inbox, ALL)
    inbox.acknowledge(alarm.id for alarm in inbox.alarms())
    for _ in range(RESOLVED_ATTEMPTS):
        (end,) = inbox.notifications.claim([ALL])
        inbox.notifications.settle(end, timedelta())
    assert claim(inbox, ALL) == []
    assert inbox.notifications.waiting() == {}


def test_a_receiver_that_was_removed_is_forgotten(inbox):
    raise_alarms(inbox, "salesforce_quota")
    take(inbox, ALL, QUOTA)
    assert claim(inbox, QUOTA) == []
    assert claim(inbox, ALL, QUOTA) == [("ALL", "raised", "salesforce_quota")]
