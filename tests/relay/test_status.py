"""The status of a relay with every kind of content, as complete text and JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfcode.relay.alarms import Alarm
from sfcode.relay.api_calls import ApiCallCount, ApiUse
from sfcode.relay.inbox import Filter, InboxEntry, InboxStats, Pause, Process
from sfcode.relay.inbox.bulk_changes import BulkChange
from sfcode.relay.inbox.schedule import ScheduledRun
from sfcode.relay.inbox.search import MessageCount
from sfcode.relay.reasons import ALARMS, hint_for
from sfcode.relay.report import (
    ApiStatus,
    RelayStatus,
    ScheduledStatus,
    describe_status,
    format_age,
    format_duration,
    message_document,
    status_document,
)
from sfcode.text import wrap

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def before(**span: float) -> datetime:
    return NOW - timedelta(**span)


def change(id_: int, **more: object) -> BulkChange:
    values = {
        "id": id_,
        "action": "replay",
        "who": "ann@host",
        "choice": Filter(),
        "total": MessageCount(5000),
        "done": 1200,
        "begun_at": before(minutes=3),
        "ended_at": None,
        "problem": "",
        "is_held": True,
    }
    return BulkChange(**{**values, **more})  # type: ignore[arg-type]


USES = tuple(
    ApiCallCount(ApiUse("to_salesforce", mapping, purpose), number)
    for mapping, purpose, number in (
        ("contact", "upsert", 4000),
        ("lead", "upsert", 300),
        ("", "sign_in", 20),
        ("contact", "find", 10),
        ("lead", "find", 9),
        ("", "other", 7),
        ("", "types", 2),
    )
)
STATUS = RelayStatus(
    InboxStats(
        NOW,
        {
            ("appcues", "ready", ""): 1200,
            ("appcues", "leased", ""): 34,
            ("appcues", "parked", "unknown_user"): 5,
            ("appcues", "dead", "gave_up"): 1100,
            ("appcues", "done", ""): 7000,
            ("salesforce", "parked", "string_too_long"): 2,
        },
        {"appcues": before(hours=2, minutes=5)},
        {"appcues": 3},
    ),
    processes=(Process("host:1:a", before(days=1), before(seconds=4), "c0ff1g"), Process("host:2:b", NOW, NOW)),
    alarms=(
        Alarm("paused", "mapping contact, by ann@host", "2026-11-23T16:00:00Z", 1, 7),
        Alarm("salesforce_sign_in", "invalid_grant", "2026-11-23T16:01:00Z", 3, 8),
        Alarm("salesforce_sign_in", "invalid_client", "2026-11-23T16:02:00Z", 1, 9),
    ),
    schedule=(
        ScheduledStatus("reconcile", 1, None),
        ScheduledStatus(
            "refresh", 6, ScheduledRun("refresh", "a", before(hours=1), before(hours=1), before(minutes=50), "done", 1)
        ),
        ScheduledStatus("late", 2, ScheduledRun("late", "a", before(hours=3), NOW, before(hours=3), "done", 1200)),
        ScheduledStatus("long", 24, ScheduledRun("long", "a", before(seconds=90), NOW)),
    ),
    api_calls=ApiStatus(20_000, USES),
    pauses=(Pause("mapping", "contact", "ann@host", before(days=2, hours=3)),),
    changes=(
        change(11),
        change(12, action="discard", who="", total=MessageCount(10_000, is_partial=True), done=3, is_held=False),
    ),
)
EMPTY = RelayStatus(InboxStats(NOW, {}, {}, {}))


def mark(text: str, sign: str) -> str:
    return f"<{sign}|{text}>"


def test_the_text() -> None:
    assert (
        describe_status(STATUS, mark)
        == f"""\
<!|Alarm 7 paused (1 time, last 2026-11-23T16:00:00Z): mapping contact, by ann@host>
{wrap(f"{ALARMS['paused'].meaning}. {ALARMS['paused'].hint}", "    ")}
<!|Alarm 8 salesforce_sign_in (3 times, last 2026-11-23T16:01:00Z): invalid_grant>
{wrap(f"{ALARMS['salesforce_sign_in'].meaning}. {ALARMS['salesforce_sign_in'].hint}", "    ")}
<!|Alarm 9 salesforce_sign_in (1 time, last 2026-11-23T16:02:00Z): invalid_client>
<~|Paused: mapping contact for 2 d 3 h, by ann@host>
Replay under way: 1,200 of 5,000 messages, by ann@host, for 3 min
Discard under way: 3 of 10,000 or more messages, by unknown, for 3 min; stopped, since no relay process is working on it
Appcues -> Salesforce: 1,234 waiting, the oldest for 2 h 5 min; 5 parked, 1,100 given up, 7,000 done
Salesforce -> Appcues: 0 waiting; 2 parked, 0 given up, 0 done
<~|  1,100 given up: gave_up (Appcues -> Salesforce)>
{wrap(hint_for("gave_up"), "    ")}
<~|  5 parked: unknown_user (Appcues -> Salesforce)>
{wrap(hint_for("unknown_user"), "    ")}
<~|  2 parked: string_too_long (Salesforce -> Appcues)>
{wrap(hint_for("string_too_long"), "    ")}
reconcile every 1 h: not yet
refresh every 6 h: done 50 min ago, 1 message; due in 5 h
late every 2 h: done 3 h ago, 1,200 messages; due now
long every 24 h: running for 1 min 30 s
4,348 of 20,000 (relay.api_calls_per_day) requests to Salesforce in 24 hours
  4,000 upsert (contact)
  300 upsert (lead)
  20 sign_in
  10 find (contact)
  9 find (lead)
  9 more (--json lists all)
2 relay processes in the last minute: host:1:a (config c0ff1g), host:2:b"""
    )


def test_the_text_of_an_empty_inbox() -> None:
    assert (
        describe_status(EMPTY, mark)
        == """\
Appcues -> Salesforce: 0 waiting; 0 parked, 0 given up, 0 done
Salesforce -> Appcues: 0 waiting; 0 parked, 0 given up, 0 done
0 relay processes in the last minute"""
    )


def test_the_json_document() -> None:
    assert status_document(STATUS) == {
        "sources": {
            "appcues": {
                "ready": 1200,
                "leased": 34,
                "parked": 5,
                "dead": 1100,
                "done": 7000,
                "oldest_received_at": "2026-11-23T14:55:00.000000Z",
                "waiting_keys": 3,
            },
            "salesforce": {
                "ready": 0,
                "leased": 0,
                "parked": 2,
                "dead": 0,
                "done": 0,
                "oldest_received_at": None,
                "waiting_keys": 0,
            },
        },
        "stuck": [
            {
                "source": "appcues",
                "state": "dead",
                "reason": "gave_up",
                "messages": 1100,
                "hint": hint_for("gave_up"),
            },
            {
                "source": "appcues",
                "state": "parked",
                "reason": "unknown_user",
                "messages": 5,
                "hint": hint_for("unknown_user"),
            },
            {
                "source": "salesforce",
                "state": "parked",
                "reason": "string_too_long",
                "messages": 2,
                "hint": hint_for("string_too_long"),
            },
        ],
        "paused": [{"scope": "mapping", "name": "contact", "who": "ann@host", "at": "2026-11-21T14:00:00.000000Z"}],
        "changes": [
            {
                "id": 11,
                "action": "replay",
                "who": "ann@host",
                "begun_at": "2026-11-23T16:57:00.000000Z",
                "done": 1200,
                "total": 5000,
                "is_total_partial": False,
            },
            {
                "id": 12,
                "action": "discard",
                "who": "",
                "begun_at": "2026-11-23T16:57:00.000000Z",
                "done": 3,
                "total": 10000,
                "is_total_partial": True,
            },
        ],
        "alarms": [
            {
                "name": "paused",
                "detail": "mapping contact, by ann@host",
                "at": "2026-11-23T16:00:00Z",
                "times": 1,
                "id": 7,
                "meaning": ALARMS["paused"].meaning,
                "hint": ALARMS["paused"].hint,
            },
            {
                "name": "salesforce_sign_in",
                "detail": "invalid_grant",
                "at": "2026-11-23T16:01:00Z",
                "times": 3,
                "id": 8,
                "meaning": ALARMS["salesforce_sign_in"].meaning,
                "hint": ALARMS["salesforce_sign_in"].hint,
            },
            {
                "name": "salesforce_sign_in",
                "detail": "invalid_client",
                "at": "2026-11-23T16:02:00Z",
                "times": 1,
                "id": 9,
                "meaning": ALARMS["salesforce_sign_in"].meaning,
                "hint": ALARMS["salesforce_sign_in"].hint,
            },
        ],
        "processes": [
            {
                "id": "host:1:a",
                "started_at": "2026-11-22T17:00:00.000000Z",
                "seen_at": "2026-11-23T16:59:56.000000Z",
                "config": "c0ff1g",
            },
            {
                "id": "host:2:b",
                "started_at": "2026-11-23T17:00:00.000000Z",
                "seen_at": "2026-11-23T17:00:00.000000Z",
                "config": None,
            },
        ],
        "schedule": [
            {
                "job": "reconcile",
                "every_hours": 1,
                "begun_at": None,
                "ended_at": None,
                "outcome": None,
                "queued": 0,
                "next_at": None,
            },
            {
                "job": "refresh",
                "every_hours": 6,
                "begun_at": "2026-11-23T16:00:00.000000Z",
                "ended_at": "2026-11-23T16:10:00.000000Z",
                "outcome": "done",
                "queued": 1,
                "next_at": "2026-11-23T22:00:00.000000Z",
            },
            {
                "job": "late",
                "every_hours": 2,
                "begun_at": "2026-11-23T14:00:00.000000Z",
                "ended_at": "2026-11-23T14:00:00.000000Z",
                "outcome": "done",
                "queued": 1200,
                "next_at": "2026-11-23T16:00:00.000000Z",
            },
            {
                "job": "long",
                "every_hours": 24,
                "begun_at": "2026-11-23T16:58:30.000000Z",
                "ended_at": None,
                "outcome": None,
                "queued": 0,
                "next_at": "2026-11-23T17:05:00.000000Z",
            },
        ],
        "api_calls": {
            "used": 4348,
            "limit": 20000,
            "by": [
                {"direction": "to_salesforce", "mapping": "contact", "purpose": "upsert", "number": 4000},
                {"direction": "to_salesforce", "mapping": "lead", "purpose": "upsert", "number": 300},
                {"direction": "to_salesforce", "mapping": "", "purpose": "sign_in", "number": 20},
                {"direction": "to_salesforce", "mapping": "contact", "purpose": "find", "number": 10},
                {"direction": "to_salesforce", "mapping": "lead", "purpose": "find", "number": 9},
                {"direction": "to_salesforce", "mapping": "", "purpose": "other", "number": 7},
                {"direction": "to_salesforce", "mapping": "", "purpose": "types", "number": 2},
            ],
        },
    }


def test_the_requests_are_named_where_there_are_some_or_a_budget() -> None:
    def render(status: ApiStatus) -> list[str]:
        lines = describe_status(RelayStatus(EMPTY.stats, api_calls=status), mark).splitlines()
        return [line for line in lines if "requests" in line]

    assert render(ApiStatus(None)) == []
    assert render(ApiStatus(20_000)) == ["0 of 20,000 (relay.api_calls_per_day) requests to Salesforce in 24 hours"]
    assert render(ApiStatus(None, USES[2:3])) == ["20 requests to Salesforce in 24 hours"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3605, "1 h 5 s"),
        (90_000, "1 d 1 h"),
        (93_784, "1 d 2 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == words
    assert format_age(NOW - timedelta(seconds=seconds), NOW) == words
    assert format_age(NOW + timedelta(seconds=1), NOW) == "0 s", "clocks differ"
    assert format_age(None, NOW) == ""


def test_a_message_has_its_payload_where_it_is_asked_for() -> None:
    entry = InboxEntry(
        7,
        "appcues",
        "m7",
        "user:a",
        "flow_completed",
        {"a": 1},
        "dead",
        "gave_up",
        "No.",
        3,
        NOW,
        before(hours=1),
        None,
    )
    document = {
        "id": 7,
        "source": "appcues",
        "message_id": "m7",
        "kind": "flow_completed",
        "state": "dead",
        "reason": "gave_up",
        "detail": "No.",
        "attempts": 3,
        "received_at": "2026-11-23T16:00:00.000000Z",
        "due_at": "2026-11-23T17:00:00.000000Z",
        "finished_at": None,
    }
    assert message_document(entry, payload=False) == document
    assert message_document(entry, payload=True) == {**document, "key": "user:a", "payload": {"a": 1}}
