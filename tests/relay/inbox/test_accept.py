"""What is taken in: once, whole, and in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.message import Message


@pytest.fixture
def inbox(database_url: str) -> Iterator[Inbox]:
    with open_inbox(database_url) as inbox:
        yield inbox


def message(number: int, key: str = "user:1", **other: object) -> Message:
    values = {
        "source": "appcues",
        "message_id": f"m{number}",
        "key": key,
        "kind": "nps_score",
        "payload": {"n": number},
    }
    return Message(**{**values, **other})  # type: ignore[arg-type]


def test_messages_are_kept_once(inbox: Inbox) -> None:
    assert inbox.accept([message(1), message(2)]) == 2
    assert inbox.accept([message(2), message(3), message(3)]) == 1
    assert [entry.message_id for entry in inbox.page(Filter())] == ["m3", "m2", "m1"]
