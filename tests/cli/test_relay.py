"""The verbs of `sfcode relay` that show and change the inbox, without `serve`."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sfcode.errors import UsageError
from sfcode.relay import alarms
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.message import Delivered, Delivery, InboxMessage, LatestState, Retry
from sfcode.relay.reasons import ALARMS
from sfcode.relay.rewrite import rewrites
from sfcode.text import wrap
from tests.e2e.journey import Journey


@pytest.fixture
def journey(tmp_path: Path) -> Journey:
    return Journey.start(tmp_path)


@pytest.fixture
def inbox(journey: Journey):
    with open_inbox(f"sqlite:///{journey.folder / '.sfcode' / 'relay.db'}") as inbox:
        yield inbox


def message(number: int, **more) -> InboxMessage:
    values = {"source": "appcues", "kind": "appcues:nps_score", "payload": {"event": {"score": 9}}, **more}
    return InboxMessage(message_id=f"m{number}", key=f"user:person{number}@example.com", **values)


def fill(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, parked="unknown_user"), message(3, parked="unknown_user")])
    inbox.accept([message(4, parked="not_understood", kind=""), message(5, source="salesforce", kind="contact")])
    claim = inbox.claim("salesforce", limit=1, per_key=1, lease=60)
    inbox.settle(claim, Delivery({m.id: Retry("no") for m in claim.messages}), lambda *_: None)


def test_status_shows_blocked_messages_with_their_hints(journey, inbox):
    fill(inbox)
    pending = alarms.PendingAlarms()
    pending.add("salesforce_quota", "the relay has stopped", "2026-11-23T17:00:00Z")
    pending.flush(inbox)
    inbox.heartbeat("host:1:abc")
    text = journey.run("relay", "status").out
    assert "Alarm 1 salesforce_quota (1 time, last 2026-11-23T17:00:00Z): the relay has stopped" in text
    assert re.search(r"Appcues -> Salesforce: 1 waiting, the oldest for \d+ s; 3 parked, 0 given up, 0 done", text)
    assert "Salesforce -> Appcues: 0 waiting; 0 parked, 1 given up, 0 done" in text
    assert "2 parked: unknown_user" in text
    assert "1 relay process in the last minute: host:1:abc" in text
    assert "example.com" not in text


def test_status_says_of_each_alarm_what_it_means_and_what_to_do(journey, inbox):
    at = "2026-11-23T17:00:00Z"
    details = ("mapping contact", "mapping lead")
    inbox.raise_alarms(
        [alarms.Alarm(name, detail, at) for name in (*ALARMS, "of_a_newer_version") for detail in details]
    )
    text = journey.run("relay", "status").out
    entries = journey.run("--json", "relay", "status").json["result"]["alarms"]
    assert {entry["name"] for entry in entries} == {*ALARMS, "of_a_newer_version"}
    for name, reason in ALARMS.items():
        explanation = wrap(f"{reason.meaning}. {reason.hint}", "    ")
        assert re.search(rf"^Alarm \d+ {name} .*\n{re.escape(explanation)}\nAlarm \d+ {name} ", text, re.MULTILINE)
        assert text.count(explanation) == 1, "once, however many alarms have this name"
        texts = {(entry["meaning"], entry["hint"]) for entry in entries if entry["name"] == name}
        assert texts == {(reason.meaning, reason.hint)}
    assert [(entry["meaning"], entry["hint"]) for entry in entries if entry["name"] not in ALARMS] == [("", "")] * 2


def test_status_prints_json(journey, inbox):
    fill(inbox)
    result = journey.run("--json", "relay", "status").json["result"]
    assert result["sources"]["appcues"]["ready"] == 1
    assert result["sources"]["appcues"]["parked"] == 3
    assert result["sources"]["salesforce"]["dead"] == 1
    assert [(entry["reason"], entry["messages"]) for entry in result["stuck"] if entry["source"] == "appcues"] == [
        ("not_understood", 1),
        ("unknown_user", 2),
    ]
    assert result["processes"] == []


def test_list_shows_payloads_and_user_ids_only_on_request(journey, inbox):
    fill(inbox)
    text = journey.run("relay", "list", "--utc").out
    header, *lines = text.splitlines()
    assert header.split() == ["ID", "RECEIVED", "(UTC)", "SOURCE", "EVENT", "STATE", "TRIES", "DETAIL"]
    assert [line.split()[0] for line in lines] == ["5", "4", "3", "2", "1"]
    assert "m2" not in text  # the ID of the sender can have 80 characters; `show` and --json have it
    assert "person2" not in text
    assert "score" not in text.replace("nps_score", "")
    assert '"score": 9' in journey.run("relay", "list", "--payload").out
    plain = journey.run("--json", "relay", "list").json["result"]
    assert all("payload" not in entry and "key" not in entry for entry in plain)
    full_entries = journey.run("--json", "relay", "list", "--payload", "--limit", "1").json["result"]
    assert [entry["key"] for entry in full_entries] == ["user:person5@example.com"]


@pytest.mark.parametrize(
    ("options", "expected_ids"),
    [
        (("--reason", "unknown_user"), ["m3", "m2"]),
        (("--state", "dead"), ["m5"]),
        (("--source", "salesforce"), ["m5"]),
        (("--kind", "contact"), ["m5"]),
        (("--event", "contact"), ["m5"]),
        (("--user", "person4@example.com"), ["m4"]),
        (("--until", "1h"), []),
        (("--state", "parked", "--limit", "2"), ["m4", "m3"]),
        (("--since", "1h"), ["m5", "m4", "m3", "m2", "m1"]),
        (("--since", "2100-01-01T00:00Z"), []),
    ],
)
def test_list_filters_messages(journey, inbox, options, expected_ids):
    fill(inbox)
    assert [
        entry["message_id"] for entry in journey.run("--json", "relay", "list", *options).json["result"]
    ] == expected_ids


def test_list_reads_several_pages(journey, inbox, monkeypatch):
    monkeypatch.setattr("sfcode.relay.inbox.search.AT_ONCE", 2)
    fill(inbox)
    assert len(journey.run("relay", "list", "--limit", "4").out.splitlines()) == 1 + 4
    assert len(journey.run("relay", "list", "--limit", "100").out.splitlines()) == 1 + 5


def test_replay_reports_the_number_of_messages(journey, inbox):
    fill(inbox)
    assert journey.run("relay", "replay", "--reason", "unknown_user", "--dry-run").out == (
        "2 messages would be delivered again.\n"
    )
    assert inbox.stats().count("parked") == 3
    assert journey.run("relay", "replay", "--reason", "unknown_user").out == "2 messages will be delivered again.\n"
    assert inbox.stats().count("parked") == 1


def test_replay_by_id_does_not_replay_delivered_messages(journey, inbox):
    fill(inbox)
    claim = inbox.claim("appcues", limit=1, per_key=1, lease=60)
    inbox.settle(claim, Delivery({m.id: Delivered() for m in claim.messages}), lambda *_: None)
    ids = [str(entry.id) for entry in inbox.page(Filter(), 100)]
    assert journey.run("--json", "relay", "replay", *ids, "--dry-run").json["result"]["messages"] == 4
    assert journey.run("--json", "relay", "replay", *ids).json["result"] == {"messages": 4, "dry_run": False}
    assert inbox.stats().count("done") == 1


@pytest.mark.parametrize(
    "options",
    [(), ("--state", "leased"), ("--since", "yesterday"), ("--since", "5"), ("99999999999999999999",), ("0",)],
)
def test_replay_without_a_selection_is_refused(journey, inbox, options):
    result = journey.run("relay", "replay", *options)
    assert result.code == 1
    assert "Traceback" not in result.err


def test_replay_of_waiting_messages_attempts_them_at_once(journey, inbox):
    inbox.accept([message(1)])
    claim = inbox.claim("appcues", limit=1, per_key=1, lease=60)
    inbox.settle(claim, Delivery({m.id: Retry("no") for m in claim.messages}), lambda *_: timedelta(hours=1))
    assert inbox.claim("appcues", limit=1, per_key=1, lease=60) is None
    assert journey.run("relay", "replay", "--state", "ready").out == "1 message will be delivered again.\n"
    assert inbox.claim("appcues", limit=1, per_key=1, lease=60)


def test_replay_of_unknown_ids_or_reasons_is_an_error(journey, inbox):
    fill(inbox)
    result = journey.run("relay", "replay", "1", "4711")
    assert (result.code, "4711" in result.err, "message has the ID 1," in result.err) == (1, True, False)
    result = journey.run("relay", "replay", "--reason", "unknwon_user")
    assert result.code == 1
    assert "unknown_user" in result.err
    assert journey.run("relay", "replay", "--reason", "converted_lead").out == "0 messages will be delivered again.\n"
    assert inbox.stats().count("parked") == 3


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "--state", "dead", "--user"),
        ("discard", "--yes", "--state", "ready", "--user"),
        ("discard", "--yes", "--state", "ready", "--record"),
        ("list", "--event"),
        ("list", "--reason"),
        ("forget",),
        ("export",),
        ("test", "--user"),
    ],
)
@pytest.mark.parametrize("value", ["", " \t"])
def test_a_blank_value_is_refused_and_selects_nobody(journey, inbox, command, value):
    """An empty variable of a script must not select the messages of everybody."""
    inbox.accept([message(1), message(2, parked="not_understood", kind="", payload={"received": {"name": ""}})])
    result = journey.run("relay", *command, value)
    assert result.code == 1
    assert "it is blank" in result.err
    assert (inbox.stats().count("ready"), inbox.stats().count("parked")) == (1, 1)


@pytest.mark.parametrize("command", ["learn", "explain", "show"])
def test_an_id_that_is_too_large_for_the_database_is_refused(journey, command):
    result = journey.run("relay", command, str(2**63))
    assert result.code == 1
    assert "is not in the range 1<=x<=9223372036854775807" in result.err


@pytest.mark.parametrize(
    "command",
    [("status",), ("list",), ("replay", "--reason", "x"), ("ack", "x"), ("learn",), ("learn", "1"), ("explain", "1")],
)
def test_a_reading_command_creates_no_inbox(journey, command):
    result = journey.run("relay", *command)
    assert result.code == 1
    assert "There is no inbox at" in result.err
    assert not (journey.folder / ".sfcode" / "relay.db").exists()


def test_forget_removes_one_person_and_nobody_else(journey, inbox):
    def stored(number: int, user: str, **more) -> InboxMessage:
        payload = {"event": {"attributes": {"feedback": f"secret of {user}"}}, "user_id": user}
        return InboxMessage("appcues", f"m{number}", f"user:{user}", "appcues:nps_score", payload, **more)

    record = {"mapping": "contact", "record": {"Id": "003A", "Title": "Director"}}
    inbox.accept(
        [
            stored(1, "1001"),
            stored(2, "1001", parked="unknown_user"),
            replace(stored(3, "1001"), key="group:acme"),
            replace(stored(4, "1001"), key="user:1001@lead"),
            InboxMessage("salesforce", "n1", "user:1001", "contact", record),
            *rewrites("appcues", ["field:Contact:003A:Score__c"]),
            stored(5, "10011"),
            replace(stored(6, "2"), payload={"event": {"text": '"user_id":"1001"'}, "user_id": "2"}),
        ]
    )
    names = ("score:user:1001", "profile:user:1001", "field:Contact:003A:Score__c", "field:Contact:003B:Note__c")
    other_names = ("score:user:10011", "field:Contact:003C:Score__c")
    inbox.note([LatestState(name, "2026", "secret") for name in (*names, *other_names)])
    inbox.note([LatestState("records:user:1001", "2026", '["003B"]')])
    inbox.note([LatestState("clearing:contact:plan", "2026", '{"seen":true,"run":["003A","003C"],"stopped":""}')])
    exported = journey.run("relay", "export", "1001").out
    data = json.loads(exported)
    assert {entry["message_id"] for entry in data["messages"]} >= {"m1", "m2", "m3", "m4", "n1"}
    assert "secret of 1001" in exported
    assert {entry["name"] for entry in data["values"]} == {*names, "records:user:1001"}
    assert data["records"] == ["003A", "003B"]
    assert not {"secret of 10011", "003C"} & set(re.findall(r"secret of \d+|003C", exported))
    assert journey.run("--json", "relay", "export", "1001").json["result"] == data
    dry = journey.run("--json", "relay", "forget", "1001", "--dry-run").json["result"]
    assert (dry["messages"], dry["values"]) == (6, 5)
    assert len(inbox.page(Filter())) == 8
    out = journey.run("relay", "forget", "1001").out
    assert out.startswith("6 messages and 5 latest values were removed.")
    assert sorted(entry.message_id for entry in inbox.page(Filter())) == ["m5", "m6"]
    assert set(inbox.latest([*names, *other_names, "records:user:1001"])) == set(other_names)
    guard = inbox.latest(["clearing:contact:plan"])["clearing:contact:plan"]
    assert json.loads(guard.value) == {"seen": True, "run": ["003C"], "stopped": ""}
    (line,) = inbox.audit_lines()
    assert (line.action, line.number, line.selection["states"]) == ("forget", 6, 5)
    assert line.selection["user_sha256"] == hashlib.sha256(b"1001").hexdigest(), "who asks for it again can be answered"
    assert "1001" not in json.dumps(line.selection)
    assert journey.run("relay", "forget", "1001").out.startswith("0 messages and 0 latest values")


def test_an_alarm_is_acknowledged_by_its_name(journey, inbox):
    pending = alarms.PendingAlarms()
    pending.add("bad_value", "contact.plan (3)", "2026-11-23T17:00:00Z")
    pending.flush(inbox)
    assert journey.run("relay", "ack", "nothing").code == 1
    assert journey.run("relay", "ack", "bad_value").out == "bad_value is acknowledged.\n"
    assert inbox.alarms() == ()
    assert journey.run("relay", "ack", "bad_value").code == 1


def test_an_alarm_is_acknowledged_by_its_number_and_the_others_of_its_name_stay(journey, inbox):
    pending = alarms.PendingAlarms()
    for mapping in ("contact", "lead"):
        pending.add("salesforce_access", f"mapping {mapping}", "2026-11-23T17:00:00Z")
    pending.flush(inbox)
    number = next(alarm.id for alarm in inbox.alarms() if "lead" in alarm.detail)
    assert journey.run("relay", "ack", str(number)).out == f"{number} is acknowledged.\n"
    assert [alarm.detail for alarm in inbox.alarms()] == ["mapping contact"]
    assert journey.run("relay", "ack", str(number)).code == 1


def test_lift_is_the_old_name_of_ack_and_is_not_listed(journey, inbox):
    pending = alarms.PendingAlarms()
    pending.add("bad_value", "contact.plan (3)", "2026-11-23T17:00:00Z")
    pending.flush(inbox)
    assert journey.run("relay", "lift", "bad_value").out == "bad_value is acknowledged.\n"
    assert "  lift" not in journey.run("relay", "--help").out


def test_clearing_is_resumed_attribute_by_attribute(journey, inbox):
    from sfcode.config import load
    from sfcode.relay.appcues.mapping_view import mapping_views
    from sfcode.relay.appcues.null_guard import AT_MOST, NullGuards, stopped_clearing

    project = load(journey.folder / "config", "local")
    guards = NullGuards(mapping_views(project).values(), {}, "2026-11-23T17:00:00.000000Z")
    for attribute in ("plan", "role"):
        guards.record_value("contact", attribute)
        for number in range(AT_MOST):
            guards.may_clear("contact", attribute, f"r{number}")
    inbox.note(guards.list_changed())
    pending = alarms.PendingAlarms()
    for attribute in ("plan", "role"):
        pending.add("clearing_stopped", f"contact.{attribute} came empty", "2026-11-23T17:00:00Z")
    pending.flush(inbox)
    assert len(stopped_clearing(project, inbox.latest)) == 2
    assert journey.run("relay", "ack", "clearing_stopped", "--attribute", "contact.nothing").code == 1
    out = journey.run("relay", "ack", "clearing_stopped", "--attribute", "contact.plan").out
    assert "contact.plan may be cleared again" in out
    assert [alarm.detail for alarm in inbox.alarms()] == ["contact.role came empty"]
    assert journey.run("--json", "relay", "ack", "clearing_stopped").json["result"]["attributes"] == ["contact.role"]
    assert stopped_clearing(project, inbox.latest) == ()
    assert inbox.alarms() == ()


def test_reconcile_and_backfill_against_the_local_org(journey, inbox):
    unseen = journey.run("relay", "reconcile", "--since", "1h")
    assert unseen.code == 1
    assert "sfcode doctor" in unseen.err, "the fields are not there"
    assert journey.apply().code == 0
    refused = journey.run("relay", "reconcile")
    assert refused.code == 1
    assert "--since" in refused.err
    outcomes = journey.run("--json", "relay", "reconcile", "--since", "36500d").json["result"]
    assert [outcome["mapping"] for outcome in outcomes] == ["contact", "lead"]
    assert sum(outcome["new"] for outcome in outcomes) == inbox.stats().count("ready") > 0
    assert "0 records to send" in journey.run("relay", "reconcile", "contact").out
    filled = journey.run("--json", "--quiet", "relay", "backfill", "contact").json["result"]
    assert filled[0]["records"] == outcomes[0]["records"]
    assert "already done" in journey.run("relay", "backfill", "contact").out
    status = journey.run("--json", "relay", "status").json["result"]["api_calls"]
    numbers = {(use["purpose"], use["mapping"]): use["number"] for use in status["by"]}
    assert {("reconcile", "contact"), ("reconcile", "lead"), ("backfill", "contact")} <= numbers.keys()
    assert (status["used"], status["limit"]) == (sum(numbers.values()), None)
    journey.edit("sfcode.yaml", "relay:\n", "relay:\n  api_calls_per_day: 5000\n")
    text = journey.run("relay", "status").out
    assert f"{status['used']} of 5,000 (relay.api_calls_per_day) requests to Salesforce in 24 hours" in text
    assert f"  {numbers['backfill', 'contact']} backfill (contact)" in text


def test_the_relay_without_its_extra_names_the_install_command(journey, monkeypatch):
    from sfcode.cli import relay

    monkeypatch.setattr(relay, "find_spec", lambda name: None if name == "sqlalchemy" else object())
    result = journey.run("relay", "status")
    assert result.code == 1
    assert "sqlalchemy" in result.err
    assert "Install them: pip install --editable " in result.err
    assert "[relay]" in result.err


def test_serve_names_everything_that_is_missing(journey):
    result = journey.run("relay", "serve", "--host", "0.0.0.0")
    assert result.code == 1
    for name in ("SFCODE_RELAY_WEBHOOK_SECRET", "SFCODE_RELAY_ADMIN_TOKEN"):
        assert name in result.err


def test_serve_without_a_sign_in_is_refused(journey):
    result = journey.run("--org", "env:NOBODY", "relay", "serve")
    assert result.code == 1
    assert "NOBODY_SF_" in result.err


def test_serve_names_the_missing_sign_in_together_with_all_other_missing_settings(journey):
    result = journey.run("--org", "env:NOBODY", "relay", "serve", "--host", "0.0.0.0")
    assert result.code == 1
    assert "\nNo sign-in method is configured for env:NOBODY. Set one of these groups" in result.err
    assert {"SFCODE_RELAY_WEBHOOK_SECRET", "SFCODE_RELAY_ADMIN_TOKEN"} <= set(
        re.findall(r"^\w+(?=:)", result.err, re.MULTILINE)
    )


def test_serve_names_a_port_in_use(journey):
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        words = ("relay", "serve", "--port", str(listener.getsockname()[1]))
        result = journey.run(*words)
        (line,) = journey.run(*words, "--json").out.splitlines()
        assert json.loads(line)["name"] == "UsageError", "where the line of a relay that is ready would be"
    assert result.code == 1
    assert "--port" in result.err


def test_serve_refuses_a_lease_that_is_too_short_for_a_delivery(journey):
    from sfcode.cli.relay.serve import SHORTEST_LEASE
    from sfcode.relay.appcues import writer as appcues
    from sfcode.relay.salesforce import calls, writer

    assert max(writer.MARGIN + calls.SHORTEST, appcues.MARGIN) + 1 < SHORTEST_LEASE
    result = journey.run("relay", "serve", "--lease", "3")
    assert result.code == 1
    assert "--lease" in result.err


def test_points_in_time_are_parsed():
    from datetime import UTC, datetime, timedelta

    from sfcode.cli.relay.selection import moment

    now = datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert moment(None, now) is None
    assert moment("90m", now) == now - timedelta(minutes=90)
    assert moment("2026-11-23T17:00", now) == now
    assert moment("2026-11-23T18:00+01:00", now) == now
    for wrong in ("", "m", "-1h", "1w", "9999999d", "999999d", "0001-01-01T00:00+14:00", "²d"):
        with pytest.raises(UsageError):
            moment(wrong, now)


def test_the_help_of_the_relay_imports_nothing_heavy(root: Path):
    from tests.test_startup import HEAVY, imported_by

    assert sorted(imported_by(root, "relay", "serve", "--help") & (HEAVY | {"structlog", "psycopg", "httpx2"})) == []
