"""A file of SQLite is moved, replaced or removed while a process uses it: no message that would be lost is acknowledged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sfcode.relay.inbox import Inbox, Unavailable, open_inbox
from tests.relay.inbox.samples import message
from tests.relay.serving import Relay, Served
from tests.waiting import until

WRONG = "was moved, replaced or removed"


@pytest.fixture
def inbox(sqlite_inbox_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_inbox_url) as opened:
        opened.accept([message(1)])
        yield opened


def replace(path: Path, copy: Path) -> None:
    path.rename(copy)
    shutil.copy(copy, path)


DISTURBANCES: dict[str, Callable[[Path, Path], object]] = {
    "moved": lambda path, copy: path.rename(copy),
    "replaced": replace,
}


@pytest.mark.parametrize("disturb", DISTURBANCES)
@pytest.mark.parametrize("name", ["relay.db", "relay.db-wal", "relay.db-shm"])
def test_nothing_is_read_or_written_until_the_file_is_back(
    inbox: Inbox, tmp_path: Path, name: str, disturb: str
) -> None:
    path, moved_path = tmp_path / name, tmp_path / "kept"
    DISTURBANCES[disturb](path, moved_path)
    with pytest.raises(Unavailable, match=WRONG):
        inbox.accept([message(2)])
    with pytest.raises(Unavailable, match=WRONG):
        inbox.stats()
    moved_path.rename(path)
    assert inbox.accept([message(2)]) == 1
    assert inbox.stats().count("ready") == 2


def test_a_transaction_during_which_the_file_is_moved_is_not_acknowledged(inbox: Inbox, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=WRONG):
        inbox._write(lambda _: (tmp_path / "relay.db").rename(tmp_path / "kept"))


def test_a_later_connection_uses_neither_another_file_nor_a_new_one(sqlite_inbox_url: str, tmp_path: Path) -> None:
    path, moved_path = tmp_path / "relay.db", tmp_path / "kept"
    with open_inbox(sqlite_inbox_url) as inbox:
        inbox._database._reader.dispose()
        path.rename(moved_path)
        with pytest.raises(Unavailable, match=WRONG):
            inbox.stats()
        assert not path.exists()
        shutil.copy(moved_path, path)
        with pytest.raises(Unavailable, match=WRONG):
            inbox.stats()
        moved_path.rename(path)
        assert inbox.stats().count("ready") == 0


def test_a_relay_without_its_file_is_not_ready_and_asks_senders_to_retry(sqlite_url: str, tmp_path: Path) -> None:
    def script(served: Served) -> None:
        until(lambda: served.get("/readyz").status_code == 200)
        (tmp_path / "relay.db").rename(tmp_path / "kept")
        assert served.webhook(1).status_code == 503
        until(lambda: served.get("/readyz").status_code == 503)
        (tmp_path / "kept").rename(tmp_path / "relay.db")
        assert served.webhook(1).status_code == 200
        until(lambda: served.service.inbox.stats().count("done") == 1)

    Relay(sqlite_url).serve(script)
