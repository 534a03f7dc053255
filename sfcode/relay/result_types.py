"""The results of the verbs of `sfcode relay` with `--json`, by verb. Times are UTC, in ISO 8601."""

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
    """When the oldest message was received that is ready or leased."""
    waiting_keys: int
    """Users, groups and records whose messages wait for a retry or for a lease to end; 10,000 are counted."""


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
    """What is paused."""

    scope: Literal["mapping", "direction"]
    name: str
    who: str
    at: str


@described
class BulkChangeDocument(TypedDict):
    """A replay or a discard that is under way."""

    id: int
    action: Literal["replay", "discard"]
    who: str
    begun_at: str
    done: int
    total: int
    """How many messages matched when it began."""
    is_total_partial: bool
    """Whether more may have matched than were counted; they are changed as well."""


@described
class AlarmDocument(TypedDict):
    """An alarm that is not acknowledged."""

    name: str
    detail: str
    at: str
    """When it was raised last."""
    times: int
    id: int
    meaning: str
    hint: str
    """What to do about it. Both are empty where this version does not know the alarm."""


@described
class ProcessDocument(TypedDict):
    """A process with a heartbeat in the last minute."""

    id: str
    started_at: str
    seen_at: str
    config: str | None
    """Digest of the relay config that it works by."""


@described
class JobDocument(TypedDict):
    """A job of `relay.schedule`, and its last run."""

    job: str
    every_hours: int
    begun_at: str | None
    ended_at: str | None
    outcome: str | None
    queued: int
    next_at: str | None
    """When it is due again; null where it is due at once."""


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
    """`MAPPING.ATTRIBUTE` of what may be cleared again."""


@described
class ForgottenDocument(TypedDict):
    """The result of `relay forget`."""

    messages: int
    values: int
    user_sha256: str
    dry_run: bool


@described
class PersonMessage(MessageDocument):
    """A message about a person."""

    records: list[str]
    history: list[EventDocument]


@described
class PersonValue(TypedDict):
    """A latest value that is stored of a person."""

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
    """For `relay.webhook_paths`."""
    aliases: dict[str, dict[str, Any]]
    """For events.yaml."""
    webhook_auth: dict[str, Any] | None
    read: list[dict[str, Any]]
    """What the webhook becomes."""
    messages: list[dict[str, Any]]
    """What parked messages become."""
    replayed: int


@described
class PlannedWriteDocument(TypedDict):
    """A write that an event would lead to."""

    verb: str
    object: str
    key: str
    id: str
    fields: dict[str, Any]


@described
class ExplanationDocument(TypedDict):
    """What `relay explain` tells of an event."""

    message_id: str
    kind: str
    key: str
    state: Literal["done", "parked", "waiting"]
    note: str
    hint: str
    writes: list[PlannedWriteDocument]


@described
class BadRowDocument(TypedDict):
    """A row that no answer can be made of."""

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
    """The first of the bad rows."""
    first: str
    last: str
    """When the first and the last answer were given."""
    dry_run: bool


@described
class ReceiverDocument(TypedDict):
    """A receiver of `relay.notify`, as `relay notify` prints it."""

    receiver: str
    form: str
    alarms: list[str] | None
    """Null for all."""
    waiting: NotRequired[int]
    outcome: NotRequired[str]
    """With --test: its answer."""


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
    """What `relay reconcile` found of one mapping."""

    mapping: str
    since: str
    records: int
    new: int
    """Those that the inbox did not have from an earlier one."""


@described
class CarriedDocument(TypedDict):
    """What `relay backfill` or `relay refresh` read of one mapping."""

    mapping: str
    job: str
    records: int
    queued: NotRequired[int]
    """With refresh: the records that differ."""


@described
class ProfileDocument(TypedDict):
    """The attributes that a profile would get."""

    match: str
    id: str
    attributes: dict[str, Any]
    left_out: dict[str, str]


@described
class PreviewDocument(TypedDict):
    """What `relay backfill --dry-run` would send of one mapping."""

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
"""What `sfcode schema relay` describes."""
