"""The writer to Appcues: it sets attributes of users and groups from Salesforce records, see docs/relay-appcues.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sfcode.config.project import Project
from sfcode.relay.appcues.client import AppcuesClient, Credentials
from sfcode.relay.appcues.field_types import FieldTypeCache, FieldTypeRefresher
from sfcode.relay.appcues.null_guard import StoppedAttribute, resume_clearing, stopped_clearing
from sfcode.relay.appcues.rate_limit import RateLimit
from sfcode.relay.appcues.writer import AppcuesWriter
from sfcode.relay.clock import boot_time
from sfcode.relay.current_pauses import CurrentPauses
from sfcode.relay.instrumentation import CallEvents
from sfcode.relay.message import StateStore

__all__ = [
    "AppcuesWriter",
    "Credentials",
    "FieldTypeCache",
    "FieldTypeRefresher",
    "StoppedAttribute",
    "make_writer",
    "resume_clearing",
    "stopped_clearing",
]


def _now() -> datetime:
    return datetime.now(UTC)


def make_writer(
    project: Project,
    credentials: Credentials,
    states: StateStore,
    instrumentation: CallEvents,
    *,
    types: FieldTypeCache,
    rate: Callable[[], float],
    clock: Callable[[], datetime] = _now,
    time: Callable[[], float] = boot_time,
    pauses: CurrentPauses | None = None,
) -> AppcuesWriter:
    """
    Make the writer of a project; it belongs to the running event loop.

    `states` stores what was delivered; `types` caches the types of fields;
    `rate` returns the number of requests per second that this process may make,
    and is called before every request.
    """
    pace = RateLimit(rate, time)
    client = AppcuesClient(project.settings.appcues.account_id, credentials, pace, instrumentation, time)
    return AppcuesWriter(
        types,
        client,
        pace,
        states=states,
        instrumentation=instrumentation,
        clock=clock,
        time=time,
        pauses=pauses or CurrentPauses(),
    )
