"""The inbox: a durable table of messages on SQLite or PostgreSQL, with leases and order per key."""

from sfcode.relay.inbox.audit import AuditLine
from sfcode.relay.inbox.commit import GroupCommit
from sfcode.relay.inbox.history import HistoryEvent
from sfcode.relay.inbox.inbox import Inbox
from sfcode.relay.inbox.open import open_inbox
from sfcode.relay.inbox.pauses import Pause
from sfcode.relay.inbox.search import StoredMessage
from sfcode.relay.inbox.types import (
    Busy,
    Filter,
    InboxEntry,
    InboxStats,
    MissingInbox,
    Process,
    RowLocked,
    State,
    Unavailable,
)

__all__ = [
    "AuditLine",
    "Busy",
    "Filter",
    "GroupCommit",
    "HistoryEvent",
    "Inbox",
    "InboxEntry",
    "InboxStats",
    "MissingInbox",
    "Pause",
    "Process",
    "RowLocked",
    "State",
    "StoredMessage",
    "Unavailable",
    "open_inbox",
]
