"""Queue the records that changed in Salesforce since a given time, after an outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfcode.errors import OrgError, UsageError
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.relay.api_calls import using_api
from sfcode.relay.backfill.records import (
    changed_since,
    explain_query_error,
    message,
    recall_setting,
    setting_of,
    soql_time,
)

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox
    from sfcode.relay.message import InboxMessage

MARGIN = timedelta(minutes=15)
"""The overlap of two runs: a record becomes visible at the end of its transaction, later than its time stamp."""
AT_ONCE = 500
RECONCILED = "reconciled"
"""The setting with the time up to which a mapping is reconciled."""


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """The result of one mapping."""

    mapping: str
    since: datetime
    records: int
    new: int
    """The records that no earlier reconcile had queued."""


def reconciled_until(inbox: Inbox, mapping: ResolvedMapping) -> str | None:
    """Return the time up to which a mapping is reconciled, as in SOQL; None if it never was."""
    return recall_setting(inbox, mapping, RECONCILED)


def start_time(inbox: Inbox, mapping: ResolvedMapping, since: datetime | None) -> datetime:
    """Return the time to query from: `since`, or else the end of the last run minus `MARGIN`. Raises UsageError."""
    if since is not None:
        return since
    remembered = reconciled_until(inbox, mapping)
    if remembered is None:
        raise UsageError(
            f"Mapping {mapping.name} was never reconciled, so the start is unknown.",
            "Pass --since 48h, or --since 2026-11-23T17:00Z. `sfcode relay backfill` sends every record.",
        )
    return datetime.fromisoformat(remembered) - MARGIN


def reconcile(org: Org, inbox: Inbox, mapping: ResolvedMapping, since: datetime | None) -> ReconcileResult:
    """Queue a mapping's changed records, and store the time up to which it is reconciled."""
    start = start_time(inbox, mapping, since)
    asked_at = org.now()
    try:
        with using_api("reconcile", mapping.name):
            rows = org.query(changed_since(mapping, start))
    except OrgError as error:
        raise explain_query_error(mapping, error) from None
    messages = [inbox_message for row in rows if (inbox_message := message(mapping, row, "reconcile"))]
    new = sum(inbox.accept(part) for part in _chunks(messages))
    if _continues_last_run(reconciled_until(inbox, mapping), start):
        inbox.remember(setting_of(mapping, RECONCILED), soql_time(asked_at))
    return ReconcileResult(mapping.name, start, len(messages), new)


def _continues_last_run(remembered: str | None, start: datetime) -> bool:
    """Return whether no gap lies between the last run and this one."""
    return remembered is None or start <= datetime.fromisoformat(remembered)


def _chunks(messages: list[InboxMessage]) -> Iterator[list[InboxMessage]]:
    for start in range(0, len(messages), AT_ONCE):
        yield messages[start : start + AT_ONCE]
