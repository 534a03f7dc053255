"""The journal: which requests arrived and how they were answered."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime
from itertools import count
from typing import Any

from starlette.types import Message, Send

from sfcode.lazy_dataclasses import asdict, dataclass
from sfcode.local.clock import stamp

MAX_ENTRIES = 100_000
MAX_BODY = 10_000


@dataclass
class JournalEntry:
    """A request; `status` is None until it is answered, also if its connection is closed without an answer."""

    number: int
    at: str
    method: str
    path: str
    body: str
    status: int | None = None


class Journal:
    """The last requests of one server."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=MAX_ENTRIES)
        self._lock = threading.Lock()
        self._numbers = count(1)

    def open(self, method: str, path: str, body: bytes, now: datetime) -> JournalEntry:
        """Add a request to the journal."""
        text = body[:MAX_BODY].decode("utf-8", "replace")
        with self._lock:
            entry = JournalEntry(next(self._numbers), stamp(now), method, path, text)
            self._entries.append(entry)
        return entry

    def wrap_send(self, entry: JournalEntry, send: Send) -> Send:
        """Return a `send` that records the status of the response."""

        async def send_recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        return send_recorded

    def list(self, after: int = 0) -> list[dict[str, Any]]:
        """List the requests whose numbers are above `after`."""
        with self._lock:
            return [asdict(entry) for entry in self._entries if entry.number > after]

    def clear(self) -> int:
        """Delete all entries and return their number."""
        with self._lock:
            count = len(self._entries)
            self._entries.clear()
            return count
