"""The shapes of the relay's results with `--json`, which `sfcode schema relay` prints. Times are UTC, in ISO 8601."""

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
    """The id that its sender gave it."""
    kind: str
    """Name of the event, or of the mapping."""
    state: StateName
    reason: str
    """Why it is parked, given up, paused or discarded; else empty."""
    detail: str
    attempts: int
    received_at: str
    due_at: str
    finished_at: str | None
    key: NotRequired[str]
    """With --payload: what its order is kept by."""
    payload: NotRequired[dict[str, Any]]


@described
class RecordDocument(TypedDict):
    """A record that a message is about or was written to."""

    id: str
    """Of Salesforce, or an external id."""
    url: str | None


@described
class WriteDocument(TypedDict):
    """What was asked of the far side, and its answer: names and ids, never values."""

    verb: str
    object: str
    fields: list[str]
    status: str
    """`ok`, the error code, or why there is no answer."""
    text: str
    record_id: str
    key: str
    external_id: str


@described
class EventDocument(TypedDict):
    """Something that happened to a message."""

    event: Literal["received", "attempted", "replayed", "discarded", "left_out"]
    at: str | None
    seconds: float | None
    outcome: str
    """Of an attempt: done, parked, dead or retry."""
    reason: str
    detail: str
    due_at: str | None
    writes: list[WriteDocument]
    left_out: int
    """Writes or events that are not kept."""
    who: str
    request_id: str


@described
class StoryDocument(MessageDocument):
    """The story of a message, as `relay show` prints it."""

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
    """Something that a person did, as `relay audit` prints it."""

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
    """With pause: who paused it."""
    changed: NotRequired[bool]
    """With pause: false where it was paused before."""


@described
class TrialRecord(TypedDict):
    """A record that the test made and removed."""

    object: str
    id: str


@described
class TrialDocument(TypedDict):
    """The result of `relay test`."""

    message: int
    seconds: float
    removed: list[TrialRecord]


RelayDocument = (
    StoryDocument | MessageDocument | ChangeDocument | AuditDocument | CountDocument | PauseDocument | TrialDocument
)
"""The result of a verb of `sfcode relay`, or one entry of a list; the result of status is not described."""
