"""
The history of a message: its receipt, each attempt, and actions of people, as lines of JSON in its row.

It is a column and not a table: the statement that settles the message writes it, it needs no index, and it is deleted
with the row. It contains names and IDs of fields and records, never a value.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from json.encoder import encode_basestring
from typing import Any, Literal, NamedTuple, get_args

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.column_types import format_time
from sfcode.relay.message import AttemptedWrite, InboxMessage

FIRST = 5
LAST = 15
"""The numbers of attempts of a message that are kept: the first ones and the last ones."""
MOST_WRITES = 10
MOST_FIELDS = 30
"""The numbers of writes of an attempt, and of fields of a write, that are kept."""
LONGEST_TEXT = 300

EventName = Literal["received", "attempted", "replayed", "discarded", "left_out"]

EVENTS: tuple[EventName, ...] = get_args(EventName)

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """An event in the history of a message."""

    event: EventName
    at: datetime | None = None
    """The time at which the event ended; None for the line that counts omitted attempts, and for a stored receipt, whose row has its time."""
    seconds: float | None = None
    """The duration of the attempt's batch in seconds."""
    outcome: str = ""
    """The outcome of an attempt: `done`, `parked`, `dead`, or `retry`."""
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None
    """The time at which the message is retried."""
    writes: tuple[AttemptedWrite, ...] = ()
    who: str = ""
    """The person who replayed or discarded the message."""
    request_id: str = ""
    """The ID of the request that delivered the message to the relay."""
    number: int = 0
    """The number of omitted writes or attempts."""


def begin(message: InboxMessage) -> str:
    """Return the history of a new message."""
    receipt = {"request": message.request_id, "trace": message.traceparent}
    return _line({"event": "received", **receipt}) if any(receipt.values()) else ""


def read_traceparent(history: str) -> str:
    """Return the traceparent of the request with which a message was received; "" if it had none."""
    trace = _parse(history.partition("\n")[0]).get("trace", "")
    return trace if isinstance(trace, str) else ""


class AttemptHead(NamedTuple):
    """The common part of the attempts of a batch with the same outcome."""

    at: str
    """The time at which the attempt ended, as a stored time."""
    seconds: float
    outcome: str
    reason: str
    detail: str
    due: str | None
    """The time at which the next attempt is due, as a stored time."""
    number: int
    """The number of omitted writes."""


def render_attempt(head: AttemptHead, writes: Sequence[AttemptedWrite]) -> str:
    """Return the history line of an attempt with its writes."""
    start = _render_head(head)
    if not writes:
        return f"{start}}}\n"
    return f'{start},"writes":[{",".join(map(_render_write, writes[:MOST_WRITES]))}]}}\n'


@functools.lru_cache(256)
def _render_head(head: AttemptHead) -> str:
    """Return the common beginning of the history lines of attempts."""
    document = head._asdict() | {
        "seconds": round(head.seconds, 3),
        "detail": head.detail[:LONGEST_TEXT],
        "number": max(0, head.number - MOST_WRITES),
    }
    return _line({"event": "attempted", **document})[:-2]


def render_act(event: EventName, at: datetime, who: str) -> str:
    """Return the history line of a person's action."""
    return _line({"event": event, "at": format_time(at), "who": who})


def extend(history: str, line: str) -> str:
    """Add a line to a history; if there are too many, those in the middle are omitted and counted."""
    if history.count("\n") < FIRST + LAST:
        return f"{history}{line}"
    lines = f"{history}{line}".splitlines(keepends=True)
    first, rest, count = lines[:FIRST], lines[FIRST:], 0
    if (marker := _parse(rest[0])).get("event") == "left_out":
        number = marker.get("number")
        count, rest = number if isinstance(number, int) else 0, rest[1:]
    count += len(rest) - LAST
    return "".join([*first, _line({"event": "left_out", "number": count}), *rest[-LAST:]])


def parse(history: str, shift: timedelta = timedelta()) -> tuple[HistoryEvent, ...]:
    """Parse a history, the oldest event first; `shift` is added to its times. Damaged lines are skipped."""
    events = []
    for line in history.split("\n"):
        try:
            event = _event(_parse(line), shift)
        except (AttributeError, TypeError, ValueError):
            continue
        events += [event] if event else []
    return tuple(events)


def _event(document: dict[str, Any], shift: timedelta) -> HistoryEvent | None:
    if document.get("event") not in EVENTS:
        return None
    return HistoryEvent(
        document["event"],
        at=_read_time(document.get("at"), shift),
        seconds=float(document["seconds"]) if "seconds" in document else None,
        outcome=str(document.get("outcome", "")),
        reason=str(document.get("reason", "")),
        detail=str(document.get("detail", "")),
        due_at=_read_time(document.get("due"), shift),
        writes=tuple(_read_writes(document.get("writes", ()))),
        who=str(document.get("who", "")),
        request_id=str(document.get("request", "")),
        number=int(document.get("number", 0)),
    )


def _render_write(write: AttemptedWrite) -> str:
    """Return a write as JSON. The part without IDs is cached, since most messages of a batch share it."""
    head = _render_names((write.verb, write.object, write.status, write.text, write.key), write.fields)
    record = f',"record":{encode_basestring(write.record_id)}' if write.record_id else ""
    external = f',"id":{encode_basestring(write.external_id)}' if write.external_id else ""
    return f"{head}{record}{external}}}"


@functools.lru_cache(1024)
def _render_names(texts: tuple[str, str, str, str, str], fields: tuple[str, ...]) -> str:
    verb, object_, status, text, key = texts
    names = {"verb": verb, "object": object_, "fields": fields[:MOST_FIELDS], "status": status}
    return _line(names | {"text": text[:LONGEST_TEXT], "key": key})[:-2]


def _read_writes(documents: Iterable[dict[str, Any]]) -> Iterable[AttemptedWrite]:
    for document in documents:
        texts = {
            name: str(document.get(name, "")) for name in ("verb", "object", "status", "text", "record", "key", "id")
        }
        yield AttemptedWrite(
            texts["verb"],
            texts["object"],
            tuple(map(str, document.get("fields", ()))),
            texts["status"],
            texts["text"],
            texts["record"],
            texts["key"],
            texts["id"],
        )


def _line(document: dict[str, Any]) -> str:
    return f"{_encode({name: value for name, value in document.items() if value})}\n"


def _parse(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _read_time(text: Any, shift: timedelta) -> datetime | None:
    return datetime.fromisoformat(text) + shift if text else None
