"""The JSON documents of messages and of their changes, for `sfcode relay ... --json`. Times are UTC, in ISO 8601."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from sfcode.plan.document_types import described

SourceName = Literal["appcues", "salesforce"]
StateName = Literal["ready", "leased", "done", "parked", "dead"]


@described
class MessageDocument(TypedDict):
    """A message of the inbox, as `relay list` prints it."""

    id: int
    source: SourceName
    message_id: str
    """The ID from the sender."""
    kind: str
    """Name of the event, or of the mapping."""
    state: StateName
    reason: str
    """Why the message is parked, a dead letter, paused or discarded; otherwise empty."""
    detail: str
    attempts: int
    received_at: str
    due_at: str
    finished_at: str | None
    key: NotRequired[str]
    """With --payload: the key whose messages are delivered in order."""
    payload: NotRequired[dict[str, Any]]


@described
class RecordDocument(TypedDict):
    """A record that a message concerns or was written to."""

    id: str
    """The Salesforce ID, or an external ID."""
    url: str | None


@described
class WriteDocument(TypedDict):
    """A request to Salesforce or Appcues, and the outcome: names and IDs, never values."""

    verb: str
    object: str
    fields: list[str]
    status: str
    """`ok`, the error code, or the reason why there was no answer."""
    text: str
    record_id: str
    key: str
    external_id: str


@described
class EventDocument(TypedDict):
    """An event in the history of a message."""

    event: Literal["received", "attempted", "replayed", "discarded", "left_out"]
    at: str | None
    seconds: float | None
    outcome: str
    """The outcome of an attempt: done, parked, dead or retry."""
    reason: str
    detail: str
    due_at: str | None
    writes: list[WriteDocument]
    left_out: int
    """The number of writes or events that were left out."""
    who: str
    request_id: str


@described
class StoryDocument(MessageDocument):
    """A message with its history, as `relay show` prints it."""

    origin: str
    records: list[RecordDocument]
    meaning: str
    hint: str
    next_at: str | None
    history: list[EventDocument]


@described
class ChangeDocument(TypedDict):
    """A line of `relay tail`."""

    change: Literal["received", "ended"]
    at: str
    id: int
    source: SourceName
    message_id: str
    kind: str
    state: StateName | None
    reason: str
    detail: str


@described
class AuditDocument(TypedDict):
    """An action of a person, as `relay audit` prints it."""

    id: int
    at: str
    who: str
    action: str
    selection: dict[str, Any]
    number: int


@described
class CountDocument(TypedDict):
    """The result of `relay replay` and `relay discard`."""

    messages: int
    dry_run: bool


@described
class PauseDocument(TypedDict):
    """The result of `relay pause` and `relay resume`."""

    scope: Literal["mapping", "direction"]
    name: str
    who: NotRequired[str]
    """With pause: the operator."""
    changed: NotRequired[bool]
    """With pause: false if the mapping or direction was already paused."""


@described
class TrialRecord(TypedDict):
    """A record that the test created and deleted."""

    object: str
    id: str


@described
class TrialDocument(TypedDict):
    """The result of `relay test`."""

    message: int
    seconds: float
    removed: list[TrialRecord]
