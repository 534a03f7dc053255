"""`sfcode relay show`, `discard`, `pause`, `resume`, `audit` and `tail`, and lists with times in the reader's zone."""

from __future__ import annotations

import getpass
import re
import socket
import time
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from sfcode.cli.relay import VERBS
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.message import AttemptedWrite, Delivered, Delivery, InboxMessage, Parked
from sfcode.relay.result_types import RESULTS
from tests.e2e.journey import Journey
from tests.json_output import check_relay_output

CONTACT = "003000000000001AAA"
WHO = f"{getpass.getuser()}@{socket.gethostname()}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    return Journey.start(tmp_path_factory.mktemp("project"))


@pytest.fixture
def inbox(home: Journey):
    """Return an empty inbox of one project for all tests."""
    path = home.folder / ".sfcode" / "relay.db"
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)
    with open_inbox(f"sqlite:///{path}") as inbox:
        yield inbox


def message(number: int, **changes) -> InboxMessage:
    payload = {"event": {"score": 9, "feedback": "secret words"}, "user_id": f"person{number}@example.com"}
    values = {"source": "appcues", "kind": "appcues:nps_score", "payload": payload, **changes}
    return InboxMessage(message_id=f"m{number}", key=f"user:person{number}@example.com", **values)


def deliver(inbox: Inbox, end, *writes: AttemptedWrite) -> None:
    claim = inbox.claim("appcues", limit=10, per_key=1, lease=60)
    ids = [message.id for message in claim.messages]
    inbox.settle(
        claim, Delivery(dict.fromkeys(ids, end), writes=dict.fromkeys(ids, writes), seconds=0.5), lambda *_: None
    )


def ids(inbox: Inbox) -> list[int]:
    return [entry.id for entry in inbox.page(Filter())]


def test_show_prints_the_history_from_receipt_to_record(home, inbox):
    inbox.accept([message(1, request_id="r-77")])
    inbox.remember("instance_url", "https://example.my.salesforce.com")
    write = AttemptedWrite("update", "Contact", ("NPS_Score__c",), "ok", "", CONTACT)
    refused = AttemptedWrite(
        "upsert", "Task", ("Subject",), "ODD_CODE", "No such thing", "", "Event_Id__c", "m1:contact:nps"
    )
    deliver(inbox, Parked("unknown_user", "nobody in contact has this ID"), write, refused)
    text = home.run("relay", "show", str(*ids(inbox)), "--utc").out
    assert "Message 1: appcues:nps_score, Appcues -> Salesforce, parked unknown_user" in text
    assert "Received from a webhook of Appcues" in text
    assert "request r-77" in text
    assert "Parked after 0.50 s: unknown_user: nobody in contact has this ID" in text
    assert f"update Contact {CONTACT}: NPS_Score__c -> ok" in text
    assert "upsert Task Event_Id__c = m1:contact:nps: Subject -> ODD_CODE (No such thing)" in text
    assert f"https://example.my.salesforce.com/{CONTACT}" in text
    assert "meaning    no record in Salesforce has this user ID" in text
    assert "Enter the user ID on the contact or lead" in text
    assert "person1" not in text
    assert "secret words" not in text
    assert "secret words" in home.run("relay", "show", "1", "--payload").out


def test_show_prints_json(home, inbox):
    inbox.accept([message(1), message(2)])
    deliver(inbox, Delivered(), AttemptedWrite("update", "Contact", ("NPS_Score__c",), "ok", "", CONTACT))
    inbox.replay(Filter(state="done"), "ann@host")
    story = home.run("--json", "relay", "show", "1").json["result"]
    assert (story["state"], story["origin"]) == ("ready", "a webhook of Appcues")
    assert story["next_at"] == story["due_at"]
    assert story["records"] == [{"id": CONTACT, "url": None}]
    attempt, replayed = story["history"]
    assert (attempt["event"], attempt["outcome"], attempt["seconds"]) == ("attempted", "done", 0.5)
    assert attempt["writes"][0]["record_id"] == CONTACT
    assert (replayed["event"], replayed["who"]) == ("replayed", "ann@host")
    missing = home.run("relay", "show", "4711")
    assert (missing.code, "No message has the ID 4711." in missing.err) == (1, True)


def test_the_json_results_fit_their_schemas(home, inbox):
    inbox.accept([message(1, parked="unknown_user"), message(2)])
    deliver(inbox, Delivered(), AttemptedWrite("update", "Contact", ("NPS_Score__c",), "ok", "", CONTACT))
    for words in (
        ("list",),
        ("list", "--payload"),
        ("show", "2"),
        ("show", "2", "--payload"),
        ("pause", "contact"),
        ("resume", "contact"),
        ("replay", "1"),
        ("discard", "1", "--state", "ready"),
        ("audit",),
    ):
        assert home.run("--json", "relay", *words).json["status"] == 0  # other tests check the results
    envelope = {"status": 0, "result": {"messages": 1, "dry_run": False}, "warnings": []}
    check_relay_output("replay", envelope)
    with pytest.raises(jsonschema.ValidationError):
        check_relay_output("replay", {**envelope, "result": {**envelope["result"], "surprise": 1}})


def test_a_list_that_ends_early_names_the_option_to_continue(home, inbox, monkeypatch):
    for numbers in (
        (1,),
        (2, 3),
        (4,),
        (5,),
        (6,),
    ):  # 2 and 3 have the same time of receipt, at which a page ends
        parked = {2: "unknown_user"}
        inbox.accept([message(number, payload={"user_id": "ann"}, parked=parked.get(number, "")) for number in numbers])
    for name, value in (("walk.FEW", ()), ("search.FIRST", 1), ("search.AT_ONCE", 2), ("search.MOST_LOOKED_AT", 4)):
        monkeypatch.setattr(f"sfcode.relay.inbox.{name}", value)
    words = ("relay", "list", "--user", "ann", "--state", "parked", "--limit", "1")
    first = home.run("--json", *words).json
    (warning,) = first["warnings"]
    assert first["result"] == []
    assert home.run(*words).out == f"{warning}\n"
    until = re.search(r"Pass --until (\S+) to search older ones", warning)[1]
    rest = home.run("--json", *words, "--until", until).json
    assert [entry["message_id"] for entry in rest["result"]] == ["m2"]
    assert rest["warnings"] == []


def test_the_result_of_every_verb_is_described():
    assert set(RESULTS) == set(VERBS) - {"serve"}


def test_messages_of_a_record_are_found_by_its_short_id_too(home, inbox):
    inbox.accept([message(1), message(2, source="salesforce", payload={"record": {"Id": CONTACT}})])
    for record in (CONTACT, CONTACT[:15]):
        messages = home.run("--json", "relay", "list", "--record", record).json["result"]
        assert [entry["message_id"] for entry in messages] == ["m2"]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch):
    """Set the time zone of this process to five and a half hours ahead of UTC."""
    monkeypatch.setenv("TZ", "XYZ-5:30")
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_times_are_in_the_zone_of_the_reader(home, inbox):
    inbox.accept([message(1)])
    received = inbox.page(Filter())[0].received_at
    local, utc = home.run("relay", "list").out, home.run("relay", "list", "--utc").out
    assert "RECEIVED (UTC)" in utc
    assert f"{received:%Y-%m-%d %H:%M:%S}" in utc
    assert "RECEIVED (XYZ)" in local
    assert f"{received + timedelta(hours=5, minutes=30):%Y-%m-%d %H:%M:%S}" in local


def test_discard_asks_for_approval_and_records_its_user(home, inbox):
    inbox.accept([message(number, parked="unknown_user") for number in (1, 2)])
    counted = home.run("relay", "discard", "--reason", "unknown_user", "--dry-run")
    assert counted.out == "2 messages would be discarded.\n"
    refused = home.run("relay", "discard", "--reason", "unknown_user")
    assert (refused.code, "Pass --yes to discard" in refused.err) == (1, True)
    assert inbox.stats().count("parked") == 2
    assert home.run("relay", "discard", "--reason", "unknown_user", "--yes").out == "2 messages were discarded.\n"
    assert home.run("relay", "discard", "1", "--state", "ready").out == "0 messages were discarded.\n"
    assert home.run("relay", "discard", "1", "--state", "done").code == 1
    assert home.run("relay", "discard").code == 1
    (second, first) = home.run("--json", "relay", "audit").json["result"]
    assert (first["who"], first["action"], first["number"]) == (WHO, "discard", 2)
    assert first["selection"] == {"reason": "unknown_user"}
    assert (second["selection"], second["number"]) == ({"ids": [1], "state": "ready"}, 0)
    header, line, _ = home.run("relay", "audit").out.splitlines()
    assert header.split()[0] == "ID"
    assert "discard" in line


def test_a_change_whose_messages_are_not_all_counted_asks_and_reports_it(home, inbox, monkeypatch):
    inbox.accept([message(number, parked="unknown_user") for number in (1, 2)])
    monkeypatch.setattr("sfcode.relay.inbox.search.MOST_LOOKED_AT", 0)
    monkeypatch.setattr("sfcode.relay.inbox.search.AT_ONCE", 1)
    choice = ("--user", "person1@example.com", "--state", "dead")
    assert "Pass --yes to discard" in home.run("relay", "discard", *choice).err
    assert (
        home.run("relay", "discard", "--user", "person1@example.com", "--dry-run").out
        == "1 message or more would be discarded.\n"
    )
    answer = home.run("--json", "relay", "discard", *choice, "--dry-run").json
    assert answer["result"] == {"messages": 0, "dry_run": True}
    assert answer["warnings"] == ["Not all messages were counted: more may be discarded."]
    inbox.begin_change("replay", Filter(subject="user:person1@example.com"), "ann")
    assert "0 of 1 or more messages" in home.run("relay", "status").out


def test_a_running_bulk_change_is_in_the_status(home, inbox):
    inbox.accept([message(number, parked="unknown_user") for number in (1, 2)])
    id_ = inbox.begin_change("replay", Filter(reason="unknown_user"), "ann")
    assert re.search(
        r"^Replay under way: 0 of 2 messages, by ann, for .*; stopped, since no relay process is working on it$",
        home.run("relay", "status").out,
        re.MULTILINE,
    )
    (change,) = home.run("--json", "relay", "status").json["result"]["changes"]
    assert (change["id"], change["action"], change["who"]) == (id_, "replay", "ann")
    assert (change["done"], change["total"], change["is_total_partial"]) == (0, 2, False)
    inbox.bulk_changes.stop(id_, "ann")
    assert home.run("--json", "relay", "status").json["result"]["changes"] == []


def test_a_mapping_and_a_direction_are_paused_and_resumed(home, inbox):
    assert home.run("relay", "pause", "contact").out == "Mapping contact: paused.\n"
    for name in ("contact", "Contact"):
        assert home.run("relay", "pause", name).out == f"Mapping contact: paused already, by {WHO}.\n"
    assert home.run("--json", "relay", "pause", "--to", "appcues").json["result"]["changed"] is True
    text = home.run("relay", "status").out
    assert re.search(rf"Paused: mapping contact for \d+ s, by {re.escape(WHO)}", text)
    assert "Paused: deliveries to Appcues for" in text
    paused = home.run("--json", "relay", "status").json["result"]["paused"]
    assert [(entry["scope"], entry["name"], entry["who"]) for entry in paused] == [
        ("mapping", "contact", WHO),
        ("direction", "appcues", WHO),
    ]
    assert home.run("relay", "resume", "contact").out == "Mapping contact: resumed.\n"
    assert home.run("relay", "resume", "--to", "appcues").out == "Deliveries to Appcues: resumed.\n"
    assert inbox.pauses() == ()


def test_a_pause_ends_by_the_name_of_its_mapping_in_any_case(home, inbox):
    inbox.pause("mapping", "contact", "ann@host")
    assert home.run("relay", "resume", "Contact").out == "Mapping Contact: resumed.\n"
    assert inbox.pauses() == ()


@pytest.mark.parametrize(
    "arguments", [("pause",), ("pause", "nothing"), ("pause", "contact", "--to", "appcues"), ("resume", "contact")]
)
def test_an_unknown_mapping_cannot_be_paused_and_an_unpaused_one_not_resumed(home, inbox, arguments):
    result = home.run("relay", *arguments)
    assert result.code == 1
    assert inbox.audit_lines() == ()


def test_tail_stops_after_its_time_and_shows_only_new_messages(home, inbox):
    inbox.accept([message(1)])
    result = home.run("relay", "tail", "--for", "0")
    assert (result.code, result.out) == (0, "")
