"""Opening an inbox: accepted databases, refusals of others, and the creation of the tables."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from sfcode.errors import Refused, UsageError
from sfcode.relay.inbox import Inbox, Unavailable, open_inbox
from sfcode.relay.inbox.database_url import describe_database, parse_database_url
from sfcode.relay.inbox.migrations import HISTORY
from sfcode.relay.inbox.tables import METADATA
from tests.relay.inbox.samples import idle, keyed, message, numbers, states, take
from tests.waiting import PATIENCE


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return a database without tables, since the creation of tables is tested here."""
    return empty_database_url


@pytest.mark.parametrize(
    "url",
    [
        "", "relay.db", "sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "sqlite://host/x.db",
        "mysql://u:geheim@h/db", "postgresql://u:geheim@h:port/db", "nonsense://geheim@", "redis://:geheim@h",
    ],
)  # fmt: skip
def test_an_unsupported_database_is_refused_with_the_supported_urls(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_inbox(url)
    assert "sqlite:///PATH" in caught.value.hint
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://joe:geheim@127.0.0.1:1/relay",
        "postgres://joe:geheim@127.0.0.1:1/relay?sslmode=disable",
        "postgresql+psycopg://joe:geheim@127.0.0.1:1/relay",
        "postgresql://joe@127.0.0.1:1/relay?password=geheim",
        "postgresql://joe:geheim@127.0.0.1:1/relay?no_such_option=1",
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_its_password(url: str) -> None:
    with pytest.raises(Refused) as caught:
        open_inbox(url)
    assert "postgresql://joe@127.0.0.1:1/relay" in caught.value.message
    assert caught.value.hint
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://relay:Sup3r@Geheim/Pass#word9@db.example:5432/relay",
        "postgresql://relay:ge/heim@db.example/relay",
        "postgresql://relay:ge#heim@db.example/relay",
        "postgresql://relay:ge?heim@db.example/relay",
        "postgres://relay:ge@heim@db.example/relay",
    ],
)
def test_a_password_with_special_characters_is_reported_and_not_printed(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_inbox(url)
    assert "%40" in caught.value.hint
    for part in ("Geheim", "heim", "word9", "Sup3r"):
        assert part not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://joe@db.example/relay", "The relay cannot use a database of 'mysql'."),
        ("sqlite:///", "The relay's database must be a file: a database in memory is lost at the end."),
        ("relay.db", "The relay's database URL cannot be parsed."),
    ],
)
def test_a_refused_url_has_its_reason(url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_database_url(url)
    assert caught.value.message == message


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_several_hosts_are_taken_as_libpq_takes_them(scheme: str) -> None:
    url = parse_database_url(f"{scheme}://joe:ge%40heim@one.example:5432,two.example:5433/relay?sslmode=disable")
    assert url.query["host"] == ("one.example:5432", "two.example:5433")
    assert url.password == "ge@heim"
    assert describe_database(url) == "postgresql://joe@one.example:5432,two.example:5433/relay"


def test_a_damaged_file_is_reported(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with open_inbox(sqlite_url) as inbox:
        inbox.accept([message(number) for number in range(200)])
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises((Refused, Unavailable)) as caught, open_inbox(sqlite_url) as inbox:
        inbox.accept([message(1)])
    assert "damaged" in caught.value.message + caught.value.hint


def test_a_reading_process_creates_no_inbox(tmp_path: Path, postgres_url: str) -> None:
    path = tmp_path / "no" / "such" / "folder" / "relay.db"
    with pytest.raises(Refused, match="There is no inbox at"):
        open_inbox(f"sqlite:///{path}", create=False)
    assert not (tmp_path / "no").exists()
    with pytest.raises(Refused, match="There is no inbox in"):
        open_inbox(postgres_url, create=False)
    with psycopg.connect(postgres_url) as db:
        assert db.execute("SELECT to_regclass('relay_inbox')").fetchone() == (None,)


def test_a_password_is_never_part_of_a_name() -> None:
    url = sa.make_url("postgresql+psycopg://joe:geheim@db.example/relay?password=geheim&options=geheim")
    assert describe_database(url) == "postgresql://joe@db.example/relay"


def test_a_missing_database_is_refused(postgres_server: str) -> None:
    url = sa.make_url(postgres_server).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(Refused, match="no_such_database"):
        open_inbox(url)


def test_a_file_that_is_no_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    path.write_text("these are my notes\n" * 100)
    with pytest.raises(Refused, match=r"relay\.db cannot be used"):
        open_inbox(f"sqlite:///{path}")
    assert path.read_text() == "these are my notes\n" * 100


def test_a_folder_is_refused_as_database(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="directory"):
        open_inbox(f"sqlite:///{tmp_path}")


def test_parent_folders_are_created_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "relay.db"
    with open_inbox(f"sqlite:///{path}") as inbox:
        inbox.accept([message(1)])
        files = list(path.parent.iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert len(files) == 3, "the write-ahead log holds messages, too"


def test_a_relative_path_is_relative_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_inbox("sqlite:///.sfcode/relay.db").close()
    assert (tmp_path / ".sfcode" / "relay.db").is_file()


def test_committed_messages_are_on_the_disk(inbox: Inbox) -> None:
    with inbox._database.write() as tx:
        name = tx.db.dialect.name
        question = "PRAGMA synchronous" if name == "sqlite" else "SHOW synchronous_commit"
        assert tx.db.exec_driver_sql(question).scalar() == {"sqlite": 2, "postgresql": "on"}[name]
        if name == "sqlite":
            assert tx.db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_server_that_answers_before_the_disk_does_is_overruled(postgres_url: str) -> None:
    with open_inbox(f"{postgres_url}%20-csynchronous_commit%3Doff") as inbox, inbox._database.write() as tx:
        assert tx.db.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_server_that_waits_for_a_replica_is_not_overruled(postgres_url: str) -> None:
    with open_inbox(f"{postgres_url}%20-csynchronous_commit%3Dremote_apply") as inbox, inbox._database.write() as tx:
        assert tx.db.exec_driver_sql("SHOW synchronous_commit").scalar() == "remote_apply"


def test_the_tables_are_those_that_queries_are_written_for(inbox: Inbox) -> None:
    with inbox._database.read() as tx:
        inspector = sa.inspect(tx.db)
        for table in METADATA.tables.values():
            nullables = {
                column_found["name"]: column_found["nullable"] for column_found in inspector.get_columns(table.name)
            }
            key = inspector.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key]
            expected = {column.name: bool(column.nullable) for column in table.columns if column.name not in key}
            assert {name: nullable for name, nullable in nullables.items() if name not in key} == expected


def test_a_second_start_changes_nothing(database_url: str) -> None:
    for _ in range(2):
        with open_inbox(database_url) as inbox, inbox._database.read() as tx:
            rows = tx.db.exec_driver_sql("SELECT version, name FROM relay_migrations ORDER BY version").all()
            assert [tuple(row) for row in rows] == [(at, step.name) for at, step in enumerate(HISTORY, 1)]


def test_a_database_of_a_newer_sfcode_is_refused(inbox: Inbox, database_url: str) -> None:
    with inbox._database.write() as tx:
        tx.db.exec_driver_sql("INSERT INTO relay_migrations VALUES (99, 'from the future', '2030-01-01T00:00:00Z')")
    with pytest.raises(Refused, match=rf"newer sfcode.*version 99.*up to {len(HISTORY)}") as caught:
        open_inbox(database_url)
    assert "newer" in caught.value.hint


def test_a_step_that_fails_leaves_nothing_behind(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfcode.relay.inbox import migrations

    failing_step = migrations.Migration("broken", ("CREATE TABLE relay_more (id integer)", "CREATE NONSENSE"))
    monkeypatch.setattr(migrations, "HISTORY", (*HISTORY, failing_step))
    with pytest.raises(Refused, match="NONSENSE"):
        open_inbox(database_url)
    monkeypatch.undo()
    with open_inbox(database_url) as inbox, inbox._database.read() as tx:
        assert "relay_more" not in sa.inspect(tx.db).get_table_names()


def test_many_that_start_at_once_make_the_tables_once(database_url: str) -> None:
    def start(number: int) -> int:
        with open_inbox(database_url) as inbox:
            return inbox.accept([message(number)])

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(8))) == 8
    with open_inbox(database_url) as inbox:
        assert len(states(inbox)) == 8


def test_processes_that_start_at_once_make_the_tables_once(database_url: str) -> None:
    program = (
        "import sys; from sfcode.relay.inbox import open_inbox; from sfcode.relay.message import InboxMessage\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with open_inbox(sys.argv[1]) as inbox: print(inbox.accept([InboxMessage('appcues', 'm', 'k', 'e', {})]))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=PATIENCE)[0].strip() for process in started]
    assert sorted(answers) == ["0", "0", "1"]


def test_a_second_process_may_look_at_the_same_inbox_and_work_on_it(database_url: str) -> None:
    with open_inbox(database_url) as first, open_inbox(database_url) as second:
        first.accept(keyed("a", "a", "b"))
        assert numbers(take(first, limit=1)) == [0]
        assert second.stats().count("ready") == 2
        assert numbers(take(second)) == [2]
        assert idle(first)


def test_the_threads_of_a_process_write_to_a_file_in_turn(sqlite_url: str) -> None:
    unavailable = pytest.raises(Unavailable, match="no connection became free")
    with open_inbox(sqlite_url, busy_seconds=0.05) as inbox, inbox._database.write(), unavailable:
        inbox.remember("a", "b")


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    import sqlite3

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def test_a_reading_process_does_not_wait_for_a_writer(sqlite_url: str) -> None:
    open_inbox(sqlite_url).close()
    with locked(sqlite_url.removeprefix("sqlite:///")), open_inbox(sqlite_url) as inbox:
        assert inbox.stats().counts == {}


def test_a_file_that_is_locked_for_too_long_is_unavailable(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    with open_inbox(sqlite_url, busy_seconds=0.05) as inbox:
        with locked(path), pytest.raises(Unavailable, match="locked"):
            inbox.accept([message(1)])
        with inbox._database.write() as tx:
            assert tx.db.exec_driver_sql("PRAGMA busy_timeout").scalar() == 50


def test_a_connection_that_the_server_dropped_is_replaced(postgres_url: str) -> None:
    with open_inbox(postgres_url) as inbox:
        inbox.accept([message(1)])
        with psycopg.connect(postgres_url) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
            )
        assert inbox.accept([message(2)]) == 1
        assert len(states(inbox)) == 2


@pytest.mark.skipif(os.name != "posix", reason="goes by rights of files")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be used as the relay's database"):
        open_inbox(f"sqlite:///{tmp_path / 'file' / 'relay.db'}")
