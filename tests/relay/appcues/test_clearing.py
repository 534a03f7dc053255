"""When an empty field clears its attribute, and when it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfcode.relay.appcues import resume_clearing, stopped_clearing
from sfcode.relay.appcues.null_guard import AT_MOST, NullGuard
from tests.relay.appcues.appcues_relay import ABSENT, opened


def filled(relay, count, minute=1.0, **values):
    for number in range(count):
        relay.send(f"u{number}", record=f"003{number}", minute=minute, Title="CTO", **{"Plan__c": "pro", **values})
    relay.deliver()


def plans(relay):
    profiles = relay.appcues.control("GET", "profiles")["users"]
    return sum("plan" in profile for profile in profiles.values())


def test_a_cleared_field_clears_the_attribute(relay):
    relay.send(minute=1, Title="CTO", Plan__c="pro")
    relay.deliver()
    relay.send(minute=2, Title="CTO")
    relay.deliver()
    assert relay.profile() == {"role": "CTO"}
    assert relay.bodies()[-1] == {"role": "CTO", "plan": None}


@pytest.mark.parametrize(
    "parts", [{"version": "00000000"}, {"version": None}, {"SystemModstamp": ABSENT}, {"Appcues_User_Id__c": ABSENT}]
)
def test_nothing_is_cleared_unless_the_message_distinguishes_empty_from_missing(relay, parts):
    """A message with another field list, or without ID or time, cannot distinguish an empty field from a hidden one."""
    relay.send(minute=1, Title="CTO", Plan__c="pro")
    if "SystemModstamp" not in parts:
        relay.deliver()
    relay.send(minute=2, Title="CFO", **parts)
    relay.deliver()
    assert relay.profile()["plan"] == "pro"


def test_a_null_read_from_the_api_clears_the_attribute_without_an_earlier_value(relay):
    relay.appcues.patch("u1", plan="from elsewhere", vip=True)
    relay.send(complete=True, origin="backfill", Title="CTO", Plan__c=None)
    relay.deliver()
    assert relay.profile() == {"role": "CTO", "vip": True}, "a field that was not asked for is not null"


def test_a_new_record_clears_the_attribute_after_the_field_had_a_value(relay):
    relay.appcues.patch("u1", plan="from elsewhere")
    relay.appcues.patch("u2", plan="from elsewhere")
    relay.send("u1", minute=1, record="003A", Title="CTO")
    relay.deliver()
    assert relay.profile("u1")["plan"] == "from elsewhere", "nobody has ever seen this field"
    relay.send("u3", minute=1, record="003C", Title="CTO", Plan__c="pro")
    relay.deliver()
    relay.send("u2", minute=1, record="003B", Title="CTO")
    relay.deliver()
    assert relay.profile("u2") == {"role": "CTO"}


def test_an_attribute_of_two_mappings_is_cleared_by_the_one_that_sent_it(relay):
    relay.send(mapping="lead", record="00QA", minute=1, Title="Lead's")
    relay.deliver()
    relay.send(minute=2)
    relay.deliver()
    assert relay.profile() == {"role": "Lead's"}, "the contact never had a title"
    relay.send(minute=3, Title="Contact's")
    relay.deliver()
    relay.send(minute=4)
    relay.deliver()
    assert relay.profile() == {}


def test_a_sent_value_that_was_not_recorded_is_cleared_too(relay):
    """A relay that is killed between the request and the settlement has sent a value that no state contains."""
    relay.send(minute=1, Title="CTO", Plan__c="pro")
    claim = relay.claim()
    relay.write(lambda writer: writer.deliver(claim))
    assert relay.profile()["plan"] == "pro"
    relay.inbox.release(claim)
    relay.send(minute=2, Title="CTO")
    relay.deliver()
    assert relay.profile() == {"role": "CTO"}


def test_an_attribute_that_becomes_empty_in_many_records_is_no_longer_cleared(relay):
    filled(relay, 50)
    for number in range(50):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title=f"New {number}" if number else ABSENT)
    states = relay.deliver()
    assert plans(relay) == 50 - (AT_MOST - 1), "all but those that came before it was noticed"
    assert relay.profile("u49") == {"role": "New 49", "plan": "pro"}
    assert "role" not in relay.profile("u0"), "another attribute is cleared as before"
    assert states["m100"] == ("done", "left out: plan")
    assert [name for name, _ in relay.recorder.alarms] == ["clearing_stopped"]
    assert "contact.plan was empty in 20 consecutive records" in relay.recorder.alarms[0][1]
    relay.send("u49", record="00349", minute=3, Title="Newest")
    relay.deliver()
    assert relay.profile("u49") == {"role": "Newest", "plan": "pro"}
    assert len(relay.recorder.alarms) == 1, "it is said once"


def test_a_value_in_between_shows_that_the_field_is_readable(relay):
    filled(relay, 60)
    for number in range(60):
        values = {"Plan__c": "pro"} if number % 15 == 0 else {}
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO", **values)
    relay.deliver()
    assert plans(relay) == 4
    assert relay.recorder.alarms == []


def test_retried_records_count_once(relay):
    filled(relay, 8)
    relay.appcues.arm("unavailable", times=24)
    for number in range(8):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    for _ in range(3):
        relay.deliver(later=timedelta(seconds=-1))
        relay.restart()
    relay.deliver()
    assert plans(relay) == 0
    assert relay.recorder.alarms == []


def test_an_acknowledgment_resumes_clearing_with_the_next_message(relay):
    filled(relay, 30)
    for number in range(30):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    relay.deliver()
    assert relay.profile("u29")["plan"] == "pro"
    (stopped,) = stopped_clearing(relay.project, relay.inbox.latest)
    assert (stopped.mapping, stopped.attribute) == ("contact", "plan")
    assert stopped.since.startswith(str(datetime.now(UTC).year))
    resume_clearing(relay.inbox, stopped, datetime.now(UTC))
    assert stopped_clearing(relay.project, relay.inbox.latest) == ()
    relay.send("u29", record="00329", minute=3, Title="CTO")
    relay.deliver()
    assert relay.profile("u29") == {"role": "CTO"}


def test_a_value_does_not_resume_clearing(relay):
    filled(relay, 25)
    for number in range(25):
        relay.send(f"u{number}", record=f"003{number}", minute=2)
    relay.send("u99", record="00399", minute=2, Plan__c="team")
    relay.deliver()
    assert {stopped.attribute for stopped in stopped_clearing(relay.project, relay.inbox.latest)} == {"plan", "role"}


def test_a_null_read_from_the_api_clears_despite_the_guard(relay):
    filled(relay, 25)
    for number in range(25):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
    relay.deliver()
    for number in range(25):
        relay.send(
            f"u{number}", record=f"003{number}", minute=2, complete=True, origin="reconcile", Title="CTO", Plan__c=None
        )
    relay.deliver()
    assert plans(relay) == 0


def test_the_guard_survives_a_restart(tmp_path, sqlite_inbox_url):
    with opened(tmp_path, sqlite_inbox_url) as relay:
        filled(relay, 40)
        for number in range(15):
            relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
        relay.deliver()
        assert relay.recorder.alarms == []
    with opened(tmp_path, sqlite_inbox_url) as relay:
        relay.number = 100
        for number in range(15, 25):
            relay.send(f"u{number}", record=f"003{number}", minute=2, Title="CTO")
        relay.deliver()
        assert [name for name, _ in relay.recorder.alarms] == ["clearing_stopped"]
        assert plans(relay) == 40 - (AT_MOST - 1)


def test_a_guard_counts_each_record_once_and_starts_again_after_a_value():
    guard = NullGuard().record_empty("a", "t1").record_empty("a", "t2").record_empty("b", "t3")
    assert guard.run == ("a", "b")
    assert guard.record_value() == NullGuard(seen=True)
    for number in range(AT_MOST):
        guard = guard.record_empty(str(number), f"t{number}")
    assert guard.stopped == "t17"
    assert guard.record_value().stopped == "t17"
