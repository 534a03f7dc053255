"""After an outage: what changed in Salesforce since a moment is put into the inbox once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfcode.errors import OrgError, UsageError
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.relay.backfill.records import changed_since, explained, message, soql_time

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox
    from sfcode.relay.message import InboxMessage

MARGIN = timedelta(minutes=15)
"""A record's stamp is older than the moment at which its transaction ends and others see it."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """What came of one mapping."""

    mapping: str
    since: datetime
    records: int
    new: int
    """Those that the inbox did not have from an earlier reconcile."""


def watermark(one: ResolvedMapping) -> str:
    """Name the setting that remembers how far a mapping was reconciled."""
    return f"reconciled:{one.name}"


def beginning(inbox: Inbox, one: ResolvedMapping, since: datetime | None) -> datetime:
    """Find since when to ask: as given, else where the last time ended."""
    if since is not None:
        return since
    remembered = inbox.recall(watermark(one))
    if remembered is None:
        raise UsageError(
            f"Mapping {one.name} was never reconciled, so nobody knows since when.",
            "Say it: --since 48h, or --since 2026-11-23T17:00Z. `sfcode relay backfill` sends every record.",
        )
    return datetime.fromisoformat(remembered) - MARGIN


def reconcile(org: Org, inbox: Inbox, one: ResolvedMapping, since: datetime | None) -> ReconcileResult:
    """Put a mapping's changed records into the inbox, and remember how far that went."""
    start = beginning(inbox, one, since)
    asked_at = org.now()
    try:
        rows = org.query(changed_since(one, start))
    except OrgError as error:
        raise explained(one, error) from None
    messages = [made for row in rows if (made := message(one, row, "reconcile"))]
    new = sum(inbox.accept(part) for part in _parts(messages))
    if _joins(inbox.recall(watermark(one)), start):
        inbox.remember(watermark(one), soql_time(asked_at))
    return ReconcileResult(one.name, start, len(messages), new)


def _joins(remembered: str | None, start: datetime) -> bool:
    """Tell whether everything is known from the last time on: the next one must not leave out what lies between."""
    return remembered is None or start <= datetime.fromisoformat(remembered)


def _parts(messages: list[InboxMessage]) -> Iterator[list[InboxMessage]]:
    for start in range(0, len(messages), AT_ONCE):
        yield messages[start : start + AT_ONCE]
