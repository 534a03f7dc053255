"""Search of the inbox, and the story of one message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sfcode.lazy_dataclasses import dataclass, fields
from sfcode.org.identity import find_record_id
from sfcode.relay.dashboard.overview import TITLES, title_of
from sfcode.relay.inbox import Filter
from sfcode.relay.inbox.types import STATES
from sfcode.relay.reasons import REASONS, hint_for
from sfcode.relay.story import link_record

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox, InboxEntry

PAGE = 50
STATE_WORDS = {
    "ready": "waits to be delivered",
    "leased": "is being delivered",
    "done": "done",
    "parked": "parked: waits for a person",
    "dead": "given up: waits for a person",
}


@dataclass(frozen=True, slots=True)
class Search:
    """The fields of the search form, as text."""

    user: str = ""
    kind: str = ""
    record: str = ""
    reason: str = ""
    source: str = ""
    state: str = ""
    since: str = ""
    until: str = ""
    ids: str = ""

    @property
    def query(self) -> str:
        """The search as a URL query."""
        return urlencode(self.conditions())

    @property
    def is_empty(self) -> bool:
        """Whether the search has no condition."""
        return not self.conditions()

    def conditions(self) -> dict[str, str]:
        """Return the conditions that are set, by name."""
        return {name: value for name in _FIELDS if (value := getattr(self, name))}

    def parse(self) -> Filter:
        """Return the selection. Raises ValueError with the reason if a condition is invalid."""
        state = next((name for name in STATES if name == self.state), None)
        if self.state and state is None:
            raise ValueError(f"{self.state} is not a state of a message.")
        if self.source and self.source not in TITLES:
            raise ValueError(f"{self.source} is not a source of messages.")
        return Filter(
            ids=_parse_ids(self.ids) if self.ids else None,
            state=state,
            reason=self.reason or None,
            source=self.source or None,
            kind=self.kind or None,
            subject=f"user:{self.user}" if self.user else None,
            record=find_record_id(self.record) or self.record or None,
            since=_parse_time(self.since) if self.since else None,
            until=_parse_time(self.until) if self.until else None,
        )


_FIELDS = tuple(field.name for field in fields(Search))


def search_of(choice: Filter) -> Search:
    """Return the search that finds a selection."""
    return Search(
        user=(choice.subject or "").removeprefix("user:"),
        kind=choice.kind or "",
        record=choice.record or "",
        reason=choice.reason or "",
        source=choice.source or "",
        state=choice.state or "",
        since=f"{choice.since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" if choice.since else "",
        until=f"{choice.until.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" if choice.until else "",
        ids=", ".join(map(str, choice.ids or ())),
    )


def read_search(values: Mapping[str, str]) -> Search:
    """Read a search from a URL query, or from a form."""
    return Search(**{name: values[name].strip() for name in _FIELDS if name in values})


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of messages."""

    entries: tuple[InboxEntry, ...]
    next_before: int | None
    """The ID to pass as `before` for the next page; None on the last page."""
    searched_back_to: datetime | None
    """
    The time of receipt of the last message that was checked, if the search ended before the page was full; else None.
    """
    reasons: tuple[str, ...]
    """The reasons of blocked messages, for the form's choices."""


def search_for_text(inbox: Inbox, text: str) -> Search:
    """Return the search for a text that a person typed: a user ID, or the ID, address or external ID of a record."""
    user, record = Search(user=text), Search(record=text)
    return record if not inbox.page(user.parse(), 1) and inbox.page(record.parse(), 1) else user


def find_messages(inbox: Inbox, choice: Filter, before: int | None) -> MessagePage:
    """Return a page of messages, the newest first; `before` is the ID of the last one of the previous page."""
    previous = inbox.find(before) if before is not None else None
    place = (previous.entry.received_at, previous.entry.id) if previous else None
    page = inbox.search(choice, PAGE, place)
    reasons = sorted({reason for _, _, reason in inbox.stats().reasons if reason})
    received_at, last_id = page.last or (None, None)
    return MessagePage(page.entries, last_id, received_at if page.is_partial else None, tuple(reasons))


@dataclass(frozen=True, slots=True)
class Meaning:
    """An explanation of a message's state, and what to do."""

    state: str
    reason: str
    hint: str


def explain(entry: InboxEntry) -> Meaning:
    """Explain the state and the reason of a message."""
    reason = REASONS.get(entry.reason)
    return Meaning(
        STATE_WORDS[entry.state], reason.meaning if reason else "", hint_for(entry.reason) if entry.reason else ""
    )


def render_payload(entry: InboxEntry) -> str:
    """Render the payload of a message as indented JSON."""
    return json.dumps(dict(entry.payload), indent=2, ensure_ascii=False, default=str)


def link_records(records: Iterable[str], instance_url: str) -> list[tuple[str, str]]:
    """Return IDs of records, each with its URL in Salesforce; "" if there is none, as for an external ID."""
    return [(record, link_record(record, instance_url)) for record in records]


def _parse_ids(text: str) -> tuple[int, ...]:
    ids = [part for part in text.replace(",", " ").split() if part]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in ids):
        raise ValueError(f"{text} is not the number of a message.")
    return tuple(map(int, ids))


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is not a time: write it as 2026-11-23T17:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def describe_selection(search: Search) -> list[tuple[str, Any]]:
    """Return the conditions of a search in words."""
    labels = {
        "user": "User",
        "kind": "Event or mapping",
        "record": "Record",
        "reason": "Reason",
        "source": "Direction",
        "state": "State",
        "since": "Received since",
        "until": "Received before",
        "ids": "Message",
    }
    conditions = search.conditions()
    return [(labels[name], title_of(value) if name == "source" else value) for name, value in conditions.items()]
