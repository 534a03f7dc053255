"""When an empty field clears its attribute, and when it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfcode.relay.appcues import resume_clearing, stopped_clearing
from sfcode.relay.appcues.null_guard import AT_MOST, NullGuard
from tests.relay.appcues.desk import ABSENT, opened


def filled(desk, count, minute=1.0, **values):
    for number in range(count):
        desk.send(f"u{number}", record=f"003{number}", minute=minute, Title="CTO", **{"Plan__c": "pro", **values})
    desk.deliver()


def plans(desk):
    profiles = desk.appcues.control("GET", "profiles")["users"]
    return sum("plan" in profile for profile in profiles.values())


def test_a_cleared_field_clears_the_attribute(desk):
    desk.send(minute=1, Title="CTO", Plan__c="pro")
    desk.deliver()
    desk.send(minute=2, Title="CTO")
    desk.deliver()
    assert desk.profile() == {"role": "CTO"}
    assert desk.bodies()[-1] == {"role": "CTO", "plan": None}


@pytest.mark.parametrize(
    "parts", [{"version": "00000000"}, {"version": None}, {"SystemModstamp": ABSENT}, {"Appcues_User_Id__c": ABSENT}]
)
def test_nothing_is_cleared_unless_the_message_can_tell_empty_from_missing(desk, parts):
    """A message with another field list, or without ID or time, cannot distinguish an empty field from a hidden one."""
    desk.send(minute=1, Title="CTO", Plan__c="pro")
    if "SystemModstamp" not in parts:
        desk.deliver()
    desk.send(minute=2, Title="CEO", **parts)
    desk.deliver()
    assert desk.profile()["plan"] == "pro"


def test_a_null_read_from_the_api_clears_the_attribute_without_an_earlier_value(desk):
    desk.appcues.patch("u1", plan="from elsewhere", vip=True)
    desk.send(complete=True, origin="backfill", Title="CTO", Plan__c=None)
    desk.deliver()
    assert desk.profile() == {"role": "CTO", "vip": True}, "a field that was not asked for is not null"


def test_a_new_record_clears_the_attribute_once_the_field_was_seen_filled(desk):
    desk.appcues.patch("u1", plan="from elsewhere")
    desk.appcues.patch("u2", plan="from elsewhere")
    desk.send("u1", minute=1, record="003A", Title="CTO")
    desk.deliver()
    assert desk.profile("u1")["plan"] == "from elsewhere", "nobody has ever seen this field"
    desk.send("u3", minute=1, record="003C", Title="CTO", Plan__c="pro")
    desk.deliver()
    desk.send("u2", minute=1, record="003B", Title="CTO")
    desk.deliver()
    assert desk.profile("u2") == {"role": "CTO"}


def test_an_attribute_of_two_mappings_is_cleared_by_the_one_that_sent_it(desk):
    desk.send(mapping="lead", record="00QA", minute=1, Title="Lead's")
    desk.deliver()
    desk.send(minute=2)
    desk.deliver()
    assert desk.profile() == {"role": "Lead's"}, "the contact never had a title"
    desk.send(minute=3, Title="Contact's")
    desk.deliver()
    desk.send(minute=4)
    desk.deliver()
    assert desk.profile() == {}


def test_a_sent_value_that_was_not_recorded_is_cleared_too(desk):
    """A relay that is killed between the request and the settlement has sent a value that no state contains."""
    desk.send(minute=1, Title="CTO", Plan__c="pro")
    claim = desk.claim()
    desk.write(lambda writer: writer.deliver(claim))
    assert desk.profile()["plan"] == "pro"
    desk.inbox.release(claim)
    desk.send(minute=2, Title="CTO")
    desk.deliver()
    assert desk.profile() == {"role": "CTO"}


def test_an_attribute_that_becomes_empty_in_many_records_is_no_longer_cleared(desk):
    filled(desk, 50)
    for number in range(50):
        desk.send(f"u{number}", record=f"003{number}", minute=2, Title=f"New {number}" if number else ABSENT)
    states = desk.deliver()
    assert plans(desk) == 50 - (AT_MOST - 1), "all but those that came before it was noticed"
    assert desk.profile("u49") == {"role": "New 49", "plan": "pro"}
    assert "role" not in desk.profile("u0"), "another attribute is cleared as before"
    assert states["m100"] == ("done", "left out: plan")
    assert [name for name, _ in desk.ears.alarms] == ["clearing_stopped"]
    assert "contact.plan was empty in 20 consecutive records" in desk.ears.alarms[0][1]
    desk.send("u49", record="00349", minute=3, Title="Newest")
    desk.deliver()
    assert desk.profile("u49") == {"role": "Newest", "plan": "pro"}
    assert len(desk.ears.alarms) == 1, "it is said once"


def test_a_value_in_between_shows_that_the_field_can_be_seen(desk):
    filled(desk, 60)
    for number in range(60):
        values = {"Plan__c": "pro"} if number % 15 == 0 else {}
        desk.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO", **values)
    desk.deliver()
    assert plans(desk) == 4
    assert desk.ears.alarms == []


def test_retried_records_count_once(desk):
    filled(desk, 8)
    desk.appcues.arm("unavailable", times=24)
    for number in range(8):
        desk.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    for _ in range(3):
        desk.deliver(later=timedelta(seconds=-1))
        desk.restart()
    desk.deliver()
    assert plans(desk) == 0
    assert desk.ears.alarms == []


def test_an_acknowledgment_resumes_clearing_with_the_next_message(desk):
    filled(desk, 30)
    for number in range(30):
        desk.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    desk.deliver()
    assert desk.profile("u29")["plan"] == "pro"
    (stopped,) = stopped_clearing(desk.project, desk.inbox.latest)
    assert (stopped.mapping, stopped.attribute) == ("contact", "plan")
    assert stopped.since.startswith(str(datetime.now(UTC).year))
    resume_clearing(desk.inbox, stopped, datetime.now(UTC))
    assert stopped_clearing(desk.project, desk.inbox.latest) == ()
    desk.send("u29", record="00329", minute=3, Title="CTO")
    desk.deliver()
    assert desk.profile("u29") == {"role": "CTO"}


def test_a_value_does_not_resume_clearing(desk):
    filled(desk, 25)
    for number in range(25):
        desk.send(f"u{number}", record=f"003{number}", minute=2)
    desk.send("u99", record="00399", minute=2, Plan__c="team")
    desk.deliver()
    assert {stopped.attribute for stopped in stopped_clearing(desk.project, desk.inbox.latest)} == {"plan", "role"}


def test_a_null_read_from_the_api_clears_despite_the_guard(desk):
    filled(desk, 25)
    for number in range(25):
        desk.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    desk.deliver()
    for number in range(25):
        desk.send(
            f"u{number}", record=f"003{number}", minute=2, complete=True, origin="reconcile", Title="CTO", Plan__c=None
        )
    desk.deliver()
    assert plans(desk) == 0


def test_the_guard_survives_a_restart(tmp_path, sqlite_inbox_url):
    with opened(tmp_path, sqlite_inbox_url) as desk:
        filled(desk, 40)
        for number in range(15):
            desk.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
        desk.deliver()
        assert desk.ears.alarms == []
    with opened(tmp_path, sqlite_inbox_url) as desk:
        desk.number = 100
        for number in range(15, 25):
            desk.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
        desk.deliver()
        assert [name for name, _ in desk.ears.alarms] == ["clearing_stopped"]
        assert plans(desk) == 40 - (AT_MOST - 1)


def test_a_guard_counts_each_record_once_and_starts_again_after_a_value():
    guard = NullGuard().record_empty("a", "t1").record_empty("a", "t2").record_empty("b", "t3")
    assert guard.run == ("a", "b")
    assert guard.record_value() == NullGuard(seen=True)
    for number in range(AT_MOST):
        guard = guard.record_empty(str(number), f"t{number}")
    assert guard.stopped == "t17"
    assert guard.record_value().stopped == "t17"
