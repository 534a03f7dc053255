"""The story of one message: its receipt, each attempt, the written records, and the next attempt."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.reasons import explain_reason
from sfcode.relay.report import DIRECTIONS, message_document, stamp
from sfcode.text import printable

if TYPE_CHECKING:
    from sfcode.relay.inbox import HistoryEvent, StoredMessage
    from sfcode.relay.message import AttemptedWrite

ORIGINS = {
    "message": "an outbound message of Salesforce",
    "backfill": "a backfill",
    "reconcile": "a reconcile",
    "refresh": "a refresh",
    "load": "a load of past answers",
}
"""Descriptions by the `origin` of a payload."""
_RECORD_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")

FormatTime = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step of a story: a sentence, with details."""

    at: datetime | None
    text: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordLink:
    """A record that a message concerns or was written to."""

    id: str
    url: str
    """The URL in Salesforce; "" for an external ID, or before the relay has signed in."""


@dataclass(frozen=True, slots=True)
class MessageStory:
    """A message with its history, for a person on call."""

    stored: StoredMessage
    origin: str
    """A description of where the message came from."""
    steps: tuple[StoryStep, ...]
    records: tuple[RecordLink, ...]
    meaning: str
    """The meaning of its reason; "" without a reason."""
    hint: str
    """What to do about the reason."""
    next_at: datetime | None
    """The time at which the message is due; None if it is finished."""


def tell_story(stored: StoredMessage, instance_url: str | None) -> MessageStory:
    """Return the story of a message; `instance_url` is the URL of the org, if known."""
    entry = stored.entry
    origin = describe_origin(stored)
    request = next((event.request_id for event in stored.history if event.request_id), "")
    receipt = StoryStep(entry.received_at, f"Received from {origin}", (f"request {request}",) if request else ())
    steps = [receipt, *(_step(event) for event in stored.history if event.event != "received")]
    meaning, hint = explain_reason(entry.reason)
    return MessageStory(
        stored,
        origin,
        tuple(steps),
        tuple(RecordLink(id_, link_record(id_, instance_url)) for id_ in stored.records),
        meaning,
        hint,
        entry.due_at if entry.state == "ready" else None,
    )


def describe_origin(stored: StoredMessage) -> str:
    """Describe where a message came from."""
    entry = stored.entry
    words = ORIGINS.get(str(entry.payload.get("origin", "")))
    return words or ("a webhook of Appcues" if entry.source == "appcues" else "Salesforce")


def link_record(id_: str, instance_url: str | None) -> str:
    """Return the URL of a record; "" if the ID is not a Salesforce ID, or if the org's URL is unknown."""
    return f"{instance_url.rstrip('/')}/{id_}" if instance_url and _RECORD_ID.fullmatch(id_) else ""


def describe_write(write: AttemptedWrite) -> str:
    """Return one line about a write and its outcome."""
    ids = [write.record_id, f"{write.key} = {write.external_id}" if write.external_id else ""]
    target = " ".join([write.verb, write.object, *filter(None, ids)])
    fields = f": {', '.join(write.fields)}" if write.fields else ""
    text = f" ({write.text})" if write.text else ""
    return f"{target}{fields} -> {write.status}{text}"


def _step(event: HistoryEvent) -> StoryStep:
    if event.event == "left_out":
        return StoryStep(None, f"{event.number:,} more events are not kept")
    if event.event in ("replayed", "discarded"):
        return StoryStep(event.at, f"{event.event.capitalize()} by {event.who or 'unknown'}")
    ends = {"done": "Delivered", "parked": "Parked", "dead": "Given up", "retry": "Failed, will be retried"}
    duration = f" after {event.seconds:.2f} s" if event.seconds is not None else ""
    cause = ": ".join(filter(None, (event.reason, event.detail)))
    more = (f"and {event.number:,} more",) if event.number else ()
    lines = (*map(describe_write, event.writes), *more)
    return StoryStep(
        event.at, f"{ends.get(event.outcome, event.outcome)}{duration}{f': {cause}' if cause else ''}", lines
    )


def render_story(story: MessageStory, format_time: FormatTime) -> list[str]:
    """Return a story as lines for a terminal."""
    entry = story.stored.entry
    reason = f" {entry.reason}" if entry.reason else ""
    lines = [f"Message {entry.id}: {entry.kind}, {DIRECTIONS[entry.source]}, {entry.state}{reason}"]
    lines += [f"  ID         {entry.message_id}"]
    for record in story.records:
        lines.append(f"  record     {record.url or record.id}")
    if story.meaning:
        lines += [f"  meaning    {story.meaning}", f"  what to do {story.hint}"]
    lines.append("")
    for step in story.steps:
        lines.append(f"{format_time(step.at) if step.at else '':19}  {step.text}")
        lines += [f"{'':19}    {line}" for line in step.lines]
    if story.next_at:
        lines.append(f"{format_time(story.next_at):19}  Due again")
    return [printable(line) for line in lines]


def story_document(story: MessageStory, *, payload: bool) -> dict[str, Any]:
    """Return a story as JSON values."""
    return {
        **message_document(story.stored.entry, payload=payload),
        "origin": story.origin,
        "records": [{"id": record.id, "url": record.url or None} for record in story.records],
        "meaning": story.meaning,
        "hint": story.hint,
        "next_at": stamp(story.next_at),
        "history": [event_document(event) for event in story.stored.history],
    }


def event_document(event: HistoryEvent) -> dict[str, Any]:
    """Return an event of a message's history as JSON values."""
    return {
        "event": event.event,
        "at": stamp(event.at),
        "seconds": event.seconds,
        "outcome": event.outcome,
        "reason": event.reason,
        "detail": event.detail,
        "due_at": stamp(event.due_at),
        "writes": _write_documents(event.writes),
        "left_out": event.number,
        "who": event.who,
        "request_id": event.request_id,
    }


def _write_documents(writes: Sequence[AttemptedWrite]) -> list[dict[str, Any]]:
    return [
        {
            "verb": write.verb,
            "object": write.object,
            "fields": list(write.fields),
            "status": write.status,
            "text": write.text,
            "record_id": write.record_id,
            "key": write.key,
            "external_id": write.external_id,
        }
        for write in writes
    ]
