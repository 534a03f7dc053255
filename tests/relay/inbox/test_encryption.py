"""The personal data in the database is encrypted if there is a key, with any sequence of keys."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sfcode.errors import Refused
from sfcode.relay.inbox import Filter, Inbox, Unavailable, encryption, open_inbox
from sfcode.relay.inbox.column_types import EncryptedText, escape
from sfcode.relay.inbox.data_cipher import DataCipher
from sfcode.relay.inbox.tables import INBOX
from sfcode.relay.message import Delivered, Delivery, InboxMessage, LatestState, Parked, Retry
from sfcode.secret import Secret

OLD, NEW, OTHER = (Secret(base64.urlsafe_b64encode(bytes([number]) * 32).decode()) for number in range(3))
MARK = "marked-value-of-a-person"
Open = Callable[..., Inbox]


def fill(inbox: Inbox, number: int = 1) -> None:
    """Store a delivered and a parked message with recognizable values, and a state and a bulk change with one of them."""
    payload = {"user_id": f"u{number}", "event": {"feedback": MARK}}
    inbox.accept([InboxMessage("appcues", f"{kind}{number}", f"user:u{number}{kind}", "k", payload) for kind in "ab"])
    claim = inbox.claim("appcues", limit=2, per_key=1, lease=60)
    assert claim is not None
    first, second = (message.id for message in claim.messages)
    ends = {first: Delivered(f"note {MARK}"), second: Parked("bad_text", f"detail {MARK}")}
    states = (LatestState(f"nps:contact:003{number}", "2026-01-01T00:00:00.000000Z", f"value {MARK}"),)
    assert inbox.settle(claim, Delivery(ends, states), lambda *_: None) == 2
    inbox.begin_change("replay", Filter(subject=f"user:{MARK}"), "ann@host")


def read(inbox: Inbox, number: int = 1) -> list[Any]:
    """Return everything that `fill` stored, as the inbox reads it."""
    page = inbox.page(Filter(subject=f"user:u{number}"))
    state = inbox.latest([f"nps:contact:003{number}"])[f"nps:contact:003{number}"]
    return [state.value, *sorted((entry.payload["event"]["feedback"], entry.detail) for entry in page)]


WRITTEN = [f"value {MARK}", (MARK, f"detail {MARK}"), (MARK, f"note {MARK}")]


def dump(url: str) -> str:
    """Return the content of all files of the database, or all rows of all of its tables."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return "".join(part.read_bytes().decode("latin-1") for part in path.parent.glob(f"{path.name}*"))
    with psycopg.connect(url) as db:
        tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        return "".join(str(row) for (table,) in tables for row in db.execute(f"SELECT t::text FROM {table} AS t"))


def test_no_marked_value_is_in_the_database_and_all_is_read(database_url: str) -> None:
    with open_inbox(database_url, keys=[NEW]) as inbox:
        fill(inbox)
        assert read(inbox) == WRITTEN
        assert MARK not in dump(database_url)
        (message, _) = inbox.page(Filter())
        inbox.replay(Filter(ids=(message.id,)))
    text = dump(database_url)
    assert MARK not in text
    assert "bad_text" in text, "what is no person's stays readable"


def test_an_encrypted_message_without_a_user_is_found_by_the_ids_in_it(database_url: str) -> None:
    with open_inbox(database_url, keys=[NEW]) as inbox:
        bodies = [{"who": "u1"}, {"who": "u10"}]
        inbox.accept([InboxMessage("appcues", f"m{n}", "", "k", body, "odd") for n, body in enumerate(bodies)])
        (found_id,) = inbox.find_person("u1", []).messages
        stored = inbox.find(found_id)
        assert stored is not None
        assert stored.entry.payload == bodies[0]


def test_without_a_key_nothing_is_encrypted(sqlite_url: str) -> None:
    with open_inbox(sqlite_url) as inbox:
        fill(inbox)
        assert inbox.encryption.renew() == 0
    assert MARK in dump(sqlite_url)


def test_rows_from_before_the_key_are_read_and_encrypted_in_pieces(database_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("sfcode.relay.inbox.encryption.AT_ONCE", 2)
    with open_inbox(database_url) as inbox:
        fill(inbox, 1)
        fill(inbox, 2)
    with open_inbox(database_url, keys=[NEW]) as inbox:
        assert read(inbox, 1) == read(inbox, 2) == WRITTEN
        fill(inbox, 3)
        assert inbox.encryption.renew(lambda _: True) == 2, "it ends early where the process stops"
        assert inbox.encryption.renew(lambda _: False) == 6, "two messages, two states, and two bulk changes"
        assert plain_rows(inbox) == 0
        assert [read(inbox, number) for number in (1, 2, 3)] == [WRITTEN] * 3
        assert inbox.encryption.renew(lambda _: False) == 0
    if database_url.startswith("postgresql"):
        assert MARK not in dump(database_url)


def plain_rows(inbox: Inbox) -> int:
    payload = sa.type_coerce(INBOX.c.payload, sa.Text)
    with inbox._database.read() as tx:
        return int(tx.db.scalar(sa.select(sa.func.count()).where(~payload.startswith("\\e", autoescape=True))) or 0)


def test_rows_are_not_read_again_when_all_are_encrypted(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "AT_ONCE", 1)
    pauses: list[float] = []
    with open_inbox(sqlite_url, keys=[NEW]) as inbox:
        fill(inbox)
        assert inbox.encryption.renew(pauses.append) == 0
        assert pauses
        pauses.clear()
        assert inbox.encryption.renew(pauses.append) == 0
        assert pauses == []


def test_a_new_key_takes_the_place_of_an_old_one(sqlite_url: str) -> None:
    with open_inbox(sqlite_url, keys=[OLD]) as inbox:
        fill(inbox)
        assert inbox.encryption.renew() == 0
    with open_inbox(sqlite_url, keys=[NEW, OLD]) as inbox:
        assert read(inbox) == WRITTEN
    with pytest.raises(Refused, match="a key that is not in"):
        open_inbox(sqlite_url, keys=[NEW])
    with open_inbox(sqlite_url, keys=[NEW, OLD]) as inbox:
        assert inbox.encryption.renew(lambda _: False) == 4
        assert inbox.encryption.renew() == 0
    with open_inbox(sqlite_url, keys=[NEW]) as inbox:
        assert read(inbox) == WRITTEN


@pytest.mark.parametrize(
    ("keys", "message"), [([], "SFCODE_RELAY_DATA_KEYS is not set"), ([OTHER], "a key that is not in")]
)
def test_a_missing_or_wrong_key_is_refused(database_url: str, keys: list[Secret], message: str) -> None:
    with open_inbox(database_url, keys=[NEW]) as inbox:
        fill(inbox)
    with pytest.raises(Refused, match=message) as refused:
        open_inbox(database_url, keys=keys)
    assert "SFCODE_RELAY_DATA_KEYS" in str(refused.value)
    assert NEW.reveal() not in str(refused.value)


def test_a_process_without_the_new_key_parks_and_loses_nothing(database_url: str) -> None:
    with open_inbox(database_url) as before, open_inbox(database_url, keys=[NEW]) as after:
        after.accept([InboxMessage("appcues", "m", "user:a", "k", {"user_id": "a"})])
        with pytest.raises(Unavailable, match="SFCODE_RELAY_DATA_KEYS"):
            before.claim("appcues", limit=1, per_key=1, lease=60)
        assert after.stats().count("parked") == 0
        claim = after.claim("appcues", limit=1, per_key=1, lease=60)
        assert claim is not None
        assert claim.messages[0].payload == {"user_id": "a"}


def test_a_process_without_the_key_delivers_messages_that_are_not_encrypted(database_url: str) -> None:
    """Of one user it delivers nothing, since a later message must not overtake an encrypted one."""

    def of_user(user: str, number: int) -> InboxMessage:
        return InboxMessage("appcues", f"{user}{number}", f"user:{user}", "k", {"user_id": user})

    with open_inbox(database_url) as before, open_inbox(database_url, keys=[NEW]) as after:
        before.accept([of_user("a", 1), of_user("b", 1), of_user("c", 1)])
        claim = after.claim("appcues", limit=1, per_key=1, lease=60)
        assert claim is not None
        retried = Delivery({claim.messages[0].id: Retry("503")})
        after.settle(claim, retried, lambda *_: timedelta())  # its history is encrypted now
        after.accept([of_user("b", 2)])
        claim = before.claim("appcues", limit=10, per_key=10, lease=60)
        assert claim is not None
        assert [message.message_id for message in claim.messages] == ["c1"]
        rest = after.claim("appcues", limit=10, per_key=10, lease=60)
        assert rest is not None
        assert [message.message_id for message in rest.messages] == ["a1", "b1", "b2"]
        assert before.settle(claim, Delivery({claim.messages[0].id: Delivered()}), lambda *_: None) == 1


def test_a_person_is_found_and_forgotten_in_encrypted_messages_too(database_url: str) -> None:
    with open_inbox(database_url, keys=[NEW]) as inbox:
        unread = InboxMessage("appcues", "x", "", "", {"body": {"deep": [{"user": "u1"}]}}, parked="not_understood")
        other = InboxMessage("appcues", "y", "", "", {"body": {"user": "u2"}}, parked="not_understood")
        inbox.accept([unread, other])
        fill(inbox)
        person = inbox.find_person("u1", ["nps:contact:0031"])
        assert len(person.messages) == 3
        inbox.forget(person, {})
        assert [entry.message_id for entry in inbox.page(Filter())] == ["y"]


def test_a_damaged_row_stops_no_other(sqlite_url: str) -> None:
    with open_inbox(sqlite_url, keys=[NEW]) as inbox:
        fill(inbox)
        with inbox._database.write() as tx:
            tx.db.exec_driver_sql(
                "UPDATE relay_inbox SET payload = substr(payload, 1, 40) || 'A;' WHERE message_id = 'a1'"
            )
        page = {entry.message_id: dict(entry.payload) for entry in inbox.page(Filter())}
        assert page["a1"] == {}
        assert page["b1"]["event"] == {"feedback": MARK}


class FakeDialect:
    data_cipher = DataCipher([NEW, OLD])


@given(
    st.lists(st.tuples(st.booleans(), st.text(st.sampled_from('\\ea1:;"x\u00e4\ud800\x00'), max_size=12)), max_size=4)
)
def test_any_text_comes_back_also_where_parts_were_appended(parts: list[tuple[bool, str]]) -> None:
    column, dialect = EncryptedText(), FakeDialect()
    stored = ""
    for is_encrypted, text in parts:
        stored += (column.process_bind_param(text, dialect) if is_encrypted else escape(text)) or ""  # type: ignore[arg-type]
    assert column.process_result_value(stored, dialect) == "".join(text for _, text in parts)  # type: ignore[arg-type]


def test_a_text_that_looks_encrypted_is_only_a_text() -> None:
    column, text = EncryptedText(), "\\e12345678:abc;"
    for dialect in (FakeDialect(), sa.create_engine("sqlite://").dialect):
        stored = column.process_bind_param(text, dialect)  # type: ignore[arg-type]
        assert column.process_result_value(stored, dialect) == text  # type: ignore[arg-type]
    assert column.process_result_value(escape(text), FakeDialect()) == text  # type: ignore[arg-type]


def test_the_keys_of_the_environment_may_be_spelled_in_both_alphabets() -> None:
    from sfcode.errors import ConfigError
    from sfcode.relay.settings import data_keys

    raw = bytes(range(220, 252))
    plain, url_safe = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    assert plain != url_safe
    first_key, second_key = data_keys({"SFCODE_RELAY_DATA_KEYS": f" {plain} ,{url_safe},"})
    assert first_key == second_key
    assert DataCipher([first_key]).decrypt(DataCipher([second_key]).encrypt("text")) == "text"
    with pytest.raises(ConfigError, match="key 2 is not base64 of 32 bytes") as refused:
        data_keys({"SFCODE_RELAY_DATA_KEYS": f"{plain},{plain[:-4]}"})
    assert plain[:-4] not in str(refused.value)
    assert data_keys(dict(os.environ) | {"SFCODE_RELAY_DATA_KEYS": ""}) == ()


def test_rows_of_a_process_without_the_key_are_encrypted_later(sqlite_url: str) -> None:
    with open_inbox(sqlite_url) as before, open_inbox(sqlite_url, keys=[NEW]) as after:
        for number, renewed in ((1, 1), (2, 1)):
            before.accept([InboxMessage("appcues", f"m{number}", "user:a", "k", {"user_id": "a"})])
            assert after.encryption.renew(lambda _: False) == renewed
        assert plain_rows(after) == 0
        assert after.encryption.renew(lambda _: False) == 0
