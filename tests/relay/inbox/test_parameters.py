"""Lists and rows are passed as one parameter, so that each statement is compiled and planned once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Inbox
from sfcode.relay.inbox.parameters import within
from sfcode.relay.inbox.tables import INBOX
from sfcode.relay.message import LatestState
from tests.relay.inbox.samples import message, settle, take


@contextmanager
def texts(inbox: Inbox) -> Iterator[set[str]]:
    """Record the texts of the statements that an inbox executes."""
    executed: set[str] = set()

    def note(_db: Any, _cursor: Any, text: str, *_: Any) -> None:
        executed.add(text)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def deliver(inbox: Inbox, first: int, count: int) -> None:
    """Accept two messages for each of some users, and deliver them."""
    inbox.accept([message(first + number, f"user:{number // 2}") for number in range(2 * count)])
    claim = take(inbox, limit=1000, per_key=5)
    assert len(claim.messages) == 2 * count
    inbox.latest([f"score:{claimed_message.id}" for claimed_message in claim.messages])
    settle(inbox, claim)


def test_the_text_of_a_statement_does_not_depend_on_how_many_messages_there_are(inbox: Inbox) -> None:
    with texts(inbox) as first_texts:
        deliver(inbox, 0, 1)
    with texts(inbox) as second_texts:
        deliver(inbox, 100, 40)
    assert first_texts == second_texts


def test_an_accept_is_one_statement_on_postgresql(inbox: Inbox, database_url: str) -> None:
    """On PostgreSQL the statement is sent, executed and committed in one round trip."""
    inbox.accept([message(1)])
    with texts(inbox) as executed:
        inbox.accept([message(1), message(2), message(3, "user:2"), message(4, parked="odd")])
    inserts = {text.split("(")[0].split()[0] for text in executed}
    if database_url.startswith("postgresql"):
        assert (len(executed), inserts) == (1, {"WITH"})
    else:
        assert sum(text.startswith("INSERT") for text in executed) == 2
    assert [claimed.key for claimed in take(inbox, limit=9).messages] == ["user:1", "user:2"]


def test_messages_and_their_records_are_stored_together_or_not_at_all(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sfcode.relay.inbox.accept.add_records", fail)
    with pytest.raises(ZeroDivisionError):
        inbox.accept([message(1, source="salesforce", payload={"record": {"Id": "003000000000001AAA"}})])
    assert inbox.stats().counts == {}


@pytest.mark.parametrize(
    "select",
    [list, set, dict.fromkeys, lambda _: ()],
    ids=["list", "set", "dict", "nothing"],
)
def test_a_list_finds_the_rows_that_have_one_of_its_values(inbox: Inbox, select: Callable[[Any], Any]) -> None:
    names = ["user:\\", 'user:"', "user:{}", "user:\x00", "user:\ud800", "user:é,NULL", "group:1"]
    inbox.accept([message(number, name) for number, name in enumerate(names)])
    with inbox._database.read() as tx:
        keys = tx.db.scalars(sa.select(INBOX.c.key).where(within(INBOX.c.key, select(names[:-1])))).all()
    assert sorted(keys) == sorted(select(names[:-1]))


def test_states_are_found_by_names_with_any_character(inbox: Inbox) -> None:
    names = ["a\\b", 'a"b', "a\x00b", "a\udfffb"]
    inbox.note([LatestState(name, "2026") for name in names])
    assert set(inbox.latest(names)) == set(names)
