"""The history of a message: its events, within limits, as long as the message exists."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, HistoryEvent, Inbox, StoredMessage, history
from sfcode.relay.message import AttemptedWrite, Claim, Delivered, Delivery, InboxMessage, Parked, Retry, Settlement
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import message, never, take

CONTACT = "003000000000001AAA"
TASK = AttemptedWrite(
    "upsert", "Task", ("Subject", "WhoId"), "ok", "", "00T000000000001AAA", "Event_Id__c", "sha256-1:a"
)
REFUSED = AttemptedWrite("update", "Contact", ("NPS__c",), "INVALID_FIELD", "No such column", CONTACT, "Id")


def deliver(inbox: Inbox, claim: Claim, end: Settlement, *writes: AttemptedWrite, delay: float | None = None) -> None:
    ids = [message.id for message in claim.messages]
    delivery = Delivery(dict.fromkeys(ids, end), writes=dict.fromkeys(ids, writes), seconds=0.25)
    wait = None if delay is None else timedelta(seconds=delay)
    assert inbox.settle(claim, delivery, lambda _, __: wait) == len(ids)


def only(inbox: Inbox) -> StoredMessage:
    (entry,) = inbox.page(Filter())
    stored = inbox.find(entry.id)
    assert stored is not None
    assert stored.entry == entry
    return stored


def test_each_attempt_is_recorded_with_its_calls_and_results(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1, request_id="r-1")])
    deliver(inbox, take(inbox), Retry("INVALID_FIELD: No such column"), REFUSED, delay=30)
    elapse(40)
    deliver(inbox, take(inbox), Delivered("note"), TASK)
    stored = only(inbox)
    received, first, second = stored.history
    assert (received.event, received.request_id) == ("received", "r-1")
    assert (first.event, first.outcome, first.detail) == ("attempted", "retry", "INVALID_FIELD: No such column")
    assert (first.seconds, first.writes, first.number) == (0.25, (REFUSED,), 0)
    assert first.at is not None
    assert first.due_at == first.at + timedelta(seconds=30)
    assert (second.outcome, second.detail, second.due_at, second.writes) == ("done", "note", None, (TASK,))
    assert second.at is not None
    assert first.at < second.at == stored.entry.finished_at
    assert stored.records == tuple(sorted([CONTACT, "00T000000000001AAA", "sha256-1:a"]))


def test_a_message_that_is_parked_or_given_up_has_its_reason(inbox: Inbox) -> None:
    inbox.accept([message(1, "user:1"), message(2, "user:2")])
    claim = take(inbox)
    ends: dict[int, Settlement] = {claim.messages[0].id: Parked("unknown_user", "x"), claim.messages[1].id: Retry("y")}
    inbox.settle(claim, Delivery(ends), never)
    stored_messages = [inbox.find(message.id) for message in claim.messages]
    assert [
        (event.outcome, event.reason, event.detail) for stored in stored_messages if stored for event in stored.history
    ] == [
        ("parked", "unknown_user", "x"),
        ("dead", "gave_up", "y"),
    ]


def test_a_released_message_has_no_attempt(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    inbox.release(take(inbox))
    assert only(inbox).history == ()


def test_actions_on_a_message_are_recorded_with_the_operators_name(inbox: Inbox) -> None:
    inbox.accept([message(1, parked="odd")])
    inbox.replay(Filter(), "ann@host")
    inbox.replay(Filter(state="ready"), "bob@host")
    inbox.discard(Filter(state="ready"), "carl@host")
    events = only(inbox).history
    assert [(event.event, event.who) for event in events] == [
        ("replayed", "ann@host"),
        ("replayed", "bob@host"),
        ("discarded", "carl@host"),
    ]
    times = [event.at for event in events if event.at is not None]
    assert len(times) == 3
    assert times == sorted(times)


def test_only_the_first_and_last_attempts_are_kept(inbox: Inbox) -> None:
    inbox.accept([message(1, request_id="r-1")])
    total = history.FIRST + history.LAST + 7
    for number in range(total):
        deliver(inbox, take(inbox), Retry(f"try {number}", counts=False), REFUSED, delay=0)
    events = only(inbox).history
    assert [event.event for event in events[: history.FIRST]] == ["received", *["attempted"] * (history.FIRST - 1)]
    assert events[0].at == only(inbox).entry.received_at
    assert events[history.FIRST] == HistoryEvent("left_out", number=8)
    assert [event.detail for event in events[1 : history.FIRST]] == [f"try {n}" for n in range(history.FIRST - 1)]
    assert [event.detail for event in events[-history.LAST :]] == [
        f"try {n}" for n in range(total - history.LAST, total)
    ]
    assert len(events) == history.FIRST + 1 + history.LAST


def test_the_size_of_an_attempt_is_limited_for_any_response(inbox: Inbox) -> None:
    wide = AttemptedWrite("update", "Contact", tuple(f"Field_{n}__c" for n in range(500)), "ODD", "x" * 100_000)
    inbox.accept([message(1)])
    deliver(inbox, take(inbox), Retry("y" * 100_000), *[wide] * 500, delay=0)
    (event,) = only(inbox).history
    assert (len(event.writes), event.number) == (history.MOST_WRITES, 500 - history.MOST_WRITES)
    assert len(event.detail) == history.LONGEST_TEXT
    assert {(len(write.fields), len(write.text)) for write in event.writes} == {
        (history.MOST_FIELDS, history.LONGEST_TEXT)
    }
    with inbox._database.read() as tx:
        assert tx.db.scalar(sa.text("SELECT length(history) FROM relay_inbox")) < 20_000


def test_texts_of_the_far_side_are_read_back_unchanged(inbox: Inbox) -> None:
    text = 'a "b"\\ \u2028 \x00 \ud800 \n \u00e9'
    inbox.accept([message(1)])
    deliver(inbox, take(inbox), Retry(text), AttemptedWrite("set", "user profile", ("a b",), "400", text), delay=0)
    (event,) = only(inbox).history
    assert (event.detail, event.writes[0].text) == (text, text)


def test_one_attempt_too_many_is_omitted_and_counted() -> None:
    line, most = '{"event":"attempted"}\n', history.FIRST + history.LAST
    assert history.extend(line * (most - 1), line) == line * most
    events = history.parse(history.extend(line * most, line))
    assert events[history.FIRST] == HistoryEvent("left_out", number=1)
    assert len(events) == most + 1


@pytest.mark.parametrize("number", ['"x"', "null", "7"])
def test_a_damaged_count_of_omitted_attempts_begins_anew(number: str) -> None:
    lines = ['{"event":"attempted"}\n'] * (history.FIRST + history.LAST)
    lines.insert(history.FIRST, f'{{"event":"left_out","number":{number}}}\n')
    extended = history.parse(history.extend("".join(lines), lines[0]))
    assert extended[history.FIRST] == HistoryEvent("left_out", number=8 if number == "7" else 1)
    assert len(extended) == history.FIRST + 1 + history.LAST


def test_a_damaged_history_stops_neither_the_message_nor_the_rest_of_it(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    with inbox._database.write() as tx:
        lines = (
            '{"event":"attempted","seconds":"x"}\nno JSON\n{"event":"odd"}\n[1]\n{"event":"attempted","writes":[1]}\n'
            '{"event":"attempted","writes":1}\n'
        )
        tx.db.execute(sa.text("UPDATE relay_inbox SET history = :lines"), {"lines": lines})
    deliver(inbox, take(inbox), Delivered())
    assert [event.outcome for event in only(inbox).history] == ["done"]


@pytest.mark.parametrize(
    ("text", "traceparent"),
    [
        ('{"event":"received","trace":"00-ab-cd-01"}\n{"event":"attempted","trace":"other"}\n', "00-ab-cd-01"),
        ('{"event":"attempted"}\n{"trace":"00-ab-cd-01"}\n', ""),
        ('{"trace":7}\n', ""),
        ("[7]\n", ""),
        ("{\n", ""),
        ("", ""),
    ],
)
def test_the_traceparent_is_that_of_the_receipt_and_a_damaged_one_is_none(text: str, traceparent: str) -> None:
    assert history.read_traceparent(text) == traceparent


def test_a_claimed_message_has_the_traceparent_of_its_request(inbox: Inbox) -> None:
    inbox.accept([message(1, traceparent="00-ab-cd-01")])
    (claimed,) = take(inbox).messages
    assert history.read_traceparent(claimed.history) == "00-ab-cd-01"


def record_message(number: int, record: str, **changes: object) -> InboxMessage:
    return message(number, source="salesforce", payload={"number": number, "record": {"Id": record}}, **changes)


def find_ids(inbox: Inbox, record: str, **conditions: object) -> list[int]:
    choice = Filter(record=record, **conditions)  # type: ignore[arg-type]
    return [entry.payload["number"] for entry in inbox.page(choice)]


def test_messages_are_found_by_the_records_that_they_are_about_or_were_written_to(inbox: Inbox) -> None:
    inbox.accept(
        [record_message(1, CONTACT), record_message(2, CONTACT, parked="no_user_id"), record_message(3, "003B")]
    )
    inbox.accept([message(4), message(5, "user:2")])
    deliver(inbox, take(inbox), Delivered(), TASK, REFUSED)
    assert find_ids(inbox, CONTACT) == [5, 4, 2, 1]
    assert find_ids(inbox, CONTACT, source="salesforce") == [2, 1]
    assert find_ids(inbox, CONTACT, state="parked") == [2]
    assert find_ids(inbox, CONTACT, subject="user:2") == [5]
    assert find_ids(inbox, "sha256-1:a") == [5, 4]
    assert find_ids(inbox, "003") == []
    first = inbox.page(Filter(record=CONTACT), limit=3)
    assert [entry.payload["number"] for entry in inbox.page(Filter(record=CONTACT), 3, first[-1])] == [1]
    assert inbox.count(Filter(record=CONTACT)).number == 1
    assert inbox.replay(Filter(record=CONTACT)) == 1


@pytest.mark.parametrize("removal", ["purge", "forget", "replace", "by hand"])
def test_records_go_with_their_message(inbox: Inbox, removal: str) -> None:
    inbox.accept([record_message(1, CONTACT, parked="odd"), record_message(2, "003B", parked="kept", key="user:2")])
    id_ = inbox.page(Filter(reason="odd"))[0].id
    if removal == "purge":
        with inbox._database.write() as tx:
            tx.db.execute(sa.text("UPDATE relay_inbox SET state = 'dead' WHERE reason = 'odd'"))
        inbox.purge({"dead": timedelta()})
    elif removal == "forget":
        inbox.forget(inbox.find_person("1", []), {}, "ann")
    elif removal == "replace":
        inbox.replace(id_, [])
    else:
        with inbox._database.write() as tx:
            tx.db.execute(sa.text("DELETE FROM relay_inbox WHERE reason = 'odd'"))
    with inbox._database.read() as tx:
        assert tx.db.scalars(sa.text("SELECT record FROM relay_records")).all() == ["003B"]
