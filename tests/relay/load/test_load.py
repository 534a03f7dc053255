"""Past answers from an export: accepted rows, problems of other rows, and memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.config.events_file import default_events
from sfcode.relay.load.answers import AnswerReader
from sfcode.relay.load.load import AT_ONCE, LoadResult, load_answers
from sfcode.relay.load.rows import ExportRow, read_rows
from sfcode.relay.message import InboxMessage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIME = "2025-03-01T09:30:00Z"


def load(text: str, *, columns: dict[str, str] | None = None) -> tuple[LoadResult, list[InboxMessage]]:
    stored: list[InboxMessage] = []

    def accept(messages: Sequence[InboxMessage]) -> int:
        stored_ids = {message.message_id for message in stored}
        new = {message.message_id: message for message in messages if message.message_id not in stored_ids}
        stored.extend(new.values())
        return len(new)

    reader = AnswerReader(default_events(), NOW, columns or {})
    return load_answers(read_rows(io.StringIO(text, newline="")), reader, accept, lambda _: None), stored


def attributes(message: InboxMessage) -> dict[str, Any]:
    event_attributes: dict[str, Any] = message.payload["event"]["attributes"]
    return event_attributes


ROW = {"score": 9, "feedback": "Größe, ok", "flowName": "Q1", "flowId": "s-1", "currentPageUrl": "https://a/b"}
AS_CSV = [
    f'user_id,timestamp,score,feedback,flowName,flowId,currentPageUrl\nu1,{TIME},9,"Größe, ok",Q1,s-1,https://a/b\n',
    (
        "User ID;Answered at;NPS Score;NPS Feedback;Survey;Survey ID;Page\r\n"
        f"u1;{TIME};9.0;Größe, ok;Q1;s-1;https://a/b\r\n"
    ),
    (
        "name,source,timestamp,user_id,attributes_score,attributes_feedback,attributes_flowName,attributes_flowId,attributes__identity__currentPageUrl\n"
        'appcues:nps_score_and_feedback,web,1740821400000,u1,9,"Größe, ok",Q1,s-1,https://a/b\n'
    ),
]
EVENT = {
    "name": "appcues:nps_score",
    "timestamp": TIME,
    "user_id": "u1",
    "attributes": {
        "score": 9,
        "feedback": "Größe, ok",
        "flowName": "Q1",
        "flowId": "s-1",
        "_identity": {"_currentPageUrl": "https://a/b"},
    },
}
AS_JSON = [
    json.dumps(EVENT),
    json.dumps(EVENT) + "\n\n" + json.dumps(EVENT) + "\n",
    json.dumps([EVENT, EVENT]),
    json.dumps([EVENT, EVENT], indent=2),
]


@pytest.mark.parametrize("text", [*AS_CSV, *AS_JSON])
def test_an_export_in_any_form_gives_the_same_answer(text: str) -> None:
    result, (message,) = load(text)
    assert (result.new, result.bad, result.first) == (1, 0, "2025-03-01T09:30:00.000Z")
    assert (message.source, message.key, message.kind) == ("appcues", "user:u1", "appcues:nps_score_and_feedback")
    assert message.payload["origin"] == "load"
    assert message.payload["timestamp"] == "2025-03-01T09:30:00.000Z"
    assert attributes(message) == ROW


def test_a_file_that_is_loaded_again_adds_nothing() -> None:
    rows = "user_id,time,score\n" + "".join(f"u{n},{TIME},{n % 11}\n" for n in range(1200))
    twice = rows + rows.partition("\n")[2]
    result, stored = load(twice)
    assert (result.rows, result.answers, result.new) == (2400, 2400, 1200)
    assert len(stored) == 1200


BAD = [
    ("u1,2025-03-01T09:30:00Z,eleven,", "has a score that is not a whole number from 0 to 10"),
    ("u1,2025-03-01T09:30:00Z,11,", "has a score that is not a whole number from 0 to 10"),
    ("u1,2025-03-01T09:30:00Z,9.5,", "has a score that is not a whole number from 0 to 10"),
    (",2025-03-01T09:30:00Z,9,", "has no user ID"),
    ("u1,,9,", "has no time"),
    ("u1,yesterday,9,", "has a time that cannot be read"),
    ("u1,2027-03-01T09:30:00Z,9,", "has a time in the future"),
    ("u1,1999-03-01T09:30:00Z,9,", "has a time before 2010"),
    ("u1,2025-03-01T09:30:00Z,,", "has neither a score nor feedback"),
    ("u1,2025-03-01T09:30:00Z,9,\ufffd", "contains bytes that are not UTF-8"),
    ("u1,2025-03-01T09:30:00Z,9,a,b", "has 5 cells, and the header has 4"),
]


def test_each_bad_row_is_named_by_its_line_and_the_others_are_loaded() -> None:
    good = 'u1,2025-03-01T09:30:00Z,9,"two\nlines"'
    lines = ["user_id,time,score,feedback", good, *(row for row, _ in BAD), good.replace("u1", "u2"), ""]
    result, stored = load("\n".join(lines))
    assert [(bad.line, bad.problem) for bad in result.bad_rows] == [
        (number, problem) for number, (_, problem) in enumerate(BAD, start=4)
    ]
    assert [message.key for message in stored] == ["user:u1", "user:u2"]


def test_invalid_json_is_reported_with_its_line() -> None:
    lines = [json.dumps(EVENT), "{broken", "7", json.dumps({**EVENT, "user_id": "u2"})]
    result, stored = load("\n".join(lines))
    assert [(bad.line, bad.problem) for bad in result.bad_rows] == [(2, "is not JSON"), (3, "is not a JSON object")]
    assert len(stored) == 2
    text = json.dumps([EVENT, EVENT], indent=1)
    cut = text[: text.rindex("score")]
    result, stored = load(cut)
    second = text[: text.index("},\n {")].count("\n") + 2
    assert [(bad.line, bad.problem) for bad in result.bad_rows] == [
        (second, "is not JSON; the rest of the file was not read")
    ]
    assert len(stored) == 1


def test_other_events_of_an_export_are_passed_over() -> None:
    events = [EVENT, {**EVENT, "name": "appcues:flow_completed"}, {**EVENT, "name": "nps_feedback", "user_id": "u3"}]
    result, stored = load("\n".join(map(json.dumps, events)))
    assert (result.other_events, result.bad, [message.key for message in stored]) == (1, 0, ["user:u1", "user:u3"])


def test_columns_of_other_names_are_named() -> None:
    text = f"who,when,grade\nu1,{TIME},7\n"
    assert [bad.problem for bad in load(text)[0].bad_rows] == ["has no user ID"]
    _, (message,) = load(text, columns={"user_id": "who", "timestamp": "when", "score": "grade"})
    assert attributes(message) == {"score": 7}


def test_an_export_is_stored_while_it_is_read() -> None:
    """Rows and answers are processed one by one: a million rows need no more memory than a few hundred."""
    read = 0
    waiting = []

    def rows() -> Iterator[ExportRow]:
        nonlocal read
        for read in range(1, 3001):
            yield ExportRow(read, {"user_id": f"u{read}", "time": TIME, "score": read % 11} if read % 3 else {})

    stored = 0

    def accept(messages: Sequence[InboxMessage]) -> int:
        nonlocal stored
        stored += len(messages)
        waiting.append(read - stored - (read // 3))
        assert len(messages) <= AT_ONCE
        return len(messages)

    result = load_answers(rows(), AnswerReader(default_events(), NOW, {}), accept, lambda _: None)
    assert (result.new, result.bad, len(result.bad_rows)) == (2000, 1000, 1000)
    assert len(waiting) == 4
    assert {*waiting} == {0}


READABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=5)
CELLS = st.text(alphabet='a,;"\n\t é', min_size=1, max_size=8)


@given(st.lists(CELLS, min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_feedback_with_separators_quotes_and_line_breaks_is_read_whole(texts: list[str], separator: str) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator)
    writer.writerow(["user_id", "timestamp", "score", "feedback"])
    for number, text in enumerate(texts):
        writer.writerow([f"u{number}", TIME, 9, text])
    result, stored = load(stream.getvalue())
    assert result.bad == 0
    assert [attributes(message).get("feedback", "") for message in stored] == [text.strip() for text in texts]


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), READABLE, max_size=3), max_size=6), st.booleans())
def test_a_json_array_is_read(objects: list[dict[str, str]], indented: bool) -> None:
    text = json.dumps(objects, indent=2 if indented else None)
    rows = list(read_rows(io.StringIO(text)))
    assert [row.values for row in rows] == [{k: v for k, v in expected.items() if v != ""} for expected in objects]
    assert [row.line for row in rows] == sorted(row.line for row in rows)
