"""The JSON documents that `sfcode relay VERB --json` prints, by verb. Times are UTC, in ISO 8601."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from sfcode.plan.document_types import described
from sfcode.relay.access_token import Role
from sfcode.relay.document_types import (
    AuditDocument,
    ChangeDocument,
    CountDocument,
    EventDocument,
    MessageDocument,
    PauseDocument,
    SourceName,
    StateName,
    StoryDocument,
    TrialDocument,
)


@described
class SourceStatus(TypedDict):
    """How many messages from one side are in each state."""

    ready: int
    leased: int
    parked: int
    dead: int
    done: int
    oldest_received_at: str | None
    """The time of receipt of the oldest message that is ready or leased."""
    waiting_keys: int
    """Users, groups and records whose messages wait for a retry or for the end of a lease; at most 10,000 are counted."""


@described
class StuckDocument(TypedDict):
    """Messages that wait for a person for the same reason."""

    source: SourceName
    state: StateName
    reason: str
    messages: int
    hint: str


@described
class CurrentPause(TypedDict):
    """A paused mapping or direction."""

    scope: Literal["mapping", "direction"]
    name: str
    who: str
    at: str


@described
class BulkChangeDocument(TypedDict):
    """A running replay or discard."""

    id: int
    action: Literal["replay", "discard"]
    who: str
    begun_at: str
    done: int
    total: int
    """The number of matching messages at the start of the change."""
    is_total_partial: bool
    """Whether more messages may match than were counted; the change includes them."""


@described
class AlarmDocument(TypedDict):
    """An alarm that is not acknowledged."""

    name: str
    detail: str
    at: str
    """The time at which the alarm was last raised."""
    times: int
    """How often the alarm was raised."""
    id: int
    meaning: str
    hint: str
    """What to do. `meaning` and `hint` are empty if this version does not know the alarm."""


@described
class ProcessDocument(TypedDict):
    """A process with a heartbeat in the last minute."""

    id: str
    started_at: str
    seen_at: str
    config: str | None
    """Digest of the relay config that the process uses."""


@described
class JobDocument(TypedDict):
    """A job of `relay.schedule`, and its last run."""

    job: str
    every_hours: int
    begun_at: str | None
    ended_at: str | None
    outcome: str | None
    queued: int
    """The number of messages that the run added to the inbox."""
    next_at: str | None
    """The time of the next run; null if the job is due now."""


@described
class ApiUseDocument(TypedDict):
    """Requests to the org of one purpose."""

    direction: Literal["to_salesforce", "to_appcues", ""]
    mapping: str
    """Empty for several mappings, or for none."""
    purpose: str
    number: int


@described
class ApiCallsDocument(TypedDict):
    """Requests to the org in the last 24 hours."""

    used: int
    limit: int | None
    """`relay.api_calls_per_day`."""
    by: list[ApiUseDocument]


@described
class StatusDocument(TypedDict):
    """The result of `relay status`."""

    sources: dict[SourceName, SourceStatus]
    stuck: list[StuckDocument]
    paused: list[CurrentPause]
    changes: list[BulkChangeDocument]
    alarms: list[AlarmDocument]
    processes: list[ProcessDocument]
    schedule: list[JobDocument]
    api_calls: ApiCallsDocument


@described
class AcknowledgedDocument(TypedDict):
    """The result of `relay ack`."""

    alarm: str
    """The number or the name that was passed."""
    attributes: list[str]
    """The attributes that the relay may clear again, as `MAPPING.ATTRIBUTE`."""


@described
class ForgottenDocument(TypedDict):
    """The result of `relay forget`; with --dry-run, the numbers of what it would delete."""

    messages: int
    values: int
    user_sha256: str
    """The hash by which the audit line names the user."""
    dry_run: bool


@described
class PersonMessage(MessageDocument):
    """A message about a person."""

    records: list[str]
    history: list[EventDocument]


@described
class PersonValue(TypedDict):
    """A stored latest value of a person."""

    name: str
    stamp: str
    value: str


@described
class PersonDocument(TypedDict):
    """The result of `relay export`."""

    user: str
    records: list[str]
    messages: list[PersonMessage]
    values: list[PersonValue]


@described
class LearnDocument(TypedDict):
    """The result of `relay learn`."""

    paths: dict[str, list[str]]
    """The proposed `appcues.webhook`."""
    aliases: dict[str, dict[str, Any]]
    """The proposed `aliases` of events.yaml."""
    webhook_auth: dict[str, Any] | None
    read: list[dict[str, Any]]
    """The messages of the webhook, parsed with the proposal."""
    messages: list[dict[str, Any]]
    """The parked messages, parsed with the proposal."""
    replayed: int


@described
class PlannedWriteDocument(TypedDict):
    """A write that an event would cause."""

    verb: str
    object: str
    key: str
    id: str
    fields: dict[str, Any]


@described
class ExplanationDocument(TypedDict):
    """The explanation of an event, as `relay explain` prints it."""

    message_id: str
    kind: str
    key: str
    state: Literal["done", "parked", "waiting"]
    note: str
    hint: str
    writes: list[PlannedWriteDocument]


@described
class BadRowDocument(TypedDict):
    """A row that cannot be read as an answer."""

    line: int
    problem: str


@described
class LoadDocument(TypedDict):
    """The result of `relay load`."""

    rows: int
    answers: int
    new: int
    """Answers that the inbox did not have."""
    other_events: int
    bad: int
    bad_rows: list[BadRowDocument]
    """The first bad rows."""
    first: str
    """The time of the earliest answer."""
    last: str
    """The time of the latest answer."""
    dry_run: bool


@described
class ReceiverDocument(TypedDict):
    """A receiver of `relay.notify`, as `relay notify` prints it."""

    receiver: str
    form: str
    alarms: list[str] | None
    """Null if the receiver gets all alarms."""
    waiting: NotRequired[int]
    outcome: NotRequired[str]
    """With --test: the response of the receiver."""


@described
class TokenDocument(TypedDict):
    """A token of the dashboard, as `relay token` prints it."""

    name: str
    role: NotRequired[Role]
    created_at: NotRequired[str]
    expires_at: NotRequired[str | None]
    token: NotRequired[str]
    """The secret, which is printed once."""


@described
class ReconciledDocument(TypedDict):
    """The result of `relay reconcile` for one mapping."""

    mapping: str
    since: str
    records: int
    new: int
    """The records that no earlier run had added to the inbox."""


@described
class CarriedDocument(TypedDict):
    """The result of `relay backfill` or `relay refresh` for one mapping."""

    mapping: str
    job: str
    records: int
    queued: NotRequired[int]
    """With refresh: the number of records that differ."""


@described
class ProfileDocument(TypedDict):
    """A profile with the attributes that it would get."""

    match: str
    id: str
    attributes: dict[str, Any]
    left_out: dict[str, str]


@described
class PreviewDocument(TypedDict):
    """The preview of `relay backfill --dry-run` for one mapping."""

    mapping: str
    records: int
    profiles: list[ProfileDocument]


RESULTS: dict[str, Any] = {
    "status": StatusDocument,
    "list": list[MessageDocument],
    "show": StoryDocument,
    "tail": ChangeDocument,
    "replay": CountDocument,
    "discard": CountDocument,
    "pause": PauseDocument,
    "resume": PauseDocument,
    "test": TrialDocument,
    "audit": list[AuditDocument],
    "forget": ForgottenDocument,
    "export": PersonDocument,
    "learn": LearnDocument,
    "explain": list[ExplanationDocument],
    "load": LoadDocument,
    "ack": AcknowledgedDocument,
    "notify": list[ReceiverDocument],
    "token": TokenDocument | list[TokenDocument],
    "reconcile": list[ReconciledDocument],
    "refresh": list[CarriedDocument],
    "backfill": list[CarriedDocument] | list[PreviewDocument],
}
"""The result of each verb; `tail` prints one on each line, without an envelope."""

RelayDocument = reduce(or_, RESULTS.values())
"""The results that `sfcode schema relay` describes."""
