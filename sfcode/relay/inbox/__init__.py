"""The inbox: a durable table of messages on SQLite or PostgreSQL, with leases and order per key."""

from sfcode.relay.inbox.commit import GroupCommit
from sfcode.relay.inbox.inbox import Inbox
from sfcode.relay.inbox.open import open_inbox
from sfcode.relay.inbox.types import Busy, Filter, InboxEntry, InboxStats, Process, RowLocked, State, Unavailable

__all__ = [
    "Busy",
    "Filter",
    "GroupCommit",
    "Inbox",
    "InboxEntry",
    "InboxStats",
    "Process",
    "RowLocked",
    "State",
    "Unavailable",
    "open_inbox",
]
