"""Database errors: retried ones, and the messages and hints of the others."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from datetime import UTC, timedelta, timezone
from typing import Any, cast

import pytest
import sqlalchemy as sa

from sfcode.relay.inbox import Filter, Inbox, RowLocked, Unavailable
from sfcode.relay.inbox.database_url import describe_database, first_line, hint_for_error, parse_database_url
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.transactions import TRIES
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import message


class DriverError(Exception):
    """An error with the codes of both drivers."""

    def __init__(self, text: str = "line one\nSELECT secret", sqlstate: str = "", sqlite: str = "") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate
        self.sqlite_errorname = sqlite


def wrap(kind: type[sa.exc.DBAPIError], original: Exception | None = None, *, lost: bool = False) -> sa.exc.DBAPIError:
    return kind("SELECT secret", {}, original or DriverError(), connection_invalidated=lost)


class Failing:
    """A database whose transactions fail with the given errors in order."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.begun = 0

    @contextlib.contextmanager
    def write(self, *_: object, **__: object) -> Iterator[Transaction]:
        self.begun += 1
        if self.failures:
            raise self.failures.pop(0)
        yield cast(Transaction, None)

    read = write


def use(database: Failing, way: str) -> str:
    inbox = Inbox(cast(Any, database))
    return str(getattr(inbox, way)(lambda _: "done"))


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_transaction_that_lost_against_another_is_tried_again(sqlstate: str) -> None:
    conflict = wrap(sa.exc.OperationalError, DriverError(sqlstate=sqlstate))
    assert use(Failing(*[conflict] * (TRIES - 1)), "_write") == "done"
    database = Failing(*[conflict] * (TRIES + 3))
    with pytest.raises(Unavailable, match="line one$"):
        use(database, "_write")
    assert database.begun == TRIES


ERRORS = {
    "read only": (wrap(sa.exc.InternalError, DriverError(sqlstate="25006")), Unavailable, "the server is read only"),
    "locked": (wrap(sa.exc.OperationalError, DriverError(sqlstate="55P03")), RowLocked, "has locked a row"),
    "corrupt": (
        wrap(sa.exc.DatabaseError, DriverError(sqlite="SQLITE_CORRUPT_INDEX")),
        Unavailable,
        r"file is damaged: line one(?!.*secret)",
    ),
    "no database": (
        wrap(sa.exc.DatabaseError, DriverError(sqlite="SQLITE_NOTADB")),
        Unavailable,
        r"file is damaged: line one(?!.*secret)",
    ),
    "operational": (wrap(sa.exc.OperationalError), Unavailable, "does not answer: line one$"),
    "interface": (wrap(sa.exc.InterfaceError), Unavailable, "does not answer: line one$"),
    "lost": (wrap(sa.exc.InternalError, lost=True), Unavailable, "does not answer: line one$"),
    "pool": (sa.exc.TimeoutError(), Unavailable, "too busy"),
    "bug": (wrap(sa.exc.IntegrityError), sa.exc.IntegrityError, "line one"),
    "constraint": (
        wrap(sa.exc.IntegrityError, DriverError(sqlite="SQLITE_CONSTRAINT")),
        sa.exc.IntegrityError,
        "line one",
    ),
}


@pytest.mark.parametrize("way", ["_write", "_read"])
@pytest.mark.parametrize("name", ERRORS)
def test_other_errors_are_raised_at_once_under_their_kind(name: str, way: str) -> None:
    error, kind, text = ERRORS[name]
    database = Failing(error)
    with pytest.raises(kind, match=text) as caught:
        use(database, way)
    assert type(caught.value) is kind
    assert database.begun == 1
    if isinstance(caught.value, Unavailable):
        assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_each_database_error_has_its_hint() -> None:
    assert "restore a backup" in hint_for_error(wrap(sa.exc.DatabaseError, DriverError(sqlite="SQLITE_CORRUPT")))
    assert "is read-only" in hint_for_error(wrap(sa.exc.InternalError, DriverError(sqlstate="25006")))
    assert "user and the password" in hint_for_error(wrap(sa.exc.OperationalError))
    assert first_line(wrap(sa.exc.OperationalError, DriverError("  "))) == "DriverError"


def test_no_value_of_a_message_is_in_the_traceback_of_an_error(inbox: Inbox) -> None:
    text = "value of a person"
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql("ALTER TABLE relay_inbox RENAME TO relay_away")
    with pytest.raises((Unavailable, sa.exc.DBAPIError)) as caught:
        inbox.accept([message(1, payload={"text": text})])
    lines = "".join(traceback.format_exception(caught.value))
    assert "relay_inbox" in lines
    assert text not in lines


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("sqlite:////data/a@b,c/relay#1.db", "/data/a@b,c/relay#1.db"),
        ("sqlite:///relay.db", "relay.db"),
        ("sqlite:///C@1/x,y.db", "C@1/x,y.db"),
    ],
)
def test_a_path_may_hold_what_a_url_of_a_server_may_not(url: str, database: str) -> None:
    parsed = parse_database_url(url)
    assert (parsed.drivername, parsed.database) == ("sqlite+pysqlite", database)


def test_a_single_server_is_described_with_its_port() -> None:
    parsed = parse_database_url("postgres://joe:word@db.example:5433/relay?host=/run/postgresql")
    assert parsed.drivername == "postgresql+psycopg"
    assert parsed.password == "word"
    assert describe_database(parsed) == "postgresql://joe@db.example:5433/relay"


def test_a_filter_by_time_goes_by_the_moment_and_not_by_its_zone(inbox: Inbox, elapse: Elapse) -> None:
    for number in range(3):
        inbox.accept([message(number)])
        elapse(3600)
    (_, middle, _) = inbox.page(Filter())
    zone = timezone(timedelta(hours=-11))
    since = Filter(since=middle.received_at.astimezone(zone))
    until = Filter(until=middle.received_at.astimezone(zone))
    assert [entry.payload["number"] for entry in inbox.page(since)] == [2, 1]
    assert [entry.payload["number"] for entry in inbox.page(until)] == [0]
    assert middle.received_at.tzinfo == UTC
