"""Follow an inbox: the messages that were received or ended since the last query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.report import stamp
from sfcode.text import printable

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox, InboxEntry

EVERY = 1.0
"""Seconds between two queries."""
OVERLAP = timedelta(seconds=10)
"""The overlap of two queries, since a transaction that began before a query may be committed after it."""
MOST = 500
"""The maximum number of changes of each kind per query; the newest are returned."""


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message that was received, or that ended."""

    kind: Literal["received", "ended"]
    at: datetime
    entry: InboxEntry


def follow(inbox: Inbox) -> Iterator[list[MessageChange]]:
    """Yield the changes since the previous query, the oldest first, from now on."""
    start = last = inbox.stats().now
    seen: dict[tuple[str, int, datetime], datetime] = {}
    while True:
        now = inbox.stats().now
        received, ended = inbox.changes(max(start, last - OVERLAP), MOST)
        changes = [MessageChange("received", entry.received_at, entry) for entry in received]
        changes += [MessageChange("ended", entry.finished_at, entry) for entry in ended if entry.finished_at]
        new = [change for change in changes if (change.kind, change.entry.id, change.at) not in seen]
        seen |= {(change.kind, change.entry.id, change.at): change.at for change in new}
        seen = {key: at for key, at in seen.items() if at >= now - 2 * OVERLAP}
        last = now
        yield sorted(new, key=lambda change: (change.at, change.entry.id, change.kind != "received"))


def render_change(change: MessageChange, format_time: Callable[[datetime], str]) -> str:
    """Return one line about a change, without the payload or the user's ID."""
    entry = change.entry
    end = f"{entry.state} {entry.reason}".rstrip() + (f": {entry.detail}" if entry.detail else "")
    outcome = "received" if change.kind == "received" else end
    return printable(f"{format_time(change.at)}  {entry.id}  {entry.source}  {entry.kind}  {outcome}")


def change_document(change: MessageChange) -> dict[str, Any]:
    """Return a change as JSON values."""
    entry = change.entry
    ended = change.kind == "ended"
    return {
        "change": change.kind,
        "at": stamp(change.at),
        "id": entry.id,
        "source": entry.source,
        "message_id": entry.message_id,
        "kind": entry.kind,
        "state": entry.state if ended else None,
        "reason": entry.reason if ended else "",
        "detail": entry.detail if ended else "",
    }
